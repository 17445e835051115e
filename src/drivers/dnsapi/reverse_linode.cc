// Names of addresses at Linode (Akamai). It refuses a name that does not point to the address yet.
#include <fmt/format.h>

#include "drivers/dnsapi/json_call.h"
#include "drivers/dnsapi/reverse_apis.h"

namespace tapal::dnsapi {
namespace {

std::optional<Refusal> reverse_linode_refusal(const http::Response& response) {
  if (response.status < 300) return std::nullopt;
  const auto answer = read_json(response.body).value_or(json::value());
  std::string words;
  for (const auto& error : array_at(answer, "errors"))
    words += fmt::format("{}{}", words.empty() ? "" : "; ", text_at(error, "reason"));
  if (words.empty()) return std::nullopt;
  return Refusal{words, std::nullopt};
}

class LinodeReverse final : public ReverseNames {
 public:
  explicit LinodeReverse(ApiClient api) : api_(std::move(api)) {}

  Task<Result<void>> set(Loop& loop, IpAddress address, std::string host) override {
    const json::object body{{"rdns", host}};
    auto call = json_call("PUT", "/networking/ips/" + address.text(), body);
    TAPAL_CO_CHECK(co_await send_json(api_, loop, std::move(call)));
    co_return Result<void>();
  }

 private:
  ApiClient api_;
};

Result<std::unique_ptr<ReverseNames>> open_reverse_linode(const AccountOptions& options,
                                                          const World& world) {
  const auto token = options.given("token");
  ApiDialect dialect;
  dialect.provider = "Linode";
  dialect.base_url = options.url;
  dialect.secrets = {token};
  dialect.authorize = [token](HttpRequest& request) -> Result<void> {
    request.headers.push_back({"Authorization", "Bearer " + token});
    return {};
  };
  dialect.refusal = reverse_linode_refusal;
  return std::make_unique<LinodeReverse>(ApiClient(std::move(dialect), world.http, world.clock));
}

}  // namespace

ReverseApi linode_reverse() {
  return {.name = "linode",
          .title = "Linode (Akamai)",
          .fields = {{"token", "a personal access token", {"LINODE_TOKEN"}}},
          .scope = "IPs: Read/Write",
          .token_url = "https://cloud.linode.com/profile/tokens",
          .url = "https://api.linode.com/v4",
          .open = open_reverse_linode};
}

}  // namespace tapal::dnsapi
