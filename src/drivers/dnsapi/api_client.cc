#include "drivers/dnsapi/api_client.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/text/ascii.h"
#include "values/text/date.h"

namespace tapal::dnsapi {
namespace {

constexpr std::size_t words_bytes_max = 300;
constexpr std::size_t secret_bytes_min = 4;  // anything shorter would blank half of every text
constexpr int too_many_requests = 429;       // RFC 6585 section 4
constexpr int unavailable = 503;

bool may_repeat(const ApiCall& call) {
  return call.repeat == ApiCall::Repeat::harmless || call.method == "GET" || call.method == "PUT" ||
         call.method == "DELETE";
}

Code code_of_status(int status) {
  if (status == 401 || status == 403) return Code::denied;
  if (status == 404) return Code::not_found;
  if (status == too_many_requests) return Code::full;
  return status >= 500 || status < 300 ? Code::try_later : Code::invalid;
}

std::string_view hint(Code code) {
  switch (code) {
    case Code::denied: return " (are the credentials right, and do they reach this zone?)";
    case Code::full: return " (its rate limit is reached; try again later)";
    default: return "";
  }
}

void blank(std::string& text, std::string_view secret) {
  constexpr std::string_view stars = "***";
  if (secret.size() < secret_bytes_min) return;
  for (std::size_t at = text.find(secret); at != text.npos;
       at = text.find(secret, at + stars.size()))
    text.replace(at, secret.size(), stars);
}

}  // namespace

ApiClient::ApiClient(ApiDialect dialect, HttpClient& http, Clock& clock)
    : dialect_(std::move(dialect)), http_(http), clock_(clock) {}

std::unexpected<Error> ApiClient::fail(Code code, std::string_view what) const {
  std::string text = fmt::format("{}: {}", dialect_.provider, what);
  for (const auto& secret : dialect_.secrets) blank(text, secret);
  return tapal::fail(code, std::move(text));
}

HttpRequest ApiClient::request_of(const ApiCall& call) const {
  HttpRequest request;
  request.method = call.method;
  request.url = dialect_.base_url + call.target;
  request.headers = call.headers;
  request.headers.push_back({"User-Agent", "tapal"});
  request.body = call.body;
  request.response_bytes_max = response_bytes_max;
  return request;
}

// Seconds or a date (RFC 9110 section 10.2.3).
std::optional<std::chrono::seconds> ApiClient::wait_asked(const http::Response& response) const {
  constexpr std::int64_t seconds_max = 1'000'000;
  const auto text = text::trim(response.header("Retry-After"));
  if (const auto seconds = text::to_number<std::uint32_t>(text))
    return std::chrono::seconds(std::min<std::int64_t>(*seconds, seconds_max));
  const auto date = text::parse_rfc5322_date(text);
  if (text.empty() || !date) return std::nullopt;
  const auto span = std::chrono::ceil<std::chrono::seconds>(*date - clock_.wall_now());
  return std::clamp(span, std::chrono::seconds(0), std::chrono::seconds(seconds_max));
}

std::optional<ApiClient::Trouble> ApiClient::trouble_of(
    const ApiCall& call, const Result<http::Response>& response) const {
  Trouble trouble;
  if (!response) {
    const bool repeatable = may_repeat(call) || response.error().code == Code::try_later;
    trouble.again = repeatable && response.error().code != Code::invalid &&
                    response.error().code != Code::denied && response.error().code != Code::full;
    const bool is_settled = response.error().code == Code::invalid;
    trouble.error =
        fail(is_settled ? Code::invalid : Code::try_later, response.error().what).error();
    return trouble;
  }
  const auto refusal = dialect_.refusal ? dialect_.refusal(*response) : std::nullopt;
  const int status = response->status;
  const bool is_good = status >= 200 && status < 300;
  if (is_good && !refusal) return std::nullopt;
  auto words = refusal ? text::printable(refusal->words, words_bytes_max) : std::string();
  if (status >= 300 && status < 400) words = "it sends us elsewhere: is the URL of its API right?";
  const Code code = refusal && refusal->code ? *refusal->code : code_of_status(status);
  trouble.error = fail(code,
                       fmt::format("{}{}{}",
                                   is_good ? "" : fmt::format("{} ", status),
                                   words.empty() ? "without a reason" : words,
                                   hint(code)))
                      .error();
  trouble.wait = wait_asked(*response);
  trouble.again =
      code == Code::full || status == unavailable || (code == Code::try_later && may_repeat(call));
  return trouble;
}

Task<Result<http::Response>> ApiClient::send(Loop& loop, ApiCall call) {
  const Instant give_up = loop.now() + patience;
  for (int attempt = 1;; ++attempt) {
    HttpRequest request = request_of(call);
    if (dialect_.authorize) {
      TAPAL_CO_CHECK(dialect_.authorize(request));
    }
    auto response = co_await http_.send(loop, std::move(request));
    auto trouble = trouble_of(call, response);
    if (!trouble) co_return std::move(*response);
    const auto wait = trouble->wait.value_or(std::chrono::seconds(1U << (attempt - 1)));
    if (trouble->again && loop.now() + wait > give_up) {
      trouble->again = false;
      trouble->error.what += fmt::format("; it asks to wait {} s", wait.count());
    }
    if (!trouble->again || attempt == attempts_max) co_return std::unexpected(trouble->error);
    const auto timer = loop.make_timer();
    co_await timer->wait_until(loop.now() + wait);
  }
}

}  // namespace tapal::dnsapi
