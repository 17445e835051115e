// Two Streams joined in memory, for tests: bytes come in pieces of any size, TLS is a handshake of
// words, and the line can be cut after any byte.
#pragma once

#include <algorithm>
#include <array>
#include <coroutine>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "ports/stream.h"
#include "ports/test_loop.h"

namespace tapal {

struct PipeOptions {
  Endpoint client;
  Endpoint server;
  std::size_t read_bytes_max = SIZE_MAX;  // a read gives no more than this at once
  std::size_t window_bytes = 256 * 1024;  // written and not yet read; a write waits past it
  std::optional<Error> tls_failure;       // what the handshake comes to on both sides
  bool certificate_holds = true;
  std::string channel_binding;  // of either type; empty: none
};

class PipeStream final : public Stream {
  enum class Side : std::uint8_t { client, server };
  struct Waiter {  // of a read or a handshake
    std::coroutine_handle<> handle;
    std::optional<VirtualLoop::Alarm> alarm;
    bool timed_out = false;
  };
  struct End {
    std::string arrived;                   // bytes to be read here
    std::uint64_t written = 0;             // bytes sent from here
    std::uint64_t cut_after = UINT64_MAX;  // of written
    Waiter reader;
    Waiter writer;
    Waiter handshake;
    bool closed = false;
    bool wants_tls = false;
    bool tls = false;
  };
  struct Pipe {
    VirtualLoop& loop;
    PipeOptions options;
    std::array<End, 2> ends;

    void wake(Waiter& waiter) {
      if (waiter.alarm) loop.forget(*std::exchange(waiter.alarm, {}));
      if (auto handle = std::exchange(waiter.handle, {})) loop.post([handle] { handle.resume(); });
    }
    void cut() {
      for (auto& end : ends) {
        end.closed = true;
        wake(end.reader);
        wake(end.writer);
        wake(end.handshake);
      }
    }
  };
  struct Wait {
    Pipe& pipe;
    Waiter& waiter;
    Instant deadline;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      if (waiter.handle) std::abort();  // one reader and one writer at a time
      waiter.handle = handle;
      waiter.timed_out = false;
      if (deadline == never) return;
      waiter.alarm = pipe.loop.call_at(deadline, [&to = pipe, &on = waiter] {
        on.alarm.reset();
        on.timed_out = true;
        to.wake(on);
      });
    }
    void await_resume() const noexcept {}
  };

 public:
  struct Pair;
  static Pair make(VirtualLoop& loop, PipeOptions options = {});

  PipeStream(std::shared_ptr<Pipe> pipe, Side side) : pipe_(std::move(pipe)), side_(side) {}
  ~PipeStream() override { close(); }

  // Everything this end writes past this many bytes is lost, and the line with it.
  void cut_after(std::uint64_t bytes) { mine().cut_after = bytes; }
  std::uint64_t written() const { return pipe_->ends[index()].written; }

