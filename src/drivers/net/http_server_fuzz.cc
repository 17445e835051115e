#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "drivers/net/http_server.h"
#include "ports/test_fakes.h"
#include "ports/test_loop.h"
#include "ports/test_stream.h"

namespace tapal {
namespace {

struct NoTls final : TlsServer {};

struct Counter final : HttpHandler {
  Task<http::Response> answer(Loop&, http::Request request) override {
    const HttpServerLimits limits;
    if (request.body.size() > limits.body_bytes_max || request.url.host.empty()) std::abort();
    ++answered;
    co_return http::Response{200, {}, "x"};
  }
  std::size_t answered = 0;
};

Task<void> swallow(Stream& stream) {
  std::array<char, 4096> buffer{};
  while (co_await stream.read(buffer, never)) {
  }
}

// What was answered when the bytes came in pieces of this size.
std::size_t answers(std::string_view bytes, std::size_t piece_bytes) {
  VirtualLoop loop;
  RecordingLog log;
  Counter counter;
  NoTls tls;
  ConnectionCount connections({});
  HttpServer server({loop, loop, log, counter, connections, tls});
  auto pair = PipeStream::make(loop, {.read_bytes_max = piece_bytes});
  server.begin(http::Url::Scheme::http, std::move(pair.server));
  TaskGroup tasks;
  tasks.spawn(swallow(*pair.client));
  static_cast<void>(loop.wait(pair.client->write(bytes, never)));
  loop.run();
  pair.client->close();
  loop.run();
  if (server.count() != 0 || connections.count() != 0) std::abort();
  return counter.answered;
}

}  // namespace
}  // namespace tapal

// However the bytes are cut, the same requests are found in them, within the limits.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE(*-reinterpret-cast): the fuzzer's bytes as text
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (tapal::answers(bytes, SIZE_MAX) != tapal::answers(bytes, 1)) std::abort();
  return 0;
}
