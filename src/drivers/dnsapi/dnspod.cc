// DNSPod by Tencent Cloud's API of 2021-03-23: single records with an id each. Everything is a POST
// of JSON, signed by TC3-HMAC-SHA256, and a refusal has the status 200, too. What was added shows
// in its lists only after a while: up to half a minute. It has no TLSA.
#include <fmt/format.h>

#include "drivers/dnsapi/json_call.h"
#include "drivers/dnsapi/plain_content.h"
#include "drivers/dnsapi/providers.h"
#include "drivers/dnsapi/web_account.h"
#include "values/crypto/request_signature.h"
#include "values/http/url.h"
#include "values/text/ascii.h"

namespace tapal::dnsapi {
namespace {

constexpr auto dnspod_ranked = PlainContent::Ranked::mx;
constexpr const char* dnspod_api_version = "2021-03-23";
constexpr const char* dnspod_service = "dnspod";
constexpr const char* dnspod_action_field = "X-TC-Action";
constexpr int list_max = 3000;                     // the most it gives
constexpr const char* dnspod_usual_line = "默认";  // for everybody; others are for some networks
constexpr const char* dnspod_usual_line_id = "0";  // the same, whatever the account's language
// Of one that was added a moment ago and is not in the lists yet: what is wanted, so no refusal.
constexpr std::string_view dnspod_is_there = "InvalidParameter.DomainRecordExist";

std::optional<Refusal> dnspod_refusal(const http::Response& response) {
  const auto answer = read_json(response.body).value_or(json::value());
  const auto& error = value_at(value_at(answer, "Response"), "Error");
  const auto code = text_at(error, "Code");
  if (code.empty() || code == dnspod_is_there) return std::nullopt;
  Refusal refusal{fmt::format("{} ({})", text_at(error, "Message"), code), Code::invalid};
  if (code.starts_with("ResourceNotFound") || code.contains("RecordIdInvalid"))
    refusal.code = Code::not_found;
  if (code.starts_with("AuthFailure") || code.starts_with("UnauthorizedOperation") ||
      code.starts_with("OperationDenied"))
    refusal.code = Code::denied;
  if (code.starts_with("RequestLimitExceeded")) refusal.code = Code::full;
  if (code.starts_with("InternalError")) refusal.code = Code::try_later;
  return refusal;
}

// The action is a header field that calls bring along.
Result<void> sign(HttpRequest& request, const crypto::AccessKey& key, WallTime now) {
  TAPAL_TRY(const auto url, http::parse_url(request.url));
  crypto::TencentCall call{dnspod_service, "", dnspod_api_version};
  crypto::SignableRequest form;
  form.method = request.method;
  form.headers = {{"Host", url.authority()}};
  form.body_digest = crypto::sha256(request.body);
  std::erase_if(request.headers, [&](const http::Header& field) {
    if (field.name == "Content-Type") form.headers.emplace_back(field.name, field.value);
    if (field.name != dnspod_action_field) return false;
    call.action = field.value;
    return true;
  });
  for (auto& [name, value] : crypto::sign_tencent(std::move(form), key, call, now))
    request.headers.push_back({name, value});
  return {};
}

// Names with their final dot, so that none is taken for one in the zone.
PlainContent content_of(dns::Type type, const dns::Data& data) {
  auto plain = plain_content(type, data, dnspod_ranked);
  const bool ends_in_name = type == dns::Type::cname || type == dns::Type::ns ||
                            type == dns::Type::mx || type == dns::Type::srv;
  if (ends_in_name && !plain.content.ends_with('.')) plain.content += '.';
  return plain;
}

class DnspodAccount final : public RecordAccount {
 public:
  using RecordAccount::RecordAccount;

 private:
  Task<Result<json::value>> call(Loop& loop, std::string action, json::object parameters) {
    auto call = json_call("POST", "/", parameters);
    if (action.starts_with("Describe")) call.repeat = ApiCall::Repeat::harmless;
    call.headers.push_back({dnspod_action_field, std::move(action)});
    TAPAL_CO_TRY(const auto answer, co_await send_json(api_, loop, std::move(call)));
    co_return value_at(answer, "Response");
  }

  Task<Result<Zone>> look_up_zone(Loop& loop, std::string name) override {
    json::object parameters{{"Keyword", name}, {"Limit", list_max}};
    TAPAL_CO_TRY(const auto answer,
                 co_await call(loop, "DescribeDomainList", std::move(parameters)));
    for (const auto& domain : array_at(answer, "DomainList"))
      for (const auto* key : {"Name", "Punycode"})
        if (text::equals_ignoring_case(text_at(domain, key), name))
          co_return Zone{name, text_at(domain, "Name")};
    co_return api_.fail(Code::not_found, fmt::format("no domain {}", name));
  }

