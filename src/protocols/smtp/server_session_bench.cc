// How many transactions of a 4 KiB message one core can take through the session.
#include <string>
#include <variant>

#include <benchmark/benchmark.h>

#include "protocols/smtp/server_session.h"

namespace {

using namespace tapal::smtp;

constexpr std::size_t message_bytes = 4096;

std::string message() {
  std::string text = "Subject: bench\r\n\r\n";
  while (text.size() < message_bytes)
    text += "The quick brown fox jumps over the lazy dog, again and again and again.\r\n";
  return text;
}

// Answers yes to everything; the number of messages stored.
int drain(ServerSession& session) {
  int stored = 0;
  while (auto action = session.next_action()) {
    if (std::holds_alternative<AskSender>(*action)) {
      session.on_sender({}, {});
    } else if (std::holds_alternative<AskRecipient>(*action)) {
      session.on_recipient({}, {});
    } else if (std::holds_alternative<AskStore>(*action)) {
      session.on_stored(make_reply(250, "2.0.0", "queued as 0123456789ABC"), {});
      ++stored;
    } else {
      benchmark::DoNotOptimize(*action);
    }
  }
  return stored;
}

ServerOptions bench_options() {
  ServerOptions options;
  options.hostname = "mx.example";
  options.limits.transactions = SIZE_MAX;
  return options;
}

void run(benchmark::State& state, const std::string& head, const std::string& tail) {
  ServerSession session(bench_options(), {});
  session.on_bytes("EHLO client.example\r\n", {});
  drain(session);
  std::int64_t stored = 0;
  for (auto _ : state) {
    session.on_bytes(head, {});
    stored += drain(session);
    if (tail.empty()) continue;
    session.on_bytes(tail, {});
    stored += drain(session);
  }
  if (stored != state.iterations()) state.SkipWithError("not every message was stored");
  state.SetItemsProcessed(stored);
  state.SetBytesProcessed(stored * static_cast<std::int64_t>(message_bytes));
}

const std::string envelope =
    "MAIL FROM:<sender@client.example> SIZE=4096\r\nRCPT TO:<user@mx.example>\r\n";

void BM_data(benchmark::State& state) { run(state, envelope + "DATA\r\n", message() + ".\r\n"); }

void BM_bdat(benchmark::State& state) {
  const std::string body = message();
  run(state, envelope + "BDAT " + std::to_string(body.size()) + " LAST\r\n" + body, "");
}

BENCHMARK(BM_data);
BENCHMARK(BM_bdat);

}  // namespace
