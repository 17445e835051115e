// A stream that shows what passes, as a mail session reads: "C: " what we say, "S: " what is
// answered. Responses of AUTH are not shown, and of a body only the number of bytes.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ports/stream.h"

namespace tapal::app {

class TranscriptStream final : public Stream {
 public:
  using Show = std::function<void(const std::string& line)>;
  TranscriptStream(std::unique_ptr<Stream> stream, Show show);

  Task<Result<std::size_t>> read(std::span<char> into, Instant deadline) override;
  Task<Result<void>> write(std::string_view bytes, Instant deadline) override;
  Task<Result<TlsState>> accept_tls(TlsServer& server, Instant deadline) override;
  Task<Result<TlsState>> connect_tls(TlsClient& client,
                                     TlsConnectOptions options,
                                     Instant deadline) override;
  bool is_tls() const override { return stream_->is_tls(); }
  Result<std::string> channel_binding(ChannelBinding type) const override {
    return stream_->channel_binding(type);
  }
  Endpoint local() const override { return stream_->local(); }
  Endpoint remote() const override { return stream_->remote(); }
  void close() override { stream_->close(); }

 private:
  void show_written(std::string_view bytes);
  void show_read(std::string_view bytes);

  std::unique_ptr<Stream> stream_;
  Show show_;
  std::string unfinished_;      // of the peer's line
  bool in_auth_ = false;        // we said AUTH, and the peer has not decided
  bool in_data_ = false;        // the peer said 354, and nothing since
  std::size_t chunk_left_ = 0;  // bytes of the message that BDAT announced
};

}  // namespace tapal::app
