// Alibaba Cloud DNS (alidns), API of 2015-01-09: single records with an id each. Everything is a
// POST with its parameters in the query, signed by ACS3-HMAC-SHA256. It has no TLSA.
#include <array>

#include <fmt/format.h>

#include "drivers/dnsapi/json_call.h"
#include "drivers/dnsapi/plain_content.h"
#include "drivers/dnsapi/providers.h"
#include "drivers/dnsapi/web_account.h"
#include "values/crypto/request_signature.h"
#include "values/http/url.h"
#include "values/text/ascii.h"
#include "values/text/hex.h"

namespace tapal::dnsapi {
namespace {

constexpr auto alibaba_ranked = PlainContent::Ranked::mx;
constexpr const char* alibaba_api_version = "2015-01-09";
constexpr const char* alibaba_action_field = "x-acs-action";
// Other lines are for visitors from some networks.
constexpr const char* alibaba_usual_line = "default";

Refusal refusal_with(std::string_view code, std::string_view message) {
  Refusal refusal{fmt::format("{} ({})", message, code), std::nullopt};
  constexpr std::array denied = {"InvalidAccessKey",
                                 "SignatureDoesNotMatch",
                                 "Forbidden",
                                 "IncompleteSignature",
                                 "NoPermission"};
  for (const std::string_view start : denied)
    if (code.starts_with(start)) refusal.code = Code::denied;
  if (code.starts_with("Throttling")) refusal.code = Code::full;
  // So it calls a record that is no longer there, too.
  if (code.starts_with("DomainRecordNotBelongToUser")) refusal.code = Code::not_found;
  return refusal;
}

std::optional<Refusal> alibaba_refusal(const http::Response& response) {
  if (response.status < 300) return std::nullopt;
  const auto answer = read_json(response.body).value_or(json::value());
  const auto code = text_at(answer, "Code");
  if (code.empty()) return std::nullopt;
  return refusal_with(code, text_at(answer, "Message"));
}

// The action is a header field that calls bring along.
Result<void> sign(HttpRequest& request,
                  const crypto::AccessKey& key,
                  std::string nonce,
                  WallTime now) {
  TAPAL_TRY(const auto url, http::parse_url(request.url));
  crypto::AlibabaCall call{"", alibaba_api_version, std::move(nonce)};
  std::erase_if(request.headers, [&call](const http::Header& field) {
    if (field.name != alibaba_action_field) return false;
    call.action = field.value;
    return true;
  });
  crypto::SignableRequest form;
  form.method = request.method;
  form.query = crypto::parse_query(std::string_view(url.target).substr(2));  // behind "/?"
  form.headers = {{"host", url.authority()}};
  for (auto& [name, value] : crypto::sign_alibaba(std::move(form), key, call, now))
    request.headers.push_back({name, value});
  return {};
}

class AlibabaAccount final : public RecordAccount {
 public:
  using RecordAccount::RecordAccount;

 private:
  using Parameters = std::vector<crypto::NamedValue>;

  Task<Result<json::value>> call(Loop& loop, std::string action, Parameters parameters) {
    ApiCall call;
    call.method = "POST";
    call.target = "/?" + crypto::canonical_query(std::move(parameters));
    if (action.starts_with("Describe")) call.repeat = ApiCall::Repeat::harmless;
    call.headers.push_back({alibaba_action_field, std::move(action)});
    return send_json(api_, loop, std::move(call));
  }

  Task<Result<Zone>> look_up_zone(Loop& loop, std::string name) override {
    Parameters parameters{{"KeyWord", name}, {"SearchMode", "EXACT"}};
    TAPAL_CO_TRY(const auto answer, co_await call(loop, "DescribeDomains", std::move(parameters)));
    for (const auto& domain : array_at(value_at(answer, "Domains"), "Domain"))
      for (const auto* key : {"DomainName", "PunyCode"})
        if (text::equals_ignoring_case(text_at(domain, key), name))
          co_return Zone{name, text_at(domain, "DomainName")};
    co_return api_.fail(Code::not_found, fmt::format("no domain {}", name));
  }

