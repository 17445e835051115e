#include "drivers/dnsapi/ovh_signature.h"

#include <chrono>

#include <fmt/format.h>

#include "drivers/dnsapi/json_call.h"
#include "values/crypto/sha1.h"
#include "values/text/hex.h"

namespace tapal::dnsapi {
namespace {

std::optional<Refusal> ovh_refusal(const http::Response& response) {
  if (response.status < 300) return std::nullopt;
  const auto answer = read_json(response.body).value_or(json::value());
  const auto words = text_at(answer, "message");
  if (words.empty()) return std::nullopt;
  const auto code = text_at(answer, "errorCode");
  Refusal refusal{code.empty() ? words : fmt::format("{} ({})", words, code), std::nullopt};
  if (code == "INVALID_SIGNATURE" || code == "INVALID_CREDENTIAL" || code == "INVALID_KEY" ||
      code == "QUERY_TIME_OUT")
    refusal.code = Code::denied;
  return refusal;
}

}  // namespace

bool ovh_has_not_granted(const http::Response& response) {
  const auto answer = read_json(response.body).value_or(json::value());
  return response.status == 403 && text_at(answer, "errorCode") == "NOT_GRANTED_CALL";
}

ApiDialect ovh_dialect(const AccountOptions& options, Clock& clock) {
  const auto application = options.given("application_key");
  const auto secret = options.given("application_secret");
  const auto consumer = options.given("consumer_key");
  ApiDialect dialect;
  dialect.provider = "OVHcloud";
  dialect.base_url = options.url;
  dialect.secrets = {secret, consumer};
  dialect.authorize =
      [application, secret, consumer, &clock](HttpRequest& request) -> Result<void> {
    const auto time = fmt::to_string(
        std::chrono::floor<std::chrono::seconds>(clock.wall_now().time_since_epoch()).count());
    const auto text = fmt::format(
        "{}+{}+{}+{}+{}+{}", secret, consumer, request.method, request.url, request.body, time);
    request.headers.push_back({"X-Ovh-Application", application});
    request.headers.push_back({"X-Ovh-Consumer", consumer});
    request.headers.push_back({"X-Ovh-Timestamp", time});
    request.headers.push_back({"X-Ovh-Signature", "$1$" + text::to_hex(crypto::sha1(text))});
    return {};
  };
  dialect.refusal = ovh_refusal;
  return dialect;
}

}  // namespace tapal::dnsapi