  Task<Result<std::vector<KeptRecord>>> list(Loop& loop, Place place) override {
    json::object parameters{{"Domain", place.zone.id},
                            {"Subdomain", place.relative()},
                            {"RecordType", dns::type_text(place.type)},
                            {"Limit", list_max}};
    std::vector<KeptRecord> records;
    const auto answer = co_await call(loop, "DescribeRecordList", std::move(parameters));
    if (!answer && answer.error().code == Code::not_found) co_return records;  // none is an error
    if (!answer) co_return std::unexpected(answer.error());
    for (const auto& record : array_at(*answer, "RecordList")) {
      if (text_at(record, "LineId") != dnspod_usual_line_id ||
          text_at(record, "Status") == "DISABLE")
        continue;
      const PlainContent plain{text_at(record, "Value"), number_at(record, "MX")};
      auto data = data_from_plain(place.type, plain, dnspod_ranked);
      if (!data) co_return api_.fail(Code::internal, data.error().what);
      const std::chrono::seconds ttl(number_at(record, "TTL"));
      records.push_back({text_at(record, "RecordId"), ttl, std::move(*data)});
    }
    co_return records;
  }

  Task<Result<void>> put(Loop& loop, std::string action, Place place, KeptRecord record) {
    const auto plain = content_of(place.type, record.data);
    json::object parameters{{"Domain", place.zone.id},
                            {"SubDomain", place.relative()},
                            {"RecordType", dns::type_text(place.type)},
                            {"RecordLine", dnspod_usual_line},
                            {"RecordLineId", dnspod_usual_line_id},
                            {"Value", plain.content},
                            {"TTL", record.ttl.count()}};
    if (const auto id = text::to_number<std::uint64_t>(record.id)) parameters["RecordId"] = *id;
    if (place.type == dns::Type::mx) parameters["MX"] = plain.priority;
    TAPAL_CO_CHECK(co_await call(loop, std::move(action), std::move(parameters)));
    co_return Result<void>();
  }
  Task<Result<void>> add(Loop& loop, Place place, KeptRecord record) override {
    return put(loop, "CreateRecord", std::move(place), std::move(record));
  }
  Task<Result<void>> change(Loop& loop, Place place, KeptRecord record) override {
    return put(loop, "ModifyRecord", std::move(place), std::move(record));
  }
  Task<Result<void>> remove(Loop& loop, Place place, KeptRecord record) override {
    json::object parameters{{"Domain", place.zone.id},
                            {"RecordId", text::to_number<std::uint64_t>(record.id).value_or(0)}};
    const auto gone = co_await call(loop, "DeleteRecord", std::move(parameters));
    if (!gone && gone.error().code != Code::not_found) co_return std::unexpected(gone.error());
    co_return Result<void>();
  }
};

Result<std::unique_ptr<DnsAccount>> open_dnspod(const AccountOptions& options, const World& world) {
  const crypto::AccessKey key{options.given("secret_id"), options.given("secret_key")};
  ApiDialect dialect;
  dialect.provider = "DNSPod";
  dialect.base_url = options.url;
  dialect.secrets = {key.secret};
  dialect.authorize = [key, &clock = world.clock](HttpRequest& request) {
    return sign(request, key, clock.wall_now());
  };
  dialect.refusal = dnspod_refusal;
  return std::make_unique<DnspodAccount>(ApiClient(std::move(dialect), world.http, world.clock),
                                         dnspod_provider().limits);
}

}  // namespace

Provider dnspod_provider() {
  return {
      .name = "dnspod",
      .title = "DNSPod (Tencent Cloud)",
      .fields = {{"secret_id",
                  "the SecretId of a Tencent Cloud key, not of a DNSPod token",
                  {"TENCENTCLOUD_SECRET_ID", "Tencent_SecretId"},
                  CredentialField::Kind::plain},
                 {"secret_key", "its SecretKey", {"TENCENTCLOUD_SECRET_KEY", "Tencent_SecretKey"}}},
      .scope = "a CAM sub-user with QcloudDNSPodFullAccess, or with a policy for this domain",
      .token_url = "https://console.cloud.tencent.com/cam/capi",
      .url = "https://dnspod.tencentcloudapi.com",
      .limits = {.unsupported = {dns::Type::tlsa},
                 .ttl_least = std::chrono::seconds(600)},  // of free zones
      .open = open_dnspod};
}

}  // namespace tapal::dnsapi
