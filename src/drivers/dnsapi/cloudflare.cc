// Cloudflare's API, version 4: single records with an id each; every answer has "success", "errors"
// and "result" whatever its status.
#include <fmt/format.h>

#include "drivers/dnsapi/json_call.h"
#include "drivers/dnsapi/providers.h"
#include "drivers/dnsapi/web_account.h"
#include "values/crypto/request_signature.h"
#include "values/dns/rdata.h"
#include "values/dns/rdata_fields.h"
#include "values/text/hex.h"

namespace tapal::dnsapi {
namespace {

constexpr std::size_t cloudflare_page_records = 100;  // far more than one name has of one type
constexpr std::int64_t automatic_ttl = 1;             // shown so, served as 300 s
constexpr std::int64_t no_permission = 9109;
constexpr std::int64_t bad_token = 10000;
constexpr std::int64_t bad_header = 6003;  // a token that cannot be one

std::optional<Refusal> cloudflare_refusal(const http::Response& response) {
  const auto answer = read_json(response.body).value_or(json::value());
  if (value_at(answer, "success") == json::value(true)) return std::nullopt;
  Refusal refusal;
  for (const auto& error : array_at(answer, "errors")) {
    const auto code = number_at(error, "code");
    refusal.words += fmt::format(
        "{}{} (code {})", refusal.words.empty() ? "" : "; ", text_at(error, "message"), code);
    if (code == no_permission || code == bad_token || code == bad_header)
      refusal.code = Code::denied;
  }
  return refusal;
}

// SRV, CAA and TLSA are given by their fields, all else as content.
Result<json::object> cloudflare_body(const Place& place, const KeptRecord& record) {
  json::object body{
      {"type", dns::type_text(place.type)}, {"name", place.name}, {"ttl", record.ttl.count()}};
  const auto& data = record.data;
  if (place.type == dns::Type::srv) {
    TAPAL_TRY(const auto service, dns::service_from_data(data));
    body["data"] = {{"priority", service.priority},
                    {"weight", service.weight},
                    {"port", service.port},
                    {"target", service.target.empty() ? "." : service.target}};
  } else if (place.type == dns::Type::caa) {
    TAPAL_TRY(const auto issue, dns::authorization_from_data(data));
    body["data"] = {{"flags", issue.flags}, {"tag", issue.tag}, {"value", issue.value}};
  } else if (place.type == dns::Type::tlsa) {
    TAPAL_TRY(const auto key, dns::association_from_data(data));
    body["data"] = {{"usage", key.usage},
                    {"selector", key.selector},
                    {"matching_type", key.matching},
                    {"certificate", text::to_hex(key.bytes)}};
  } else if (const auto* exchange = std::get_if<dns::MailExchange>(&data)) {
    body["content"] = exchange->exchange.empty() ? "." : exchange->exchange;
    body["priority"] = exchange->preference;
  } else if (const auto* target = std::get_if<dns::NameTarget>(&data)) {
    body["content"] = target->name;
  } else {
    body["content"] = dns::data_to_text(place.type, data);
  }
  // A mail server behind a web proxy is no mail server.
  if (place.type == dns::Type::a || place.type == dns::Type::aaaa || place.type == dns::Type::cname)
    body["proxied"] = false;
  return body;
}

Result<dns::Data> cloudflare_data(dns::Type type, const json::value& record) {
  const auto content = text_at(record, "content");
  if (type == dns::Type::txt) return dns::Text{text_from_content(content)};
  if (type == dns::Type::mx)
    return data_from_content(type, fmt::format("{} {}", number_at(record, "priority"), content));
  const auto& data = value_at(record, "data");
  if (type == dns::Type::srv)
    return data_from_content(type,
                             fmt::format("{} {} {} {}",
                                         number_at(data, "priority"),
                                         number_at(data, "weight"),
                                         number_at(data, "port"),
                                         text_at(data, "target")));
  if (type == dns::Type::caa)
    return dns::to_data(
        dns::Authorization{static_cast<std::uint8_t>(number_at(data, "flags") & 0xff),
                           text_at(data, "tag"),
                           text_at(data, "value")});
  return data_from_content(type, content);
}

class CloudflareAccount final : public RecordAccount {
 public:
  using RecordAccount::RecordAccount;