  Task<Result<std::vector<KeptRecord>>> list(Loop& loop, Place place) override {
    Parameters parameters{{"DomainName", place.zone.id},
                          {"SubDomain", fmt::format("{}.{}", place.relative(), place.zone.id)},
                          {"Type", dns::type_text(place.type)},
                          {"PageSize", "500"}};
    TAPAL_CO_TRY(const auto answer,
                 co_await call(loop, "DescribeSubDomainRecords", std::move(parameters)));
    std::vector<KeptRecord> records;
    for (const auto& record : array_at(value_at(answer, "DomainRecords"), "Record")) {
      if (text_at(record, "Line") != alibaba_usual_line || text_at(record, "Status") == "DISABLE")
        continue;
      const PlainContent plain{text_at(record, "Value"), number_at(record, "Priority")};
      auto data = data_from_plain(place.type, plain, alibaba_ranked);
      if (!data) co_return api_.fail(Code::internal, data.error().what);
      const std::chrono::seconds ttl(number_at(record, "TTL"));
      records.push_back({text_at(record, "RecordId"), ttl, std::move(*data)});
    }
    co_return records;
  }

  Task<Result<void>> put(Loop& loop, std::string action, Place place, KeptRecord record) {
    const auto plain = plain_content(place.type, record.data, alibaba_ranked);
    Parameters parameters{{"RR", place.relative()},
                          {"Type", dns::type_text(place.type)},
                          {"Value", plain.content},
                          {"TTL", std::to_string(record.ttl.count())}};
    if (record.id.empty())
      parameters.emplace_back("DomainName", place.zone.id);
    else
      parameters.emplace_back("RecordId", record.id);
    if (place.type == dns::Type::mx)
      parameters.emplace_back("Priority", std::to_string(plain.priority));
    TAPAL_CO_CHECK(co_await call(loop, std::move(action), std::move(parameters)));
    co_return Result<void>();
  }
  Task<Result<void>> add(Loop& loop, Place place, KeptRecord record) override {
    return put(loop, "AddDomainRecord", std::move(place), std::move(record));
  }
  Task<Result<void>> change(Loop& loop, Place place, KeptRecord record) override {
    return put(loop, "UpdateDomainRecord", std::move(place), std::move(record));
  }
  Task<Result<void>> remove(Loop& loop, Place /*place*/, KeptRecord record) override {
    Parameters parameters{{"RecordId", record.id}};
    const auto gone = co_await call(loop, "DeleteDomainRecord", std::move(parameters));
    if (!gone && gone.error().code != Code::not_found) co_return std::unexpected(gone.error());
    co_return Result<void>();
  }
};

Result<std::unique_ptr<DnsAccount>> open_alibaba(const AccountOptions& options,
                                                 const World& world) {
  const crypto::AccessKey key{options.given("access_key_id"), options.given("access_key_secret")};
  ApiDialect dialect;
  dialect.provider = "Alibaba Cloud DNS";
  dialect.base_url = options.url;
  dialect.secrets = {key.secret};
  dialect.authorize =
      [key, &world_clock = world.clock, &random = world.random](HttpRequest& request) {
        return sign(request, key, text::to_hex(random.bytes(16)), world_clock.wall_now());
      };
  dialect.refusal = alibaba_refusal;
  return std::make_unique<AlibabaAccount>(ApiClient(std::move(dialect), world.http, world.clock),
                                          alibaba_provider().limits);
}

}  // namespace

Provider alibaba_provider() {
  return {.name = "alibaba",
          .title = "Alibaba Cloud DNS",
          .fields = {{"access_key_id",
                      "the AccessKey ID of a RAM user",
                      {"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALICLOUD_ACCESS_KEY", "Ali_Key"},
                      CredentialField::Kind::plain},
                     {"access_key_secret",
                      "its AccessKey Secret",
                      {"ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALICLOUD_SECRET_KEY", "Ali_Secret"}}},
          .scope =
              "a RAM user with AliyunDNSFullAccess, or a policy of its own for this domain: "
              "alidns:Describe*, AddDomainRecord, UpdateDomainRecord, DeleteDomainRecord",
          .token_url = "https://ram.console.aliyun.com/users",
          .url = "https://alidns.aliyuncs.com",
          .limits = {.unsupported = {dns::Type::tlsa},
                     .ttl_least = std::chrono::seconds(600),  // of free zones
                     .text_bytes_max = 512},
          .open = open_alibaba};
}

}  // namespace tapal::dnsapi