  Task<Result<void>> readable(Instant deadline) override {
    const auto pipe = pipe_;  // outlives this end
    auto& end = mine();
    while (end.arrived.empty() && !end.closed) {
      if (pipe->loop.now() >= deadline) co_return fail(Code::timed_out, "the peer is silent");
      co_await Wait{*pipe, end.reader, deadline};
      if (end.reader.timed_out && end.arrived.empty() && !end.closed)
        co_return fail(Code::timed_out, "the peer is silent");
    }
    co_return Result<void>();
  }
  Task<Result<std::size_t>> read(std::span<char> into, Instant deadline) override {
    const auto pipe = pipe_;
    auto& end = mine();
    TAPAL_CO_CHECK(co_await readable(deadline));
    if (closed_ || end.arrived.empty()) co_return fail(Code::closed, "the connection is closed");
    const auto count = std::min({into.size(), end.arrived.size(), pipe->options.read_bytes_max});
    std::memcpy(into.data(), end.arrived.data(), count);
    end.arrived.erase(0, count);
    pipe->wake(other().writer);
    co_return count;
  }
  Task<Result<void>> write(std::string_view bytes, Instant deadline) override {
    const auto pipe = pipe_;
    auto& end = mine();
    auto& peer = other();
    for (;;) {
      if (end.closed || peer.closed) co_return fail(Code::closed, "the connection is closed");
      const auto window = pipe->options.window_bytes;
      const auto count = std::min(bytes.size(), window - std::min(window, peer.arrived.size()));
      const auto uncut = static_cast<std::size_t>(
          std::min<std::uint64_t>(count, end.cut_after - std::min(end.cut_after, end.written)));
      peer.arrived += bytes.substr(0, uncut);
      end.written += uncut;
      bytes.remove_prefix(count);
      pipe->wake(peer.reader);
      if (uncut < count) pipe->cut();
      if (bytes.empty() || uncut < count) co_return Result<void>();
      if (pipe->loop.now() >= deadline) co_return fail(Code::timed_out, "the peer reads nothing");
      co_await Wait{*pipe, end.writer, deadline};
    }
  }
  Task<Result<TlsState>> accept_tls(TlsServer&, Instant deadline) override {
    return shake_hands(deadline, {});
  }
  Task<Result<TlsState>> connect_tls(TlsClient&,
                                     TlsConnectOptions options,
                                     Instant deadline) override {
    return shake_hands(deadline, std::move(options));
  }
  bool is_tls() const override { return pipe_->ends[index()].tls; }
  Result<std::string> channel_binding(ChannelBinding) const override {
    if (pipe_->options.channel_binding.empty() || !is_tls())
      return fail(Code::not_found, "no channel binding");
    return pipe_->options.channel_binding;
  }
  Endpoint local() const override {
    return side_ == Side::client ? pipe_->options.client : pipe_->options.server;
  }
  Endpoint remote() const override {
    return side_ == Side::client ? pipe_->options.server : pipe_->options.client;
  }
  void close() override {
    if (std::exchange(closed_, true)) return;
    pipe_->cut();
  }

 private:
  std::size_t index() const { return side_ == Side::client ? 0 : 1; }
  End& mine() { return pipe_->ends[index()]; }
  End& other() { return pipe_->ends[1 - index()]; }

  Task<Result<TlsState>> shake_hands(Instant deadline, TlsConnectOptions options) {
    const auto pipe = pipe_;
    auto& end = mine();
    auto& peer = other();
    end.wants_tls = true;
    if (peer.wants_tls)
      pipe->wake(peer.handshake);
    else if (!end.closed)
      co_await Wait{*pipe, end.handshake, deadline};
    if (end.closed) co_return fail(Code::closed, "the connection is closed");
    if (!peer.wants_tls) co_return fail(Code::timed_out, "the TLS handshake took too long");
    if (pipe->options.tls_failure) co_return std::unexpected(*pipe->options.tls_failure);
    const bool holds = pipe->options.certificate_holds;
    if (options.verification_required && !holds)
      co_return fail(Code::denied, "the certificate does not hold");
    end.tls = true;
    co_return TlsState{.version = "TLSv1.3",
                       .cipher = "TLS_AES_256_GCM_SHA384",
                       .server_name = options.server_name,
                       .verified = holds,
                       .verify_error = holds ? "" : "self-signed"};
  }

  std::shared_ptr<Pipe> pipe_;
  Side side_;
  bool closed_ = false;
};

struct PipeStream::Pair {
  std::unique_ptr<PipeStream> client;
  std::unique_ptr<PipeStream> server;
};

inline PipeStream::Pair PipeStream::make(VirtualLoop& loop, PipeOptions options) {
  auto pipe = std::make_shared<Pipe>(loop, std::move(options));
  return {std::make_unique<PipeStream>(pipe, Side::client),
          std::make_unique<PipeStream>(pipe, Side::server)};
}

}  // namespace tapal
