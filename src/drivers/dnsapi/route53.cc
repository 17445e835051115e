// Amazon Route 53, API of 2013-04-01: whole record sets in XML, all of a call in one transaction,
// signed by AWS Signature Version 4.
#include <sstream>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "drivers/dnsapi/providers.h"
#include "drivers/dnsapi/web_account.h"
#include "values/crypto/request_signature.h"
#include "values/dns/name.h"
#include "values/dns/rdata.h"
#include "values/http/url.h"
#include "values/text/ascii.h"

namespace tapal::dnsapi {
namespace {

constexpr std::string_view xml_namespace = "https://route53.amazonaws.com/doc/2013-04-01/";
constexpr std::string_view region = "us-east-1";  // Route 53 has no regions and signs with this one
constexpr std::string_view zone_id_prefix = "/hostedzone/";

std::optional<Refusal> route53_refusal(const http::Response& response) {
  if (response.status < 300) return std::nullopt;
  pugi::xml_document document;
  if (!document.load_buffer(response.body.data(), response.body.size())) return std::nullopt;
  Refusal refusal;
  if (const auto batch = document.child("InvalidChangeBatch")) {
    for (const auto message : batch.child("Messages").children("Message"))
      refusal.words += fmt::format("{}{}", refusal.words.empty() ? "" : "; ", message.text().get());
    return refusal;
  }
  const auto error = document.document_element().child("Error");
  const std::string_view code = error.child("Code").text().get();
  if (code.empty()) return std::nullopt;
  refusal.words = fmt::format("{}: {}", code, error.child("Message").text().get());
  // Both come with the status 400.
  if (code == "Throttling" || code == "PriorRequestNotComplete") refusal.code = Code::full;
  return refusal;
}

// "\052.example.com.": what is not a letter, digit, "-" or "_" comes in octal.
std::string plain_name(std::string_view name) {
  constexpr std::string_view star = "\\052";
  return name.starts_with(star) ? "*" + std::string(name.substr(star.size())) : std::string(name);
}

void append_set(pugi::xml_node changes, std::string_view action, const dns::RecordSet& set) {
  auto change = changes.append_child("Change");
  change.append_child("Action").text().set(std::string(action).c_str());
  auto node = change.append_child("ResourceRecordSet");
  node.append_child("Name").text().set(dns::absolute(set.name).c_str());
  node.append_child("Type").text().set(dns::type_text(set.type).c_str());
  node.append_child("TTL").text().set(static_cast<long long>(set.ttl.count()));
  auto records = node.append_child("ResourceRecords");
  for (const auto& data : set.data)
    records.append_child("ResourceRecord")
        .append_child("Value")
        .text()
        .set(dns::data_to_text(set.type, data).c_str());
}

class Route53Account final : public SetAccount {
 public:
  using SetAccount::SetAccount;

 private:
  Task<Result<std::unique_ptr<pugi::xml_document>>> send_xml(Loop& loop, ApiCall call) {
    call.target = "/2013-04-01" + call.target;
    TAPAL_CO_TRY(const auto response, co_await api_.send(loop, std::move(call)));
    auto document = std::make_unique<pugi::xml_document>();
    if (!document->load_buffer(response.body.data(), response.body.size()))
      co_return api_.fail(Code::try_later, "its answer is not XML");
    co_return document;
  }

  Task<Result<Zone>> look_up_zone(Loop& loop, std::string name) override {
    ApiCall call;
    call.target = "/hostedzonesbyname?dnsname=" + name;  // lists from there on
    TAPAL_CO_TRY(const auto answer, co_await send_xml(loop, std::move(call)));
    const auto zones = answer->document_element().child("HostedZones");
    for (const auto zone : zones.children("HostedZone")) {
      if (zone.child("Name").text().get() != dns::absolute(name)) continue;
      if (zone.child("Config").child("PrivateZone").text().as_bool()) continue;
      std::string_view id = zone.child("Id").text().get();
      if (id.starts_with(zone_id_prefix)) id.remove_prefix(zone_id_prefix.size());
      co_return Zone{name, std::string(id)};
    }
    co_return api_.fail(Code::not_found, fmt::format("no public zone {}", name));
  }

