#include "drivers/dnsapi/service_account.h"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "drivers/dnsapi/json_call.h"
#include "values/http/url.h"
#include "values/text/base64.h"
#include "values/text/percent.h"

namespace tapal::dnsapi {
namespace {

constexpr std::chrono::seconds claim_life{3600};   // the most there is
constexpr std::chrono::seconds token_margin{120};  // before its end another one is got

std::optional<Refusal> token_refusal(const http::Response& response) {
  if (response.status < 300) return std::nullopt;
  const auto answer = read_json(response.body).value_or(json::value());
  const auto error = text_at(answer, "error");
  if (error.empty()) return std::nullopt;
  // A claim is refused with 400: a wrong key, a deleted account, a clock that is off.
  return Refusal{fmt::format("{} ({})", text_at(answer, "error_description"), error), Code::denied};
}

ApiDialect token_dialect(const ServiceAccount& account) {
  ApiDialect dialect;
  dialect.provider = "Google";
  dialect.base_url = account.token_url;
  dialect.refusal = token_refusal;
  return dialect;
}

}  // namespace

Result<ServiceAccount> ServiceAccount::from_json(std::string_view text) {
  const auto file = read_json(text);
  if (!file || text_at(*file, "type") != "service_account")
    return tapal::fail(Code::invalid,
                       "this is not the JSON key file of a service account (\"type\": "
                       "\"service_account\")");
  ServiceAccount account{text_at(*file, "project_id"),
                         text_at(*file, "client_email"),
                         text_at(*file, "private_key_id"),
                         text_at(*file, "token_uri"),
                         nullptr};
  if (account.token_url.empty()) account.token_url = "https://oauth2.googleapis.com/token";
  if (account.project.empty() || account.email.empty())
    return tapal::fail(Code::invalid, "the key file lacks project_id or client_email");
  TAPAL_CHECK(http::parse_url(account.token_url));
  auto key = crypto::PrivateKey::from_pem(text_at(*file, "private_key"));
  if (!key || key->kind() != crypto::KeyKind::rsa)
    return tapal::fail(Code::invalid, "the key file's private_key is not an RSA key in PEM");
  account.key = std::make_shared<const crypto::PrivateKey>(std::move(*key));
  return account;
}

Result<ServiceAccount> ServiceAccount::from_file(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const auto facts = fs::status(path, error);
  if (error || !fs::is_regular_file(facts))
    return tapal::fail(Code::not_found, fmt::format("there is no key file {}", path));
  constexpr auto others = fs::perms::group_all | fs::perms::others_all;
  if ((facts.permissions() & others) != fs::perms::none)
    return tapal::fail(Code::denied, fmt::format("others may read {}: chmod 600 {}", path, path));
  std::ifstream stream(path, std::ios::binary);
  std::string text(key_file_bytes_max, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.empty()) return tapal::fail(Code::denied, fmt::format("cannot read {}", path));
  auto account = from_json(text);
  crypto::wipe(text);
  if (!account)
    return tapal::fail(account.error().code, fmt::format("{}: {}", path, account.error().what));
  return account;
}

Result<std::string> ServiceAccount::assertion(std::string_view scope, WallTime now) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  const json::object header{{"alg", "RS256"}, {"typ", "JWT"}, {"kid", key_id}};
  const json::object claim{{"iss", email},
                           {"scope", scope},
                           {"aud", token_url},
                           {"iat", seconds},
                           {"exp", seconds + claim_life.count()}};
  const auto text = fmt::format("{}.{}",
                                text::to_base64_url(json::serialize(header)),
                                text::to_base64_url(json::serialize(claim)));
  TAPAL_TRY(const auto signature, key->sign(crypto::sha256(text)));
  return fmt::format("{}.{}", text, text::to_base64_url(signature));
}

AccessTokens::AccessTokens(ServiceAccount account,
                           std::string scope,
                           HttpClient& http,
                           Clock& clock)
    : account_(std::move(account)),
      scope_(std::move(scope)),
      api_(token_dialect(account_), http, clock),
      clock_(clock) {}

Task<Result<std::string>> AccessTokens::current(Loop& loop) {
  if (!token_.empty() && clock_.now() < good_until_) co_return token_;
  TAPAL_CO_TRY(const auto assertion, account_.assertion(scope_, clock_.wall_now()));
  ApiCall call;
  call.method = "POST";
  call.headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
  call.body = fmt::format("grant_type={}&assertion={}",
                          text::percent_encoded("urn:ietf:params:oauth:grant-type:jwt-bearer"),
                          assertion);
  call.repeat = ApiCall::Repeat::harmless;
  TAPAL_CO_TRY(const auto answer, co_await send_json(api_, loop, std::move(call)));
  token_ = text_at(answer, "access_token");
  if (token_.empty()) co_return api_.fail(Code::try_later, "it gives no access token");
  good_until_ = clock_.now() + std::chrono::seconds(number_at(answer, "expires_in")) - token_margin;
  co_return token_;
}

}  // namespace tapal::dnsapi
