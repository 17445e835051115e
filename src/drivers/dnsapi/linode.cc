// Linode's (Akamai's) API, version 4: single records with an id each, listed by the whole zone
// only. TTLs are rounded to some of its own; SRV is for the zone itself only; it has no TLSA.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "drivers/dnsapi/json_call.h"
#include "drivers/dnsapi/plain_content.h"
#include "drivers/dnsapi/providers.h"
#include "drivers/dnsapi/web_account.h"
#include "values/dns/rdata_fields.h"
#include "values/text/ascii.h"

namespace tapal::dnsapi {
namespace {

constexpr auto linode_ranked = PlainContent::Ranked::mx;
constexpr std::size_t linode_page_records = 500;  // the most it gives
constexpr int linode_pages_max = 40;
constexpr std::chrono::seconds default_ttl{86'400};

std::optional<Refusal> linode_refusal(const http::Response& response) {
  if (response.status < 300) return std::nullopt;
  const auto answer = read_json(response.body).value_or(json::value());
  Refusal refusal;
  for (const auto& error : array_at(answer, "errors")) {
    const auto field = text_at(error, "field");
    refusal.words += fmt::format("{}{}{}{}",
                                 refusal.words.empty() ? "" : "; ",
                                 field,
                                 field.empty() ? "" : ": ",
                                 text_at(error, "reason"));
  }
  return refusal.words.empty() ? std::nullopt : std::optional(refusal);
}

// The TTL it makes of another: the next longer one that it knows.
std::chrono::seconds kept_ttl(std::chrono::seconds ttl) {
  constexpr std::array known = {300,
                                3'600,
                                7'200,
                                14'400,
                                28'800,
                                57'600,
                                86'400,
                                172'800,
                                345'600,
                                604'800,
                                1'209'600,
                                2'419'200};
  const auto* found = std::ranges::lower_bound(known, ttl.count());
  return std::chrono::seconds(found == known.end() ? known.back() : *found);
}

// "_submissions._tcp" in its two parts, which have fields of their own.
Result<json::object> service_body(const Place& place, const dns::Data& data) {
  TAPAL_TRY(const auto service, dns::service_from_data(data));
  const auto name = place.relative("");
  const auto parts = text::split(name, '.');
  if (parts.size() != 2 || !parts[0].starts_with('_') || !parts[1].starts_with('_'))
    return tapal::fail(Code::invalid,
                       fmt::format("{} SRV: Linode has SRV records of a zone itself only: "
                                   "_service._tcp.{}",
                                   place.name,
                                   place.zone.name));
  return json::object{{"service", parts[0].substr(1)},
                      {"protocol", parts[1].substr(1)},
                      {"target", service.target},
                      {"priority", service.priority},
                      {"weight", service.weight},
                      {"port", service.port}};
}

Result<json::object> linode_body(const Place& place, const KeptRecord& record) {
  json::object body;
  if (place.type == dns::Type::srv) {
    TAPAL_TRY(body, service_body(place, record.data));
  } else if (place.type == dns::Type::caa) {
    TAPAL_TRY(const auto issue, dns::authorization_from_data(record.data));
    if (issue.flags != 0)
      return tapal::fail(Code::invalid, "Linode has no flags in its CAA records");
    body = {{"name", place.relative("")}, {"tag", issue.tag}, {"target", issue.value}};
  } else {
    const auto plain = plain_content(place.type, record.data, linode_ranked);
    body = {{"name", place.relative("")}, {"target", plain.content}};
    if (place.type == dns::Type::mx) body["priority"] = plain.priority;
  }
  body["ttl_sec"] = record.ttl.count();
  return body;
}

Result<dns::Data> linode_data(dns::Type type, const json::value& record) {
  auto target = text_at(record, "target");
  if (type == dns::Type::caa)
    return dns::to_data(dns::Authorization{0, text_at(record, "tag"), target});
  if (type == dns::Type::srv)
    target = fmt::format("{} {} {} {}",
                         number_at(record, "priority"),
                         number_at(record, "weight"),
                         number_at(record, "port"),
                         target.empty() ? "." : target);
  const PlainContent plain{std::move(target), number_at(record, "priority")};
  return data_from_plain(type, plain, linode_ranked);
}

class LinodeAccount final : public RecordAccount {
 public:
  using RecordAccount::RecordAccount;

 private:
  static std::string records_of(const Zone& zone) {
    return fmt::format("/domains/{}/records", zone.id);
  }

  Task<Result<Zone>> look_up_zone(Loop& loop, std::string name) override {
    ApiCall call;
    call.target = "/domains";
    const json::object filter{{"domain", name}};
    call.headers.push_back({"X-Filter", json::serialize(filter)});
    TAPAL_CO_TRY(const auto answer, co_await send_json(api_, loop, std::move(call)));
    for (const auto& domain : array_at(answer, "data"))
      if (text_at(domain, "domain") == name && text_at(domain, "type") == "master")
        co_return Zone{name, text_at(domain, "id")};
    co_return api_.fail(Code::not_found, fmt::format("no domain {}", name));
  }

  Task<Result<std::vector<KeptRecord>>> list(Loop& loop, Place place) override {
    std::vector<KeptRecord> records;
    for (int page = 1; page <= linode_pages_max; ++page) {
      ApiCall call;
      call.target =
          fmt::format("{}?page={}&page_size={}", records_of(place.zone), page, linode_page_records);
      TAPAL_CO_TRY(const auto answer, co_await send_json(api_, loop, std::move(call)));
      for (const auto& record : array_at(answer, "data")) {
        if (!text::equals_ignoring_case(text_at(record, "name"), place.relative("")) ||
            text_at(record, "type") != dns::type_text(place.type))
          continue;
        auto data = linode_data(place.type, record);
        if (!data) co_return api_.fail(Code::internal, data.error().what);
        const std::chrono::seconds ttl(number_at(record, "ttl_sec"));
        records.push_back(
            {text_at(record, "id"), ttl.count() == 0 ? default_ttl : ttl, std::move(*data)});
      }
      if (number_at(answer, "pages") <= page) co_return records;
    }
    co_return api_.fail(Code::invalid, fmt::format("the zone {} is too large", place.zone.name));
  }

  std::chrono::seconds ttl_kept_for(std::chrono::seconds ttl) const override {
    return kept_ttl(ttl);
  }
  Task<Result<void>> add(Loop& loop, Place place, KeptRecord record) override {
    TAPAL_CO_TRY(auto body, linode_body(place, record));
    body["type"] = dns::type_text(place.type);
    auto call = json_call("POST", records_of(place.zone), body);
    TAPAL_CO_CHECK(co_await send_json(api_, loop, std::move(call)));
    co_return Result<void>();
  }
  Task<Result<void>> change(Loop& loop, Place place, KeptRecord record) override {
    TAPAL_CO_TRY(const auto body, linode_body(place, record));
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
};

Result<std::unique_ptr<DnsAccount>> open_linode(const AccountOptions& options, const World& world) {
  const auto token = options.given("token");
  ApiDialect dialect;
  dialect.provider = "Linode";
  dialect.base_url = options.url;
  dialect.secrets = {token};
  dialect.authorize = [token](HttpRequest& request) -> Result<void> {
    request.headers.push_back({"Authorization", "Bearer " + token});
    return {};
  };
  dialect.refusal = linode_refusal;
  return std::make_unique<LinodeAccount>(ApiClient(std::move(dialect), world.http, world.clock),
                                         linode_provider().limits);
}

}  // namespace

Provider linode_provider() {
  return {.name = "linode",
          .title = "Linode (Akamai)",
          .fields = {{"token", "a personal access token", {"LINODE_TOKEN"}}},
          .scope = "Domains: Read/Write (for reverse DNS also IPs: Read/Write)",
          .token_url = "https://cloud.linode.com/profile/tokens",
          .url = "https://api.linode.com/v4",
          .limits = {.unsupported = {dns::Type::tlsa}, .ttl_least = std::chrono::seconds(300)},
          .open = open_linode};
}

}  // namespace tapal::dnsapi
