#include "app/mail/transcript_stream.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::app {
namespace {

// Of "BDAT 86 LAST": 86. Anything else is followed by no bytes.
std::size_t chunk_bytes(std::string_view line) {
  constexpr std::string_view command = "BDAT ";
  if (!text::starts_with_ignoring_case(line, command)) return 0;
  line.remove_prefix(command.size());
  return text::to_number<std::size_t>(line.substr(0, line.find(' '))).value_or(0);
}

}  // namespace

TranscriptStream::TranscriptStream(std::unique_ptr<Stream> stream, Show show)
    : stream_(std::move(stream)), show_(std::move(show)) {}

Task<Result<std::size_t>> TranscriptStream::read(std::span<char> into, Instant deadline) {
  auto count = co_await stream_->read(into, deadline);
  if (count)
    show_read({into.data(), *count});
  else if (count.error().code != Code::closed)
    show_("-- " + count.error().what);
  co_return count;
}

Task<Result<void>> TranscriptStream::write(std::string_view bytes, Instant deadline) {
  show_written(bytes);
  co_return co_await stream_->write(bytes, deadline);
}

Task<Result<TlsState>> TranscriptStream::accept_tls(TlsServer& server, Instant deadline) {
  co_return co_await stream_->accept_tls(server, deadline);
}

Task<Result<TlsState>> TranscriptStream::connect_tls(TlsClient& client,
                                                     TlsConnectOptions options,
                                                     Instant deadline) {
  auto state = co_await stream_->connect_tls(client, std::move(options), deadline);
  if (!state)
    show_("-- " + state.error().what);
  else
    show_(fmt::format("-- {} {}, certificate {}",
                      state->version,
                      state->cipher,
                      state->verified ? "holds" : "does not hold: " + state->verify_error));
  co_return state;
}

void TranscriptStream::show_written(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto end = bytes.find("\r\n");
    if (chunk_left_ > 0 || in_data_ || end == std::string_view::npos) {
      const auto count = chunk_left_ > 0 ? std::min(chunk_left_, bytes.size()) : bytes.size();
      show_(fmt::format("C: ({} bytes of the message)", count));
      chunk_left_ -= std::min(chunk_left_, count);
      bytes.remove_prefix(count);
      continue;
    }
    const auto line = bytes.substr(0, end);
    if (in_auth_) {
      show_("C: (not shown)");
    } else if (text::starts_with_ignoring_case(line, "AUTH ")) {
      in_auth_ = true;
      show_("C: " + std::string(line.substr(0, line.find(' ', 5))) + " (not shown)");
    } else {
      show_("C: " + text::printable(line));
      chunk_left_ = chunk_bytes(line);
    }
    bytes.remove_prefix(end + 2);
  }
}

void TranscriptStream::show_read(std::string_view bytes) {
  unfinished_ += bytes;
  for (auto end = unfinished_.find('\n'); end != std::string::npos; end = unfinished_.find('\n')) {
    const auto line = std::string(text::trim(std::string_view(unfinished_).substr(0, end)));
    unfinished_.erase(0, end + 1);
    in_data_ = line.starts_with("354");
    if (!line.starts_with("334")) in_auth_ = false;
    show_(in_auth_ ? "S: 334 (not shown)" : "S: " + text::printable(line));
  }
}

}  // namespace tapal::app
