// OVHcloud's API, version 1: single records with an id each, which come into force when the zone is
// refreshed. Each request bears "$1$" and a SHA-1 over it and two secrets.
#include <array>

#include <fmt/format.h>

#include "drivers/dnsapi/json_call.h"
#include "drivers/dnsapi/ovh_signature.h"
#include "drivers/dnsapi/providers.h"
#include "drivers/dnsapi/web_account.h"
#include "values/crypto/request_signature.h"
#include "values/dns/rdata.h"

namespace tapal::dnsapi {
namespace {

constexpr std::size_t records_max = 100;  // of one name and type; each is a call of its own

// Its forms for mail make records of types of their own, which are TXT in DNS.
constexpr std::array text_types = {"TXT", "SPF", "DKIM", "DMARC"};

class OvhAccount final : public RecordAccount {
 public:
  OvhAccount(ApiClient api, ApiClient lookups, DnsAccountLimits limits)
      : RecordAccount(std::move(api), std::move(limits)), lookups_(std::move(lookups)) {}

 private:
  static std::string records_of(const Zone& zone) {
    return fmt::format("/domain/zone/{}/record", zone.name);
  }

  Task<Result<Zone>> look_up_zone(Loop& loop, std::string name) override {
    ApiCall call;
    call.target = "/domain/zone/" + name;
    TAPAL_CO_CHECK(co_await send_json(lookups_, loop, std::move(call)));
    co_return Zone{name, name};
  }

  Task<Result<std::vector<std::string>>> ids(Loop& loop, Place place, std::string type) {
    std::vector<crypto::NamedValue> query;
    query.emplace_back("fieldType", std::move(type));
    query.emplace_back("subDomain", place.relative(""));
    ApiCall call;
    call.target =
        fmt::format("{}?{}", records_of(place.zone), crypto::canonical_query(std::move(query)));
    TAPAL_CO_TRY(const auto answer, co_await send_json(api_, loop, std::move(call)));
    std::vector<std::string> found;
    for (const auto& id : array_of(answer)) found.push_back(json::serialize(id));
    co_return found;
  }

  Task<Result<std::vector<KeptRecord>>> list(Loop& loop, Place place) override {
    std::vector<std::string> all;
    const std::size_t types = place.type == dns::Type::txt ? text_types.size() : 1;
    for (std::size_t i = 0; i < types; ++i) {
      std::string type =
          place.type == dns::Type::txt ? std::string(text_types[i]) : dns::type_text(place.type);
      TAPAL_CO_TRY(const auto found, co_await ids(loop, place, std::move(type)));
      all.insert(all.end(), found.begin(), found.end());
    }
    if (all.size() > records_max)
      co_return api_.fail(Code::invalid, fmt::format("{} has {} records", place.name, all.size()));
    std::vector<KeptRecord> records;
    for (auto& id : all) {
      ApiCall call;
      call.target = fmt::format("{}/{}", records_of(place.zone), id);
      TAPAL_CO_TRY(const auto record, co_await send_json(api_, loop, std::move(call)));
      const auto content = text_at(record, "target");
      auto data = place.type == dns::Type::txt
                      ? Result<dns::Data>(dns::Text{text_from_content(content)})
                      : data_from_content(place.type, content);
      if (!data) co_return api_.fail(Code::internal, data.error().what);
      const std::chrono::seconds ttl(number_at(record, "ttl"));  // 0: the zone's own
      records.push_back({std::move(id), ttl, std::move(*data)});
    }
    co_return records;
  }

  Task<Result<void>> add(Loop& loop, Place place, KeptRecord record) override {
    const json::object body{{"fieldType", dns::type_text(place.type)},
                            {"subDomain", place.relative("")},
                            {"target", dns::data_to_text(place.type, record.data)},
                            {"ttl", record.ttl.count()}};
    auto call = json_call("POST", records_of(place.zone), body);
    TAPAL_CO_CHECK(co_await send_json(api_, loop, std::move(call)));
    co_return Result<void>();
  }
  Task<Result<void>> change(Loop& loop, Place place, KeptRecord record) override {
    // The type is left as it is: it cannot be changed, nor be one of those for mail.
    const json::object body{{"subDomain", place.relative("")},
                            {"target", dns::data_to_text(place.type, record.data)},
                            {"ttl", record.ttl.count()}};
    auto call = json_call("PUT", fmt::format("{}/{}", records_of(place.zone), record.id), body);
    TAPAL_CO_CHECK(co_await send_json(api_, loop, std::move(call)));
    co_return Result<void>();
  }
  Task<Result<void>> remove(Loop& loop, Place place, KeptRecord record) override {
    ApiCall call;
    call.method = "DELETE";
    call.target = fmt::format("{}/{}", records_of(place.zone), record.id);
    const auto gone = co_await send_json(api_, loop, std::move(call));
    if (!gone && gone.error().code != Code::not_found) co_return std::unexpected(gone.error());
    co_return Result<void>();
  }
  Task<Result<void>> put_in_force(Loop& loop, Zone zone) override {
    ApiCall call;
    call.method = "POST";
    call.target = fmt::format("/domain/zone/{}/refresh", zone.name);
    call.repeat = ApiCall::Repeat::harmless;
    TAPAL_CO_CHECK(co_await send_json(api_, loop, std::move(call)));
    co_return Result<void>();
  }

  ApiClient lookups_;  // of zones
};

// Credentials for one zone alone may not even ask for another: it is not theirs.
ApiDialect lookup_dialect(const AccountOptions& options, Clock& clock) {
  auto dialect = ovh_dialect(options, clock);
  dialect.refusal = [usual = std::move(dialect.refusal)](const http::Response& response) {
    auto refusal = usual(response);
    if (refusal && ovh_has_not_granted(response)) refusal->code = Code::not_found;
    return refusal;
  };
  return dialect;
}

Result<std::unique_ptr<DnsAccount>> open_ovh(const AccountOptions& options, const World& world) {
  return std::make_unique<OvhAccount>(
      ApiClient(ovh_dialect(options, world.clock), world.http, world.clock),
      ApiClient(lookup_dialect(options, world.clock), world.http, world.clock),
      ovh_provider().limits);
}

}  // namespace

Provider ovh_provider() {
  return {.name = "ovh",
          .title = "OVHcloud",
          .fields = {{"application_key",
                      "the application's key",
                      {"OVH_APPLICATION_KEY", "OVH_AK"},
                      CredentialField::Kind::plain},
                     {"application_secret",
                      "the application's secret",
                      {"OVH_APPLICATION_SECRET", "OVH_AS"}},
                     {"consumer_key",
                      "the consumer key that was granted the rights",
                      {"OVH_CONSUMER_KEY", "OVH_CK"}}},
          .scope =
              "GET, POST, PUT and DELETE on /domain/zone/<your domain>/*, and GET on "
              "/domain/zone/<your domain>; for reverse DNS GET on /ip and POST on /ip/*/reverse",
          .token_url = "https://eu.api.ovh.com/createToken/",
          .url = "https://eu.api.ovh.com/1.0",
          .limits = {.ttl_least = std::chrono::seconds(60)},
          .open = open_ovh};
}

}  // namespace tapal::dnsapi
