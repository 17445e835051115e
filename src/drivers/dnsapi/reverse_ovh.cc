// Names of addresses at OVHcloud, set in the block that has the address.
#include <fmt/format.h>

#include "drivers/dnsapi/json_call.h"
#include "drivers/dnsapi/ovh_signature.h"
#include "drivers/dnsapi/reverse_apis.h"
#include "values/text/percent.h"

namespace tapal::dnsapi {
namespace {

class OvhReverse final : public ReverseNames {
 public:
  explicit OvhReverse(ApiClient api) : api_(std::move(api)) {}

  Task<Result<void>> set(Loop& loop, IpAddress address, std::string host) override {
    TAPAL_CO_TRY(const auto block, co_await block_of(loop, address));
    const json::object body{{"ipReverse", address.text()}, {"reverse", host + "."}};
    auto call =
        json_call("POST", fmt::format("/ip/{}/reverse", text::percent_encoded(block)), body);
    call.repeat = ApiCall::Repeat::harmless;
    TAPAL_CO_CHECK(co_await send_json(api_, loop, std::move(call)));
    co_return Result<void>();
  }

 private:
  Task<Result<std::string>> block_of(Loop& loop, IpAddress address) {
    ApiCall call;
    call.target = "/ip?ip=" + text::percent_encoded(address.text());
    TAPAL_CO_TRY(const auto answer, co_await send_json(api_, loop, std::move(call)));
    for (const auto& block : array_of(answer)) {
      const auto* text = block.if_string();
      const auto network = text == nullptr ? std::nullopt : IpNetwork::from_text(*text);
      if (network && network->contains(address)) co_return std::string(*text);
    }
    co_return api_.fail(Code::not_found,
                        fmt::format("no block of this account has {}", address.text()));
  }

  ApiClient api_;
};

Result<std::unique_ptr<ReverseNames>> open_reverse_ovh(const AccountOptions& options,
                                                       const World& world) {
  return std::make_unique<OvhReverse>(
      ApiClient(ovh_dialect(options, world.clock), world.http, world.clock));
}

}  // namespace

ReverseApi ovh_reverse() {
  return {.name = "ovh",
          .title = "OVHcloud",
          .fields = ovh_provider().fields,
          .scope = "GET on /ip and POST on /ip/*/reverse",
          .token_url = "https://eu.api.ovh.com/createToken/",
          .url = "https://eu.api.ovh.com/1.0",
          .open = open_reverse_ovh};
}

}  // namespace tapal::dnsapi
