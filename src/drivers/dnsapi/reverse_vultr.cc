// Names of addresses at Vultr: set on the instance that has the address. It takes hours to show.
#include <fmt/format.h>

#include "drivers/dnsapi/json_call.h"
#include "drivers/dnsapi/reverse_apis.h"
#include "values/crypto/request_signature.h"

namespace tapal::dnsapi {
namespace {

constexpr int reverse_vultr_pages_max = 20;

std::optional<Refusal> reverse_vultr_refusal(const http::Response& response) {
  if (response.status < 300) return std::nullopt;
  const auto words = text_at(read_json(response.body).value_or(json::value()), "error");
  if (words.empty()) return std::nullopt;
  return Refusal{words, std::nullopt};
}

bool instance_has(const json::value& instance, const IpAddress& address) {
  if (IpAddress::from_text(text_at(instance, "main_ip")) == address) return true;
  const auto network = text_at(instance, "v6_network");
  const auto v6 =
      IpNetwork::from_text(fmt::format("{}/{}", network, number_at(instance, "v6_network_size")));
  return !network.empty() && v6 && v6->contains(address);
}

class VultrReverse final : public ReverseNames {
 public:
  explicit VultrReverse(ApiClient api) : api_(std::move(api)) {}

  Task<Result<void>> set(Loop& loop, IpAddress address, std::string host) override {
    TAPAL_CO_TRY(const auto id, co_await instance_of(loop, address));
    const json::object body{{"ip", address.text()}, {"reverse", host}};
    auto target = fmt::format("/instances/{}/{}/reverse", id, address.is_v4() ? "ipv4" : "ipv6");
    auto call = json_call("POST", std::move(target), body);
    call.repeat = ApiCall::Repeat::harmless;
    TAPAL_CO_CHECK(co_await send_json(api_, loop, std::move(call)));
    co_return Result<void>();
  }

 private:
  Task<Result<std::string>> instance_of(Loop& loop, IpAddress address) {
    std::string cursor;
    for (int page = 0; page < reverse_vultr_pages_max; ++page) {
      std::vector<crypto::NamedValue> parameters{{"per_page", "500"}};
      if (!cursor.empty()) parameters.emplace_back("cursor", cursor);
      ApiCall call;
      call.target = "/instances?" + crypto::canonical_query(std::move(parameters));
      TAPAL_CO_TRY(const auto answer, co_await send_json(api_, loop, std::move(call)));
      for (const auto& instance : array_at(answer, "instances"))
        if (instance_has(instance, address)) co_return text_at(instance, "id");
      cursor = text_at(value_at(value_at(answer, "meta"), "links"), "next");
      if (cursor.empty()) break;
    }
    co_return api_.fail(Code::not_found,
                        fmt::format("no instance of this account has {}", address.text()));
  }

  ApiClient api_;
};

Result<std::unique_ptr<ReverseNames>> open_reverse_vultr(const AccountOptions& options,
                                                         const World& world) {
  const auto token = options.given("token");
  ApiDialect dialect;
  dialect.provider = "Vultr";
  dialect.base_url = options.url;
  dialect.secrets = {token};
  dialect.authorize = [token](HttpRequest& request) -> Result<void> {
    request.headers.push_back({"Authorization", "Bearer " + token});
    return {};
  };
  dialect.refusal = reverse_vultr_refusal;
  return std::make_unique<VultrReverse>(ApiClient(std::move(dialect), world.http, world.clock));
}

}  // namespace

ReverseApi vultr_reverse() {
  return {.name = "vultr",
          .title = "Vultr",
          .fields = {{"token", "an API key", {"VULTR_API_KEY"}}},
          .scope =
              "a key of a sub-user who may manage servers; allow this machine's addresses "
              "under \"Access Control\"",
          .token_url = "https://my.vultr.com/settings/#settingsapi",
          .url = "https://api.vultr.com/v2",
          .open = open_reverse_vultr};
}

}  // namespace tapal::dnsapi
