// Names of addresses at Hetzner Cloud: an action on the server that has the address. Of IPv6 a
// server has a /64, and each address in it a name of its own.
#include <fmt/format.h>

#include "drivers/dnsapi/json_call.h"
#include "drivers/dnsapi/reverse_apis.h"

namespace tapal::dnsapi {
namespace {

constexpr int page_servers = 50;  // the most it gives
constexpr int reverse_hetzner_pages_max = 20;

std::optional<Refusal> reverse_hetzner_refusal(const http::Response& response) {
  if (response.status < 300) return std::nullopt;
  const auto answer = read_json(response.body).value_or(json::value());
  const auto& error = value_at(answer, "error");
  const auto words = text_at(error, "message");
  if (words.empty()) return std::nullopt;
  return Refusal{fmt::format("{} ({})", words, text_at(error, "code")), std::nullopt};
}

bool server_has(const json::value& server, const IpAddress& address) {
  const auto& net = value_at(server, "public_net");
  const auto v4 = IpAddress::from_text(text_at(value_at(net, "ipv4"), "ip"));
  const auto v6 = IpNetwork::from_text(text_at(value_at(net, "ipv6"), "ip"));
  return v4 == address || (v6 && v6->contains(address));
}

class HetznerReverse final : public ReverseNames {
 public:
  explicit HetznerReverse(ApiClient api) : api_(std::move(api)) {}

  Task<Result<void>> set(Loop& loop, IpAddress address, std::string host) override {
    TAPAL_CO_TRY(const auto id, co_await server_of(loop, address));
    const json::object body{{"ip", address.text()}, {"dns_ptr", host}};
    auto call = json_call("POST", fmt::format("/servers/{}/actions/change_dns_ptr", id), body);
    call.repeat = ApiCall::Repeat::harmless;
    TAPAL_CO_TRY(const auto answer, co_await send_json(api_, loop, std::move(call)));
    const auto& action = value_at(answer, "action");
    if (text_at(action, "status") == "error")
      co_return api_.fail(Code::try_later, text_at(value_at(action, "error"), "message"));
    co_return Result<void>();
  }

 private:
  Task<Result<std::string>> server_of(Loop& loop, IpAddress address) {
    for (int page = 1; page > 0 && page <= reverse_hetzner_pages_max;) {
      ApiCall call;
      call.target = fmt::format("/servers?page={}&per_page={}", page, page_servers);
      TAPAL_CO_TRY(const auto answer, co_await send_json(api_, loop, std::move(call)));
      for (const auto& server : array_at(answer, "servers"))
        if (server_has(server, address)) co_return text_at(server, "id");
      const auto& paging = value_at(value_at(answer, "meta"), "pagination");
      page = static_cast<int>(
          std::min<std::int64_t>(number_at(paging, "next_page"), reverse_hetzner_pages_max + 1));
    }
    co_return api_.fail(Code::not_found,
                        fmt::format("no server of this project has {}; is the token of another "
                                    "project?",
                                    address.text()));
  }

  ApiClient api_;
};

Result<std::unique_ptr<ReverseNames>> open_reverse_hetzner(const AccountOptions& options,
                                                           const World& world) {
  const auto token = options.given("token");
  ApiDialect dialect;
  dialect.provider = "Hetzner Cloud";
  dialect.base_url = options.url;
  dialect.secrets = {token};
  dialect.authorize = [token](HttpRequest& request) -> Result<void> {
    request.headers.push_back({"Authorization", "Bearer " + token});
    return {};
  };
  dialect.refusal = reverse_hetzner_refusal;
  return std::make_unique<HetznerReverse>(ApiClient(std::move(dialect), world.http, world.clock));
}

}  // namespace

ReverseApi hetzner_reverse() {
  return {.name = "hetzner",
          .title = "Hetzner Cloud",
          .fields = {{"token", "an API token of the server's project", {"HCLOUD_TOKEN"}}},
          .scope = "Read & Write, in the project that has the server",
          .token_url = "https://console.hetzner.com/projects",
          .url = "https://api.hetzner.cloud/v1",
          .open = open_reverse_hetzner};
}

}  // namespace tapal::dnsapi
