// Google Cloud DNS, version 1: whole record sets, as master files have them. A change takes exactly
// what is there away and adds the new sets, all at once or not at all.
#include <fmt/format.h>

#include "drivers/dnsapi/json_call.h"
#include "drivers/dnsapi/providers.h"
#include "drivers/dnsapi/service_account.h"
#include "drivers/dnsapi/web_account.h"
#include "values/crypto/request_signature.h"
#include "values/dns/name.h"
#include "values/dns/rdata.h"

namespace tapal::dnsapi {
namespace {

constexpr const char* google_scope = "https://www.googleapis.com/auth/ndev.clouddns.readwrite";

std::optional<Refusal> google_refusal(const http::Response& response) {
  if (response.status < 300) return std::nullopt;
  const auto answer = read_json(response.body).value_or(json::value());
  const auto& error = value_at(answer, "error");
  if (text_at(error, "message").empty()) return std::nullopt;
  Refusal refusal{text_at(error, "message"), std::nullopt};
  for (const auto& one : array_at(error, "errors")) {
    const auto reason = text_at(one, "reason");
    if (reason == "rateLimitExceeded" || reason == "userRateLimitExceeded" ||
        reason == "quotaExceeded")
      refusal.code = Code::full;  // with status 403
  }
  return refusal;
}

json::object to_json(const dns::RecordSet& set) {
  json::array values;
  for (const auto& data : set.data) values.emplace_back(dns::data_to_text(set.type, data));
  return {{"name", dns::absolute(set.name)},
          {"type", dns::type_text(set.type)},
          {"ttl", set.ttl.count()},
          {"rrdatas", std::move(values)}};
}

class GoogleAccount final : public SetAccount {
 public:
  GoogleAccount(ApiClient api,
                DnsAccountLimits limits,
                const std::string& project,
                AccessTokens tokens)
      : SetAccount(std::move(api), std::move(limits)),
        path_("/projects/" + project + "/managedZones"),
        tokens_(std::move(tokens)) {}

 private:
  Task<Result<json::value>> send(Loop& loop, ApiCall call) {
    TAPAL_CO_TRY(const auto token, co_await tokens_.current(loop));
    call.headers.push_back({"Authorization", "Bearer " + token});
    co_return co_await send_json(api_, loop, std::move(call));
  }

  Task<Result<Zone>> look_up_zone(Loop& loop, std::string name) override {
    std::vector<crypto::NamedValue> query;
    query.emplace_back("dnsName", dns::absolute(name));
    ApiCall call;
    call.target = fmt::format("{}?{}", path_, crypto::canonical_query(std::move(query)));
    TAPAL_CO_TRY(const auto answer, co_await send(loop, std::move(call)));
    for (const auto& zone : array_at(answer, "managedZones"))
      if (text_at(zone, "dnsName") == dns::absolute(name) &&
          text_at(zone, "visibility") != "private")
        co_return Zone{name, text_at(zone, "name")};
    co_return api_.fail(Code::not_found, fmt::format("no public zone {}", name));
  }

  // As it has it, or null.
  Task<Result<json::value>> kept(Loop& loop, Place place) {
    const auto type = dns::type_text(place.type);
    std::vector<crypto::NamedValue> query;
    query.emplace_back("name", dns::absolute(place.name));
    query.emplace_back("type", type);
    ApiCall call;
    call.target = fmt::format(
        "{}/{}/rrsets?{}", path_, place.zone.id, crypto::canonical_query(std::move(query)));
    TAPAL_CO_TRY(const auto answer, co_await send(loop, std::move(call)));
    for (const auto& set : array_at(answer, "rrsets"))
      if (text_at(set, "name") == dns::absolute(place.name) && text_at(set, "type") == type)
        co_return set;
    co_return json::value();
  }

  Task<Result<dns::RecordSet>> read_set(Loop& loop, Place place) override {
    dns::RecordSet set{.name = place.name, .type = place.type};
    const auto type = place.type;
    TAPAL_CO_TRY(const auto found, co_await kept(loop, std::move(place)));
    if (found.is_null()) co_return set;
    set.ttl = std::chrono::seconds(number_at(found, "ttl"));
    for (const auto& value : array_at(found, "rrdatas")) {
      const auto* text = value.if_string();
      auto data = text != nullptr ? data_from_content(type, *text)
                                  : tapal::fail(Code::invalid, "a value is not a text");
      if (!data) co_return api_.fail(Code::internal, data.error().what);
      set.data.push_back(std::move(*data));
    }
    co_return set;
  }

  Task<Result<void>> put_sets(Loop& loop, Zone zone, std::vector<dns::RecordSet> sets) override {
    json::array additions;
    json::array deletions;
    for (const auto& set : sets) {
      Place place{zone, set.name, set.type};
      TAPAL_CO_TRY(const auto found, co_await kept(loop, std::move(place)));
      if (!found.is_null())
        deletions.push_back(json::object{{"name", value_at(found, "name")},
                                         {"type", value_at(found, "type")},
                                         {"ttl", value_at(found, "ttl")},
                                         {"rrdatas", value_at(found, "rrdatas")}});
      if (!set.data.empty()) additions.push_back(to_json(set));
    }
    if (additions.empty() && deletions.empty()) co_return Result<void>();
    const json::object change{{"additions", std::move(additions)},
                              {"deletions", std::move(deletions)}};
    auto call = json_call("POST", fmt::format("{}/{}/changes", path_, zone.id), change);
    TAPAL_CO_CHECK(co_await send(loop, std::move(call)));
    co_return Result<void>();
  }

  std::string path_;
  AccessTokens tokens_;
};

Result<std::unique_ptr<DnsAccount>> open_google(const AccountOptions& options, const World& world) {
  TAPAL_TRY(auto service, ServiceAccount::from_file(options.given("key_file")));
  auto project = options.given("project");
  if (project.empty()) project = service.project;
  ApiDialect dialect;
  dialect.provider = "Google Cloud DNS";
  dialect.base_url = options.url;
  dialect.refusal = google_refusal;
  return std::make_unique<GoogleAccount>(
      ApiClient(std::move(dialect), world.http, world.clock),
      google_provider().limits,
      project,
      AccessTokens(std::move(service), google_scope, world.http, world.clock));
}

}  // namespace

Provider google_provider() {
  return {.name = "google",
          .title = "Google Cloud DNS",
          .fields = {{"key_file",
                      "the path of a service account's JSON key file, readable by its owner alone",
                      {"GOOGLE_APPLICATION_CREDENTIALS", "GCE_SERVICE_ACCOUNT_FILE"},
                      CredentialField::Kind::plain},
                     {"project",
                      "the project that has the zone, where it is not the service account's",
                      {"GCE_PROJECT"},
                      CredentialField::Kind::plain,
                      false}},
          .scope =
              "a service account with roles/dns.admin on this zone, and roles/dns.reader on "
              "the project",
          .token_url = "https://console.cloud.google.com/iam-admin/serviceaccounts",
          .url = "https://dns.googleapis.com/dns/v1",
          .open = open_google};
}

}  // namespace tapal::dnsapi
