// Names of addresses at Contabo: a token for five minutes by the API user's password, and a call
// with an id of its own.
#include <fmt/format.h>

#include "drivers/dnsapi/json_call.h"
#include "drivers/dnsapi/reverse_apis.h"
#include "values/crypto/request_signature.h"
#include "values/text/hex.h"

namespace tapal::dnsapi {
namespace {

constexpr const char* token_url =
    "https://auth.contabo.com/auth/realms/contabo/protocol/openid-connect/token";

std::optional<Refusal> reverse_contabo_refusal(const http::Response& response) {
  if (response.status < 300) return std::nullopt;
  const auto answer = read_json(response.body).value_or(json::value());
  for (const auto* key : {"message", "error_description"})
    if (const auto words = text_at(answer, key); !words.empty())
      return Refusal{
          words,
          text_at(answer, "error") == "invalid_grant" ? std::optional(Code::denied) : std::nullopt};
  return std::nullopt;
}

// Version 4 (RFC 9562 section 5.4).
std::string new_uuid(Random& random) {
  auto bytes = random.bytes(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  const auto hex = text::to_hex(bytes);
  return fmt::format("{}-{}-{}-{}-{}",
                     hex.substr(0, 8),
                     hex.substr(8, 4),
                     hex.substr(12, 4),
                     hex.substr(16, 4),
                     hex.substr(20));
}

class ContaboReverse final : public ReverseNames {
 public:
  ContaboReverse(ApiClient tokens, ApiClient api, std::string login, Random& random)
      : tokens_(std::move(tokens)),
        api_(std::move(api)),
        login_(std::move(login)),
        random_(random) {}

  Task<Result<void>> set(Loop& loop, IpAddress address, std::string host) override {
    TAPAL_CO_TRY(const auto token, co_await new_token(loop));
    const auto done = co_await put(loop, token, address, host);
    // An IPv6 address has no name at first, one of IPv4 always has.
    if (done || done.error().code != Code::not_found || address.is_v4()) co_return done;
    const json::object body{{"ip", address.text()}, {"ptr", host}};
    auto call = json_call("POST", "/v1/dns/ptrs", body);
    co_return co_await send(loop, std::move(call), token);
  }

 private:
  Task<Result<std::string>> new_token(Loop& loop) {
    ApiCall call;
    call.method = "POST";
    call.headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
    call.body = login_;
    call.repeat = ApiCall::Repeat::harmless;
    TAPAL_CO_TRY(const auto answer, co_await send_json(tokens_, loop, std::move(call)));
    auto token = text_at(answer, "access_token");
    if (token.empty()) co_return tokens_.fail(Code::try_later, "it gives no access token");
    co_return token;
  }
  Task<Result<void>> put(Loop& loop, std::string token, IpAddress address, std::string host) {
    const json::object body{{"ptr", host}};
    auto call = json_call("PUT", "/v1/dns/ptrs/" + address.text(), body);
    co_return co_await send(loop, std::move(call), std::move(token));
  }
  Task<Result<void>> send(Loop& loop, ApiCall call, std::string token) {
    call.headers.push_back({"Authorization", "Bearer " + token});
    call.headers.push_back({"x-request-id", new_uuid(random_)});
    TAPAL_CO_CHECK(co_await send_json(api_, loop, std::move(call)));
    co_return Result<void>();
  }

  ApiClient tokens_;
  ApiClient api_;
  std::string login_;  // the form that a token is asked for with
  Random& random_;
};

Result<std::unique_ptr<ReverseNames>> open_reverse_contabo(const AccountOptions& options,
                                                           const World& world) {
  ApiDialect dialect;
  dialect.provider = "Contabo";
  dialect.base_url = options.url;
  dialect.secrets = {options.given("client_secret"), options.given("api_password")};
  dialect.refusal = reverse_contabo_refusal;
  auto tokens = dialect;
  tokens.base_url = token_url;
  auto login = crypto::canonical_query({{"client_id", options.given("client_id")},
                                        {"client_secret", options.given("client_secret")},
                                        {"username", options.given("api_user")},
                                        {"password", options.given("api_password")},
                                        {"grant_type", "password"}});
  return std::make_unique<ContaboReverse>(ApiClient(std::move(tokens), world.http, world.clock),
                                          ApiClient(std::move(dialect), world.http, world.clock),
                                          std::move(login),
                                          world.random);
}

}  // namespace

ReverseApi contabo_reverse() {
  using Kind = CredentialField::Kind;
  return {
      .name = "contabo",
      .title = "Contabo",
      .fields = {{"client_id", "the client id of the API", {"CONTABO_CLIENT_ID"}, Kind::plain},
                 {"client_secret", "its secret", {"CONTABO_CLIENT_SECRET"}},
                 {"api_user", "the API user, an e-mail address", {"CONTABO_API_USER"}, Kind::plain},
                 {"api_password", "the API user's password", {"CONTABO_API_PASSWORD"}}},
      .scope = "a user of its own (panel > Users) with the role \"DNS\" alone",
      .token_url = "https://my.contabo.com/api/details",
      .url = "https://api.contabo.com",
      .open = open_reverse_contabo};
}

}  // namespace tapal::dnsapi
