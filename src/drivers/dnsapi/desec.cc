// deSEC's API, version 1: whole record sets, several in one call that is done whole or not at all.
#include <fmt/format.h>

#include "drivers/dnsapi/json_call.h"
#include "drivers/dnsapi/providers.h"
#include "drivers/dnsapi/web_account.h"
#include "values/dns/rdata.h"

namespace tapal::dnsapi {
namespace {

// Of every zone, unless its support lowered it.
constexpr std::chrono::seconds desec_ttl_least{3600};

// {"detail": "Invalid token."}, or per field and per set what is wrong with it.
std::optional<Refusal> desec_refusal(const http::Response& response) {
  if (response.status < 300) return std::nullopt;
  const auto answer = read_json(response.body);
  if (!answer) return std::nullopt;
  const auto detail = text_at(*answer, "detail");
  return Refusal{detail.empty() ? json::serialize(*answer) : detail, std::nullopt};
}

class DesecAccount final : public SetAccount {
 public:
  using SetAccount::SetAccount;

 private:
  Task<Result<Zone>> look_up_zone(Loop& loop, std::string name) override {
    ApiCall call;
    call.target = fmt::format("/domains/{}/", name);
    TAPAL_CO_CHECK(co_await send_json(api_, loop, std::move(call)));
    co_return Zone{name, name};
  }

  Task<Result<dns::RecordSet>> read_set(Loop& loop, Place place) override {
    ApiCall call;
    call.target = fmt::format(
        "/domains/{}/rrsets/{}/{}/", place.zone.id, place.relative(), dns::type_text(place.type));
    dns::RecordSet set{place.name, place.type, {}, {}};
    const auto kept = co_await send_json(api_, loop, std::move(call));
    if (!kept && kept.error().code == Code::not_found) co_return set;
    if (!kept) co_return std::unexpected(kept.error());
    set.ttl = std::chrono::seconds(number_at(*kept, "ttl"));
    for (const auto& record : array_at(*kept, "records")) {
      const auto* content = record.if_string();
      auto data = data_from_content(place.type, content ? std::string_view(*content) : "");
      if (!data) co_return api_.fail(Code::internal, data.error().what);
      set.data.push_back(std::move(*data));
    }
    co_return set;
  }

  Task<Result<void>> put_sets(Loop& loop, Zone zone, std::vector<dns::RecordSet> sets) override {
    json::array wanted;
    for (const auto& set : sets) {
      json::array records;  // none: the set is removed
      for (const auto& data : set.data) records.emplace_back(dns::data_to_text(set.type, data));
      wanted.push_back({{"subname", relative_name(set.name, zone.name, "")},
                        {"type", dns::type_text(set.type)},
                        {"ttl", set.ttl.count()},
                        {"records", std::move(records)}});
    }
    auto call = json_call("PUT", fmt::format("/domains/{}/rrsets/", zone.id), wanted);
    TAPAL_CO_CHECK(co_await send_json(api_, loop, std::move(call)));
    co_return Result<void>();
  }
};

Result<std::unique_ptr<DnsAccount>> open_desec(const AccountOptions& options, const World& world) {
  const auto token = options.given("token");
  ApiDialect dialect;
  dialect.provider = "deSEC";
  dialect.base_url = options.url;
  dialect.secrets = {token};
  dialect.authorize = [token](HttpRequest& request) -> Result<void> {
    request.headers.push_back({"Authorization", "Token " + token});
    return {};
  };
  dialect.refusal = desec_refusal;
  return std::make_unique<DesecAccount>(ApiClient(std::move(dialect), world.http, world.clock),
                                        desec_provider().limits);
}

}  // namespace

Provider desec_provider() {
  return {.name = "desec",
          .title = "deSEC",
          .fields = {{"token", "a token of the account", {"DESEC_TOKEN", "DEDYN_TOKEN"}}},
          .scope = "a token with a policy that lets it write RRsets of this domain alone",
          .token_url = "https://desec.io/tokens",
          .url = "https://desec.io/api/v1",
          .limits = {.ttl_least = desec_ttl_least},
          .open = open_desec};
}

}  // namespace tapal::dnsapi