 private:
  Task<Result<Zone>> look_up_zone(Loop& loop, std::string name) override {
    ApiCall call;
    call.target = "/zones?name=" + name;
    TAPAL_CO_TRY(const auto answer, co_await send_json(api_, loop, std::move(call)));
    for (const auto& zone : array_at(answer, "result"))
      if (text_at(zone, "name") == name) co_return Zone{name, text_at(zone, "id")};
    co_return api_.fail(Code::not_found, fmt::format("no zone {}", name));
  }

  Task<Result<std::vector<KeptRecord>>> list(Loop& loop, Place place) override {
    std::vector<crypto::NamedValue> query;
    query.emplace_back("type", dns::type_text(place.type));
    query.emplace_back("name", place.name);
    query.emplace_back("per_page", std::to_string(cloudflare_page_records));
    ApiCall call;
    call.target = fmt::format(
        "/zones/{}/dns_records?{}", place.zone.id, crypto::canonical_query(std::move(query)));
    TAPAL_CO_TRY(const auto answer, co_await send_json(api_, loop, std::move(call)));
    std::vector<KeptRecord> records;
    for (const auto& record : array_at(answer, "result")) {
      auto data = cloudflare_data(place.type, record);
      if (!data) co_return api_.fail(Code::internal, data.error().what);
      const auto ttl = number_at(record, "ttl");
      records.push_back({text_at(record, "id"),
                         std::chrono::seconds(ttl == automatic_ttl ? 300 : ttl),
                         std::move(*data)});
    }
    co_return records;
  }

  Task<Result<void>> put(Loop& loop, std::string method, Place place, KeptRecord record) {
    TAPAL_CO_TRY(const auto body, cloudflare_body(place, record));
    auto target = fmt::format("/zones/{}/dns_records", place.zone.id);
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
    call.target = fmt::format("/zones/{}/dns_records/{}", place.zone.id, record.id);
    const auto gone = co_await send_json(api_, loop, std::move(call));
    if (!gone && gone.error().code != Code::not_found) co_return std::unexpected(gone.error());
    co_return Result<void>();
  }
};

Result<std::unique_ptr<DnsAccount>> open_cloudflare(const AccountOptions& options,
                                                    const World& world) {
  const auto token = options.given("token");
  ApiDialect dialect;
  dialect.provider = "Cloudflare";
  dialect.base_url = options.url;
  dialect.secrets = {token};
  dialect.authorize = [token](HttpRequest& request) -> Result<void> {
    request.headers.push_back({"Authorization", "Bearer " + token});
    return {};
  };
  dialect.refusal = cloudflare_refusal;
  return std::make_unique<CloudflareAccount>(ApiClient(std::move(dialect), world.http, world.clock),
                                             cloudflare_provider().limits);
}

}  // namespace

Provider cloudflare_provider() {
  return {
      .name = "cloudflare",
      .title = "Cloudflare",
      .fields =
          {{"token",
            "an API token, not the global key",
            {"CLOUDFLARE_API_TOKEN", "CLOUDFLARE_DNS_API_TOKEN", "CF_DNS_API_TOKEN", "CF_Token"}}},
      .scope = "Zone:Read and DNS:Edit, for this zone alone",
      .token_url = "https://dash.cloudflare.com/profile/api-tokens",
      .url = "https://api.cloudflare.com/client/v4",
      .limits = {.ttl_least = std::chrono::seconds(60), .text_bytes_max = 2048},
      .open = open_cloudflare};
}

}  // namespace tapal::dnsapi
