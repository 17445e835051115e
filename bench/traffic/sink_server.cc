#include "bench/traffic/sink_server.h"

#include <memory>
#include <span>

namespace tapal::bench {
namespace {

constexpr std::size_t buffer_bytes = 64 * 1024;

}  // namespace

Task<void> serve(SinkServer sink, Stream& stream) {
  ++sink.tally.connections;
  SinkSession session(sink.policy, sink.tally);
  const auto buffer = std::make_unique<char[]>(buffer_bytes);
  auto next = SinkSession::Next::read_more;
  for (;;) {
    const auto replies = session.take_replies();
    if (!replies.empty()) {
      const auto written = co_await stream.write(replies, never);
      if (!written) co_return;
    }
    if (next == SinkSession::Next::close) co_return;
    if (next == SinkSession::Next::start_tls) {
      const auto state = co_await stream.accept_tls(*sink.tls, never);
      ++(state ? sink.tally.tls_connections : sink.tally.tls_failures);
      if (!state) co_return;
      if (state->resumed) ++sink.tally.tls_resumed;
      session.on_tls_started();
    }
    const std::span<char> room(buffer.get(), buffer_bytes);
    const auto count = co_await stream.read(room, never);
    if (!count) co_return;
    next = session.on_bytes({buffer.get(), *count}, sink.loop.now());
  }
}

}  // namespace tapal::bench
