// Porkbun's API, version 3: single records with an id each; numbers are texts, and every answer has
// a "status".
#include <fmt/format.h>

#include "drivers/dnsapi/json_call.h"
#include "drivers/dnsapi/plain_content.h"
#include "drivers/dnsapi/providers.h"
#include "drivers/dnsapi/web_account.h"
#include "values/text/ascii.h"

namespace tapal::dnsapi {
namespace {

constexpr auto porkbun_ranked = PlainContent::Ranked::mx_and_srv;
constexpr std::size_t page_domains = 1000;
constexpr int porkbun_pages_max = 20;

std::optional<Refusal> porkbun_refusal(const http::Response& response) {
  const auto answer = read_json(response.body).value_or(json::value());
  if (text_at(answer, "status") == "SUCCESS") return std::nullopt;
  Refusal refusal{text_at(answer, "message"), std::nullopt};
  const auto words = text::to_lower(refusal.words);
  if (words.contains("api key") || words.contains("opted in")) refusal.code = Code::denied;
  if (refusal.words.empty()) return std::nullopt;
  return refusal;
}

// Its numbers may come as texts.
std::int64_t number_in(const json::value& value, std::string_view key) {
  return text::to_number<std::int64_t>(text_at(value, key)).value_or(0);
}

class PorkbunAccount final : public RecordAccount {
 public:
  using RecordAccount::RecordAccount;

 private:
  Task<Result<Zone>> look_up_zone(Loop& loop, std::string name) override {
    for (int page = 0; page < porkbun_pages_max; ++page) {
      const json::object body{
          {"start", std::to_string(page_domains * static_cast<std::size_t>(page))}};
      auto call = json_call("POST", "/domain/listAll", body);
      call.repeat = ApiCall::Repeat::harmless;
      TAPAL_CO_TRY(const auto answer, co_await send_json(api_, loop, std::move(call)));
      const auto& domains = array_at(answer, "domains");
      for (const auto& domain : domains)
        if (text_at(domain, "domain") == name) co_return Zone{name, name};
      if (domains.size() < page_domains) break;
    }
    co_return api_.fail(Code::not_found, fmt::format("no domain {}", name));
  }

  Task<Result<std::vector<KeptRecord>>> list(Loop& loop, Place place) override {
    const auto relative = place.relative("");
    ApiCall call;
    call.target = fmt::format("/dns/retrieveByNameType/{}/{}{}{}",
                              place.zone.name,
                              dns::type_text(place.type),
                              relative.empty() ? "" : "/",
                              relative);
    TAPAL_CO_TRY(const auto answer, co_await send_json(api_, loop, std::move(call)));
    std::vector<KeptRecord> records;
    for (const auto& record : array_at(answer, "records")) {
      const PlainContent plain{text_at(record, "content"), number_in(record, "prio")};
      auto data = data_from_plain(place.type, plain, porkbun_ranked);
      if (!data) co_return api_.fail(Code::internal, data.error().what);
      const std::chrono::seconds ttl(number_in(record, "ttl"));
      records.push_back({text_at(record, "id"), ttl, std::move(*data)});
    }
    co_return records;
  }

  Task<Result<void>> put(Loop& loop, std::string target, Place place, KeptRecord record) {
    const auto plain = plain_content(place.type, record.data, porkbun_ranked);
    json::object body{{"name", place.relative("")},
                      {"type", dns::type_text(place.type)},
                      {"content", plain.content},
                      {"ttl", std::to_string(record.ttl.count())}};
    if (place.type == dns::Type::mx || place.type == dns::Type::srv)
      body["prio"] = std::to_string(plain.priority);
    auto call = json_call("POST", std::move(target), body);
    TAPAL_CO_CHECK(co_await send_json(api_, loop, std::move(call)));
    co_return Result<void>();
  }
  Task<Result<void>> add(Loop& loop, Place place, KeptRecord record) override {
    auto target = "/dns/create/" + place.zone.name;
    return put(loop, std::move(target), std::move(place), std::move(record));
  }
  Task<Result<void>> change(Loop& loop, Place place, KeptRecord record) override {
    auto target = fmt::format("/dns/edit/{}/{}", place.zone.name, record.id);
    return put(loop, std::move(target), std::move(place), std::move(record));
  }
  Task<Result<void>> remove(Loop& loop, Place place, KeptRecord record) override {
    auto call = json_call(
        "POST", fmt::format("/dns/delete/{}/{}", place.zone.name, record.id), json::object());
    TAPAL_CO_CHECK(co_await send_json(api_, loop, std::move(call)));
    co_return Result<void>();
  }
};

Result<std::unique_ptr<DnsAccount>> open_porkbun(const AccountOptions& options,
                                                 const World& world) {
  const auto key = options.given("api_key");
  const auto secret = options.given("secret_api_key");
  ApiDialect dialect;
  dialect.provider = "Porkbun";
  dialect.base_url = options.url;
  dialect.secrets = {key, secret};
  dialect.authorize = [key, secret](HttpRequest& request) -> Result<void> {
    request.headers.push_back({"X-API-Key", key});
    request.headers.push_back({"X-Secret-API-Key", secret});
    return {};
  };
  dialect.refusal = porkbun_refusal;
  return std::make_unique<PorkbunAccount>(ApiClient(std::move(dialect), world.http, world.clock),
                                          porkbun_provider().limits);
}

}  // namespace

Provider porkbun_provider() {
  return {.name = "porkbun",
          .title = "Porkbun",
          .fields = {{"api_key", "the API key, pk1_...", {"PORKBUN_API_KEY"}},
                     {"secret_api_key", "its secret, sk1_...", {"PORKBUN_SECRET_API_KEY"}}},
          .scope = "keys reach the whole account: switch \"API access\" on for this domain alone",
          .token_url = "https://porkbun.com/account/api",
          .url = "https://api.porkbun.com/api/json/v3",
          .limits = {.ttl_least = std::chrono::seconds(600)},
          .open = open_porkbun};
}

}  // namespace tapal::dnsapi
