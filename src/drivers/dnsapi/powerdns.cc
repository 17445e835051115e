// PowerDNS's API: whole record sets, all of one call in one transaction; contents as master files
// have them.
#include <fmt/format.h>

#include "drivers/dnsapi/json_call.h"
#include "drivers/dnsapi/providers.h"
#include "drivers/dnsapi/web_account.h"
#include "values/crypto/request_signature.h"
#include "values/dns/name.h"
#include "values/dns/rdata.h"
#include "values/text/ascii.h"

namespace tapal::dnsapi {
namespace {

constexpr std::string_view api_path = "/api/v1/servers/localhost";  // its only server is called so

std::optional<Refusal> powerdns_refusal(const http::Response& response) {
  if (response.status < 300) return std::nullopt;
  const auto answer = read_json(response.body);
  const auto words = answer ? text_at(*answer, "error") : response.body;  // "Unauthorized", bare
  return Refusal{std::string(text::trim(words)), std::nullopt};
}

class PowerDnsAccount final : public SetAccount {
 public:
  using SetAccount::SetAccount;

 private:
  Task<Result<Zone>> look_up_zone(Loop& loop, std::string name) override {
    ApiCall call;
    call.target = "/zones?zone=" + dns::absolute(name);
    TAPAL_CO_TRY(const auto answer, co_await send_json(api_, loop, std::move(call)));
    for (const auto& zone : array_of(answer))
      if (text_at(zone, "name") == dns::absolute(name)) co_return Zone{name, text_at(zone, "id")};
    co_return api_.fail(Code::not_found, fmt::format("no zone {}", name));
  }

  Task<Result<dns::RecordSet>> read_set(Loop& loop, Place place) override {
    const auto type = dns::type_text(place.type);
    std::vector<crypto::NamedValue> query;
    query.emplace_back("rrset_name", dns::absolute(place.name));
    query.emplace_back("rrset_type", type);
    ApiCall call;
    call.target =
        fmt::format("/zones/{}?{}", place.zone.id, crypto::canonical_query(std::move(query)));
    TAPAL_CO_TRY(const auto answer, co_await send_json(api_, loop, std::move(call)));
    dns::RecordSet set{place.name, place.type, {}, {}};
    for (const auto& kept : array_at(answer, "rrsets")) {
      // Versions before 4.6 do not know the filter and give all.
      const auto name = text::to_lower(text_at(kept, "name"));
      if (name != dns::absolute(place.name) || text_at(kept, "type") != type) continue;
      set.ttl = std::chrono::seconds(number_at(kept, "ttl"));
      for (const auto& record : array_at(kept, "records")) {
        if (value_at(record, "disabled") == json::value(true)) continue;
        auto data = data_from_content(place.type, text_at(record, "content"));
        if (!data) co_return api_.fail(Code::internal, data.error().what);
        set.data.push_back(std::move(*data));
      }
    }
    co_return set;
  }

  Task<Result<void>> put_sets(Loop& loop, Zone zone, std::vector<dns::RecordSet> sets) override {
    json::array changes;
    for (const auto& set : sets) {
      json::object change{{"name", dns::absolute(set.name)},
                          {"type", dns::type_text(set.type)},
                          {"ttl", set.ttl.count()},
                          {"changetype", set.data.empty() ? "DELETE" : "REPLACE"}};
      json::array records;
      for (const auto& data : set.data)
        records.push_back({{"content", dns::data_to_text(set.type, data)}, {"disabled", false}});
      change["records"] = std::move(records);
      changes.push_back(std::move(change));
    }
    const json::value body{{"rrsets", std::move(changes)}};
    auto call = json_call("PATCH", "/zones/" + zone.id, body);
    call.repeat = ApiCall::Repeat::harmless;
    TAPAL_CO_CHECK(co_await send_json(api_, loop, std::move(call)));
    co_return Result<void>();
  }
};

Result<std::unique_ptr<DnsAccount>> open_powerdns(const AccountOptions& options,
                                                  const World& world) {
  const auto key = options.given("key");
  ApiDialect dialect;
  dialect.provider = "PowerDNS";
  dialect.base_url = options.url;
  if (!options.url.contains("/servers/")) dialect.base_url += api_path;
  dialect.secrets = {key};
  dialect.authorize = [key](HttpRequest& request) -> Result<void> {
    request.headers.push_back({"X-API-Key", key});
    return {};
  };
  dialect.refusal = powerdns_refusal;
  return std::make_unique<PowerDnsAccount>(ApiClient(std::move(dialect), world.http, world.clock),
                                           powerdns_provider().limits);
}

}  // namespace

Provider powerdns_provider() {
  return {.name = "powerdns",
          .title = "PowerDNS",
          .fields = {{"key", "the server's api-key", {"PDNS_API_KEY", "PDNS_Token"}}},
          .scope = "the key may do everything there is: keep its API on loopback or behind TLS",
          .token_url = "https://doc.powerdns.com/authoritative/http-api/",
          .url = "http://127.0.0.1:8081",
          .limits = {},
          .open = open_powerdns};
}

}  // namespace tapal::dnsapi
