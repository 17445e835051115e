// DigitalOcean's API, version 2: single records with an id each; names relative, targets with a
// final dot on their way in and without one on their way out.
#include <fmt/format.h>

#include "drivers/dnsapi/json_call.h"
#include "drivers/dnsapi/providers.h"
#include "drivers/dnsapi/web_account.h"
#include "values/crypto/request_signature.h"
#include "values/dns/name.h"
#include "values/dns/rdata.h"
#include "values/dns/rdata_fields.h"

namespace tapal::dnsapi {
namespace {

constexpr std::size_t digitalocean_page_records = 200;  // the most it gives
constexpr int digitalocean_pages_max = 50;
constexpr std::chrono::seconds digitalocean_ttl_least{30};
constexpr std::size_t text_bytes_max = 512;  // of what it calls "data"

std::optional<Refusal> digitalocean_refusal(const http::Response& response) {
  if (response.status < 300) return std::nullopt;
  const auto answer = read_json(response.body).value_or(json::value());
  const auto words = text_at(answer, "message");
  return words.empty() ? std::nullopt : std::optional(Refusal{words, std::nullopt});
}

Result<json::object> digitalocean_body(const Place& place, const KeptRecord& record) {
  json::object body{{"type", dns::type_text(place.type)},
                    {"name", place.relative()},
                    {"ttl", record.ttl.count()}};
  const auto& data = record.data;
  if (place.type == dns::Type::srv) {
    TAPAL_TRY(const auto service, dns::service_from_data(data));
    body["priority"] = service.priority;
    body["weight"] = service.weight;
    body["port"] = service.port;
    body["data"] = dns::absolute(service.target);
  } else if (place.type == dns::Type::caa) {
    TAPAL_TRY(const auto issue, dns::authorization_from_data(data));
    if (issue.value.contains(';'))
      return fail(Code::invalid, "DigitalOcean takes no CAA record with a \";\" in its value");
    body["flags"] = issue.flags;
    body["tag"] = issue.tag;
    body["data"] = dns::absolute(issue.value);
  } else if (const auto* exchange = std::get_if<dns::MailExchange>(&data)) {
    body["priority"] = exchange->preference;
    body["data"] = dns::absolute(exchange->exchange);
  } else if (const auto* text = std::get_if<dns::Text>(&data)) {
    body["data"] = text->value;
  } else {
    body["data"] = dns::data_to_text(place.type, data);
  }
  return body;
}

Result<dns::Data> digitalocean_data(const Place& place, const json::value& record) {
  auto data = text_at(record, "data");
  if (place.type == dns::Type::txt) return dns::Text{text_from_content(data)};
  if (place.type == dns::Type::caa) {
    if (data.ends_with('.')) data.pop_back();
    return dns::to_data(
        dns::Authorization{static_cast<std::uint8_t>(number_at(record, "flags") & 0xff),
                           text_at(record, "tag"),
                           data});
  }
  if (data == "@") data = dns::absolute(place.zone.name);
  if (data.empty()) data = ".";  // as a null MX may come back
  if (place.type == dns::Type::mx) data = fmt::format("{} {}", number_at(record, "priority"), data);
  if (place.type == dns::Type::srv)
    data = fmt::format("{} {} {} {}",
                       number_at(record, "priority"),
                       number_at(record, "weight"),
                       number_at(record, "port"),
                       data);
  return data_from_content(place.type, data);
}

class DigitalOceanAccount final : public RecordAccount {
 public:
  using RecordAccount::RecordAccount;

 private:
  Task<Result<Zone>> look_up_zone(Loop& loop, std::string name) override {
    ApiCall call;
    call.target = "/domains/" + name;
    TAPAL_CO_CHECK(co_await send_json(api_, loop, std::move(call)));
    co_return Zone{name, name};
  }

  Task<Result<std::vector<KeptRecord>>> list(Loop& loop, Place place) override {
    std::vector<KeptRecord> records;
    for (int page = 1; page <= digitalocean_pages_max; ++page) {
      std::vector<crypto::NamedValue> query;
      query.emplace_back("name", place.name);
      query.emplace_back("page", std::to_string(page));
      query.emplace_back("per_page", std::to_string(digitalocean_page_records));
      query.emplace_back("type", dns::type_text(place.type));
      ApiCall call;
      call.target = fmt::format(
          "/domains/{}/records?{}", place.zone.id, crypto::canonical_query(std::move(query)));
      TAPAL_CO_TRY(const auto answer, co_await send_json(api_, loop, std::move(call)));
      const auto& found = array_at(answer, "domain_records");
      for (const auto& record : found) {
        auto data = digitalocean_data(place, record);
        if (!data) co_return api_.fail(Code::internal, data.error().what);
        const std::chrono::seconds ttl(number_at(record, "ttl"));
        records.push_back({text_at(record, "id"), ttl, std::move(*data)});
      }
      if (found.size() < digitalocean_page_records) break;
    }
    co_return records;
  }

  Task<Result<void>> put(Loop& loop, std::string method, Place place, KeptRecord record) {
    TAPAL_CO_TRY(const auto body, digitalocean_body(place, record));
    auto target = fmt::format("/domains/{}/records", place.zone.id);
    if (!record.id.empty()) target += "/" + record.id;
    auto call = json_call(std::move(method), std::move(target), body);
    TAPAL_CO_CHECK(co_await send_json(api_, loop, std::move(call)));
    co_return Result<void>();
  }
  Task<Result<void>> add(Loop& loop, Place place, KeptRecord record) override {
    return put(loop, "POST", std::move(place), std::move(record));
  }
  Task<Result<void>> change(Loop& loop, Place place, KeptRecord record) override {
    return put(loop, "PUT", std::move(place), std::move(record));
  }
  Task<Result<void>> remove(Loop& loop, Place place, KeptRecord record) override {
    ApiCall call;
    call.method = "DELETE";
    call.target = fmt::format("/domains/{}/records/{}", place.zone.id, record.id);
    const auto gone = co_await send_json(api_, loop, std::move(call));
    if (!gone && gone.error().code != Code::not_found) co_return std::unexpected(gone.error());
    co_return Result<void>();
  }
};

Result<std::unique_ptr<DnsAccount>> open_digitalocean(const AccountOptions& options,
                                                      const World& world) {
  const auto token = options.given("token");
  ApiDialect dialect;
  dialect.provider = "DigitalOcean";
  dialect.base_url = options.url;
  dialect.secrets = {token};
  dialect.authorize = [token](HttpRequest& request) -> Result<void> {
    request.headers.push_back({"Authorization", "Bearer " + token});
    return {};
  };
  dialect.refusal = digitalocean_refusal;
  return std::make_unique<DigitalOceanAccount>(
      ApiClient(std::move(dialect), world.http, world.clock), digitalocean_provider().limits);
}

}  // namespace

Provider digitalocean_provider() {
  return {.name = "digitalocean",
          .title = "DigitalOcean",
          .fields = {{"token",
                      "a personal access token",
                      {"DIGITALOCEAN_TOKEN", "DO_AUTH_TOKEN", "DO_API_KEY"}}},
          .scope = "a custom scope: domain create, read, update and delete",
          .token_url = "https://cloud.digitalocean.com/account/api/tokens",
          .url = "https://api.digitalocean.com/v2",
          .limits = {.unsupported = {dns::Type::tlsa},
                     .ttl_least = digitalocean_ttl_least,
                     .text_bytes_max = text_bytes_max},
          .open = open_digitalocean};
}

}  // namespace tapal::dnsapi
