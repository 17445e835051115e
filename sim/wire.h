// The network between the server and everybody else: bytes take their time, come in pieces of any
// size, and the line can break after any of them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "ports/test_loop.h"
#include "ports/test_stream.h"
#include "sim/dice.h"

namespace tapal::sim {

// Which end of a connection.
enum class Side : std::uint8_t { client, server };

// One connection as somebody outside sees it.
struct Wire {
  std::array<std::uint64_t, 2> said{};   // bytes written by each side, whether they arrive or not
  std::array<std::uint64_t, 2> heard{};  // bytes read by each side
  bool cut = false;

  // Whether the client has read all the server had said when it had said `bytes`.
  bool client_heard(std::uint64_t bytes) const { return heard[0] >= bytes; }
};

struct NetworkWeather {
  Duration latency_max = std::chrono::milliseconds(200);
  std::size_t piece_bytes_max = 1400;
  std::uint64_t cut_one_in = 20;  // connections that break by themselves; 0: none
};

class WireStream;

// Whether a server has power. Without it all its connections are gone at once.
class Power {
 public:
  bool is_on() const { return on_; }
  void cut();

 private:
  friend class WireStream;
  bool on_ = true;
  std::map<std::uint64_t, WireStream*> streams_;  // by age: the same order each time
  std::uint64_t streams_made_ = 0;
};

class WireStream final : public Stream {
 public:
  struct Pair {
    std::unique_ptr<WireStream> client;
    std::unique_ptr<WireStream> server;
    std::shared_ptr<Wire> wire;
  };
  struct Ends {
    Endpoint client;
    Endpoint server;
    std::optional<Error> tls_failure;
  };
  static Pair connect(VirtualLoop& loop, Dice& dice, const NetworkWeather& weather, Ends ends);

  WireStream(std::unique_ptr<PipeStream> pipe, std::shared_ptr<Wire> wire, Side side, Dice dice);
  ~WireStream() override;

  // From now on this end is a part of a machine that can lose its power.
  void belongs_to(std::shared_ptr<Power> power);

  Task<Result<std::size_t>> read(std::span<char> into, Instant deadline) override;
  Task<Result<void>> write(std::string_view bytes, Instant deadline) override;
  Task<Result<TlsState>> accept_tls(TlsServer& server, Instant deadline) override;
  Task<Result<TlsState>> connect_tls(TlsClient& client,
                                     TlsConnectOptions options,
                                     Instant deadline) override;
  bool is_tls() const override { return pipe_->is_tls(); }
  Result<std::string> channel_binding(ChannelBinding type) const override {
    return pipe_->channel_binding(type);
  }
  Endpoint local() const override { return pipe_->local(); }
  Endpoint remote() const override { return pipe_->remote(); }
  void close() override;

 private:
  std::size_t index() const { return side_ == Side::client ? 0 : 1; }

  std::unique_ptr<PipeStream> pipe_;
  std::shared_ptr<Wire> wire_;
  Side side_;
  Dice dice_;
  NetworkWeather weather_;
  std::unique_ptr<Timer> latency_;
  VirtualLoop* loop_ = nullptr;
  std::shared_ptr<Power> power_;
  std::uint64_t number_ = 0;
};

}  // namespace tapal::sim
