// Vultr's API, version 2: single records with an id each, listed by the whole zone only; TXT goes
// in quotes. It has no TLSA.
#include <fmt/format.h>

#include "drivers/dnsapi/json_call.h"
#include "drivers/dnsapi/plain_content.h"
#include "drivers/dnsapi/providers.h"
#include "drivers/dnsapi/web_account.h"
#include "values/crypto/request_signature.h"
#include "values/dns/rdata.h"
#include "values/text/ascii.h"

namespace tapal::dnsapi {
namespace {

constexpr auto vultr_ranked = PlainContent::Ranked::mx_and_srv;
constexpr std::size_t vultr_page_records = 500;  // the most it gives
constexpr int vultr_pages_max = 40;

std::optional<Refusal> vultr_refusal(const http::Response& response) {
  if (response.status < 300) return std::nullopt;
  const auto answer = read_json(response.body).value_or(json::value());
  const auto words = text_at(answer, "error");
  if (words.empty()) return std::nullopt;
  Refusal refusal{words, std::nullopt};
  if (words.contains("Invalid API token") || words.contains("Unauthorized"))
    refusal.code = Code::denied;  // 401, and 403 for an address that is not allowed
  return refusal;
}

class VultrAccount final : public RecordAccount {
 public:
  using RecordAccount::RecordAccount;

 private:
  static std::string records_of(const Zone& zone) {
    return fmt::format("/domains/{}/records", zone.name);
  }

  Task<Result<Zone>> look_up_zone(Loop& loop, std::string name) override {
    ApiCall call;
    call.target = "/domains/" + name;
    TAPAL_CO_CHECK(co_await send_json(api_, loop, std::move(call)));
    co_return Zone{name, name};
  }

  Task<Result<std::vector<KeptRecord>>> list(Loop& loop, Place place) override {
    std::vector<KeptRecord> records;
    std::string cursor;
    for (int page = 0; page < vultr_pages_max; ++page) {
      std::vector<crypto::NamedValue> parameters{{"per_page", std::to_string(vultr_page_records)}};
      if (!cursor.empty()) parameters.emplace_back("cursor", cursor);
      ApiCall call;
      call.target = fmt::format(
          "{}?{}", records_of(place.zone), crypto::canonical_query(std::move(parameters)));
      TAPAL_CO_TRY(const auto answer, co_await send_json(api_, loop, std::move(call)));
      for (const auto& record : array_at(answer, "records")) {
        if (!text::equals_ignoring_case(text_at(record, "name"), place.relative("")) ||
            text_at(record, "type") != dns::type_text(place.type))
          continue;
        const PlainContent plain{text_at(record, "data"), number_at(record, "priority")};
        auto data = data_from_plain(place.type, plain, vultr_ranked);
        if (!data) co_return api_.fail(Code::internal, data.error().what);
        const std::chrono::seconds ttl(number_at(record, "ttl"));
        records.push_back({text_at(record, "id"), ttl, std::move(*data)});
      }
      cursor = text_at(value_at(value_at(answer, "meta"), "links"), "next");
      if (cursor.empty()) co_return records;
    }
    co_return api_.fail(Code::invalid, fmt::format("the zone {} is too large", place.zone.name));
  }

  static json::object body_of(const Place& place, const KeptRecord& record) {
    const auto plain = plain_content(place.type, record.data, vultr_ranked);
    json::object body{
        {"name", place.relative("")},
        {"data",
         place.type == dns::Type::txt ? dns::data_to_text(place.type, record.data) : plain.content},
        {"ttl", record.ttl.count()}};
    if (place.type == dns::Type::mx || place.type == dns::Type::srv)
      body["priority"] = plain.priority;
    return body;
  }
  Task<Result<void>> add(Loop& loop, Place place, KeptRecord record) override {
    auto body = body_of(place, record);
    body["type"] = dns::type_text(place.type);
    auto call = json_call("POST", records_of(place.zone), body);
    TAPAL_CO_CHECK(co_await send_json(api_, loop, std::move(call)));
    co_return Result<void>();
  }
  Task<Result<void>> change(Loop& loop, Place place, KeptRecord record) override {
    auto call = json_call(
        "PATCH", fmt::format("{}/{}", records_of(place.zone), record.id), body_of(place, record));
    call.repeat = ApiCall::Repeat::harmless;
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

Result<std::unique_ptr<DnsAccount>> open_vultr(const AccountOptions& options, const World& world) {
  const auto token = options.given("token");
  ApiDialect dialect;
  dialect.provider = "Vultr";
  dialect.base_url = options.url;
  dialect.secrets = {token};
  dialect.authorize = [token](HttpRequest& request) -> Result<void> {
    request.headers.push_back({"Authorization", "Bearer " + token});
    return {};
  };
  dialect.refusal = vultr_refusal;
  return std::make_unique<VultrAccount>(ApiClient(std::move(dialect), world.http, world.clock),
                                        vultr_provider().limits);
}

}  // namespace

Provider vultr_provider() {
  return {.name = "vultr",
          .title = "Vultr",
          .fields = {{"token", "an API key", {"VULTR_API_KEY"}}},
          .scope =
              "a key of a sub-user who may manage DNS (and servers, for reverse DNS); allow "
              "this machine's addresses under \"Access Control\"",
          .token_url = "https://my.vultr.com/settings/#settingsapi",
          .url = "https://api.vultr.com/v2",
          .limits = {.unsupported = {dns::Type::tlsa}, .ttl_least = std::chrono::seconds(120)},
          .open = open_vultr};
}

}  // namespace tapal::dnsapi