  Task<Result<dns::RecordSet>> read_set(Loop& loop, Place place) override {
    const auto type = dns::type_text(place.type);
    ApiCall call;  // lists from there on, too
    call.target = fmt::format("/hostedzone/{}/rrset?maxitems=1&name={}&type={}",
                              place.zone.id,
                              dns::absolute(place.name),
                              type);
    TAPAL_CO_TRY(const auto answer, co_await send_xml(loop, std::move(call)));
    dns::RecordSet set{place.name, place.type, {}, {}};
    const auto kept =
        answer->document_element().child("ResourceRecordSets").child("ResourceRecordSet");
    if (text::to_lower(plain_name(kept.child("Name").text().get())) != dns::absolute(place.name) ||
        kept.child("Type").text().get() != type)
      co_return set;
    if (kept.child("AliasTarget") || kept.child("SetIdentifier"))
      co_return api_.fail(Code::invalid,
                          fmt::format("{} {} is an alias or has a routing policy, which is left "
                                      "alone: make it a simple record, or take it away",
                                      place.name,
                                      type));
    set.ttl = std::chrono::seconds(kept.child("TTL").text().as_llong());
    for (const auto record : kept.child("ResourceRecords").children("ResourceRecord")) {
      auto data = data_from_content(place.type, record.child("Value").text().get());
      if (!data) co_return api_.fail(Code::internal, data.error().what);
      set.data.push_back(std::move(*data));
    }
    co_return set;
  }

  Task<Result<void>> put_sets(Loop& loop, Zone zone, std::vector<dns::RecordSet> sets) override {
    pugi::xml_document document;
    auto request = document.append_child("ChangeResourceRecordSetsRequest");
    request.append_attribute("xmlns").set_value(std::string(xml_namespace).c_str());
    auto changes = request.append_child("ChangeBatch").append_child("Changes");
    for (auto& set : sets) {
      if (!set.data.empty()) {
        append_set(changes, "UPSERT", set);
        continue;
      }
      Place place{zone, set.name, set.type};  // it deletes exactly what is there or nothing
      TAPAL_CO_TRY(const auto kept, co_await read_set(loop, std::move(place)));
      if (!kept.data.empty()) append_set(changes, "DELETE", kept);
    }
    std::ostringstream text;
    document.save(text, "", pugi::format_raw | pugi::format_no_declaration);
    ApiCall call;
    call.method = "POST";
    call.target = fmt::format("/hostedzone/{}/rrset/", zone.id);
    call.headers.push_back({"Content-Type", "application/xml"});
    call.body = text.str();
    TAPAL_CO_CHECK(co_await send_xml(loop, std::move(call)));
    co_return Result<void>();
  }
};

// What is sent, in the terms of the signature.
Result<crypto::SignableRequest> signable(const HttpRequest& request) {
  TAPAL_TRY(const auto url, http::parse_url(request.url));
  const std::size_t mark = url.target.find('?');
  crypto::SignableRequest out;
  out.method = request.method;
  out.path = url.target.substr(0, mark);
  out.headers = {{"host", url.authority()}};
  out.body_digest = crypto::sha256(request.body);
  if (mark == url.target.npos) return out;
  for (const auto parameter : text::split(std::string_view(url.target).substr(mark + 1), '&')) {
    const std::size_t equals = parameter.find('=');
    out.query.emplace_back(parameter.substr(0, equals), parameter.substr(equals + 1));
  }
  return out;
}

Result<std::unique_ptr<DnsAccount>> open_route53(const AccountOptions& options,
                                                 const World& world) {
  const crypto::AccessKey key{options.given("access_key_id"), options.given("secret_access_key")};
  const auto session = options.given("session_token");
  ApiDialect dialect;
  dialect.provider = "Route 53";
  dialect.base_url = options.url;
  dialect.secrets = {key.secret, session};
  dialect.authorize = [key, session, &clock = world.clock](HttpRequest& request) -> Result<void> {
    TAPAL_TRY(auto to_sign, signable(request));
    if (!session.empty()) {
      to_sign.headers.emplace_back("x-amz-security-token", session);
      request.headers.push_back({"X-Amz-Security-Token", session});
    }
    const crypto::AwsScope scope{std::string(region), "route53"};
    for (auto& [name, value] : crypto::sign_aws(std::move(to_sign), key, scope, clock.wall_now()))
      request.headers.push_back({name, value});
    return {};
  };
  dialect.refusal = route53_refusal;
  return std::make_unique<Route53Account>(ApiClient(std::move(dialect), world.http, world.clock),
                                          route53_provider().limits);
}

}  // namespace

Provider route53_provider() {
  return {.name = "route53",
          .title = "Amazon Route 53",
          .fields = {{"access_key_id",
                      "of an IAM user",
                      {"AWS_ACCESS_KEY_ID"},
                      CredentialField::Kind::plain},
                     {"secret_access_key", "of the same", {"AWS_SECRET_ACCESS_KEY"}},
                     {"session_token",
                      "of temporary credentials",
                      {"AWS_SESSION_TOKEN"},
                      CredentialField::Kind::secret,
                      false}},
          .scope =
              "route53:ListHostedZonesByName, and for this zone alone "
              "route53:ListResourceRecordSets and route53:ChangeResourceRecordSets",
          .token_url = "https://console.aws.amazon.com/iam/",
          .url = "https://route53.amazonaws.com",
          .limits = {.text_bytes_max = 4000},
          .open = open_route53};
}

}  // namespace tapal::dnsapi
