// What the client session costs per message and per byte, without a network.
#include <string>
#include <variant>

#include <benchmark/benchmark.h>

#include "protocols/smtp/client_session.h"
#include "protocols/smtp/client_test_shell.h"

namespace tapal::smtp {
namespace {

std::string lines(std::size_t bytes) {
  std::string body = "Subject: x\r\n\r\n";
  while (body.size() < bytes) body += std::string(74, 'x') + "\r\n";
  return body;
}

// Messages over one connection; the peer says yes to everything.
void send_messages(benchmark::State& state, std::string_view extensions, std::string_view replies) {
  const std::string body = lines(static_cast<std::size_t>(state.range(0)));
  const client::Transaction transaction = a_transaction({"user"}, body.size());
  const Instant now{std::chrono::hours(1)};
  ClientOptions options;
  options.hello_name = "client.example";
  options.tls = ClientTls::never;
  ClientSession session(options, now);
  std::uint64_t sent = 0;
  const auto drain = [&] {
    while (auto action = session.next_action()) {
      if (const auto* send = std::get_if<client::Send>(&*action)) sent += send->bytes.size();
      if (const auto* want = std::get_if<client::WantBody>(&*action))
        session.on_body(std::string_view(body).substr(want->offset, want->bytes_max));
    }
  };
  session.on_bytes("220 mx\r\n", now);
  drain();
  session.on_bytes(extensions, now);
  drain();
  for ([[maybe_unused]] auto _ : state) {
    session.start(transaction, now);
    drain();
    session.on_bytes(replies, now);
    drain();
    session.on_bytes("250 2.0.0 queued\r\n", now);
    drain();
  }
  benchmark::DoNotOptimize(sent);
  state.SetBytesProcessed(static_cast<std::int64_t>(sent));
}

void by_data(benchmark::State& state) {
  send_messages(state, "250-mx\r\n250 PIPELINING\r\n", "250 ok\r\n250 ok\r\n354 go\r\n");
}
void by_bdat(benchmark::State& state) {
  send_messages(state, "250-mx\r\n250-CHUNKING\r\n250 PIPELINING\r\n", "250 ok\r\n250 ok\r\n");
}
BENCHMARK(by_data)->Arg(4096)->Arg(10'000'000);
BENCHMARK(by_bdat)->Arg(4096)->Arg(10'000'000);

}  // namespace
}  // namespace tapal::smtp
