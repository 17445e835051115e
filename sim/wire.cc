#include "sim/wire.h"

#include <algorithm>

namespace tapal::sim {

void Power::cut() {
  on_ = false;
  for (const auto& [number, stream] : streams_) stream->close();
}

WireStream::WireStream(std::unique_ptr<PipeStream> pipe,
                       std::shared_ptr<Wire> wire,
                       Side side,
                       Dice dice)
    : pipe_(std::move(pipe)), wire_(std::move(wire)), side_(side), dice_(dice) {}

WireStream::~WireStream() {
  close();
  if (power_) power_->streams_.erase(number_);
}

WireStream::Pair WireStream::connect(VirtualLoop& loop,
                                     Dice& dice,
                                     const NetworkWeather& weather,
                                     Ends ends) {
  auto pipe = PipeStream::make(
      loop,
      {.client = ends.client, .server = ends.server, .tls_failure = std::move(ends.tls_failure)});
  if (weather.cut_one_in != 0 && dice.one_in(weather.cut_one_in)) {
    // Mostly somewhere in the talk, now and then in a long body.
    PipeStream& cut = dice.one_in(2) ? *pipe.client : *pipe.server;
    cut.cut_after(dice.below(dice.one_in(4) ? 20'000 : 1'500));
  }
  Pair pair;
  pair.wire = std::make_shared<Wire>();
  pair.client =
      std::make_unique<WireStream>(std::move(pipe.client), pair.wire, Side::client, dice.fork());
  pair.server =
      std::make_unique<WireStream>(std::move(pipe.server), pair.wire, Side::server, dice.fork());
  for (WireStream* end : {pair.client.get(), pair.server.get()}) {
    end->loop_ = &loop;
    end->latency_ = loop.make_timer();
    end->weather_ = weather;
  }
  return pair;
}

void WireStream::belongs_to(std::shared_ptr<Power> power) {
  number_ = ++power->streams_made_;
  power->streams_.emplace(number_, this);
  power_ = std::move(power);
}

Task<Result<std::size_t>> WireStream::read(std::span<char> into, Instant deadline) {
  const std::size_t piece = dice_.between(1, weather_.piece_bytes_max);
  auto count = co_await pipe_->read(into.first(std::min(into.size(), piece)), deadline);
  if (count)
    wire_->heard[index()] += *count;
  else
    wire_->cut = wire_->cut || count.error().code == Code::closed;
  co_return count;
}

Task<Result<void>> WireStream::write(std::string_view bytes, Instant deadline) {
  wire_->said[index()] += bytes.size();
  const auto arrives = loop_->now() + dice_.between(Duration(0), weather_.latency_max);
  co_await latency_->wait_until(std::min(arrives, deadline));
  auto written = co_await pipe_->write(bytes, deadline);
  if (!written) wire_->cut = true;
  co_return written;
}

Task<Result<TlsState>> WireStream::accept_tls(TlsServer& server, Instant deadline) {
  co_return co_await pipe_->accept_tls(server, deadline);
}
Task<Result<TlsState>> WireStream::connect_tls(TlsClient& client,
                                               TlsConnectOptions options,
                                               Instant deadline) {
  co_return co_await pipe_->connect_tls(client, std::move(options), deadline);
}

void WireStream::close() {
  wire_->cut = true;
  pipe_->close();
  if (latency_) latency_->cancel();
}

}  // namespace tapal::sim
