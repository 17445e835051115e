#include "drivers/net/http_request_reader.h"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include "values/text/ascii.h"

namespace tapal {
namespace {

namespace beast = boost::beast::http;

using Refused = std::unexpected<HttpRequestReader::Refusal>;

constexpr std::chrono::seconds linger_max{2};
constexpr std::size_t linger_bytes_max = 256UL * 1024;

int status_for(const boost::system::error_code& error) {
  if (error == beast::error::header_limit) return 431;
  if (error == beast::error::body_limit || error == beast::error::buffer_overflow) return 413;
  if (error == beast::error::bad_version) return 505;
  return 400;
}

}  // namespace

Task<Result<void>> HttpRequestReader::read_more(Instant deadline) {
  TAPAL_CO_CHECK(co_await stream_.readable(deadline));
  auto buffer = buffers_.lend();
  TAPAL_CO_TRY(const auto count, co_await stream_.read(buffer.bytes(), deadline));
  pending_.append(buffer.bytes().data(), count);
  co_return Result<void>();
}

// RFC 9110 section 10.1.1: some clients keep a body back until they are told to send it.
Task<void> HttpRequestReader::invite_body(const Parser& parser, Instant deadline) {
  if (invited_ || !parser.is_header_done() || parser.get().version() < 11) co_return;
  invited_ = true;
  if (!text::equals_ignoring_case(parser.get()[beast::field::expect], "100-continue")) co_return;
  constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  static_cast<void>(co_await stream_.write(go_on, deadline));
}

Task<std::expected<HttpRequestReader::Message, HttpRequestReader::Refusal>>
HttpRequestReader::read() {
  if (pending_.empty() && !co_await read_more(loop_.now() + limits_.idle_max))
    co_return Refused(std::nullopt);
  const auto deadline = loop_.now() + limits_.request_max;
  Parser parser;
  parser.eager(true);
  parser.header_limit(static_cast<std::uint32_t>(limits_.header_bytes_max));
  parser.body_limit(limits_.body_bytes_max);
  invited_ = false;
  for (;;) {
    boost::system::error_code error;
    const auto used = parser.put(boost::asio::buffer(pending_), error);
    pending_.erase(0, used);
    if (error && error != beast::error::need_more) co_return Refused(status_for(error));
    if (parser.is_done()) co_return parser.release();
    co_await invite_body(parser, deadline);
    const auto more = co_await read_more(deadline);
    if (!more && more.error().code == Code::timed_out) co_return Refused(408);
    if (!more) co_return Refused(std::nullopt);
  }
}

Task<void> HttpRequestReader::linger() {
  const auto deadline = loop_.now() + linger_max;
  for (std::size_t read = pending_.size(); read < linger_bytes_max; read += pending_.size()) {
    pending_.clear();
    if (!co_await read_more(deadline)) co_return;
  }
}

}  // namespace tapal
