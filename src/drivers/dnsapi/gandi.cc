// Gandi LiveDNS, version 5: whole record sets, as master files have them, one a call.
#include <fmt/format.h>

#include "drivers/dnsapi/json_call.h"
#include "drivers/dnsapi/providers.h"
#include "drivers/dnsapi/web_account.h"
#include "values/dns/rdata.h"

namespace tapal::dnsapi {
namespace {

std::optional<Refusal> gandi_refusal(const http::Response& response) {
  if (response.status < 300) return std::nullopt;
  const auto answer = read_json(response.body).value_or(json::value());
  Refusal refusal{text_at(answer, "message"), std::nullopt};
  for (const auto& error : array_at(answer, "errors"))
    refusal.words += fmt::format("{}{}: {}",
                                 refusal.words.empty() ? "" : "; ",
                                 text_at(error, "name"),
                                 text_at(error, "description"));
  return refusal.words.empty() ? std::nullopt : std::optional(refusal);
}

class GandiAccount final : public SetAccount {
 public:
  using SetAccount::SetAccount;

 private:
  static std::string target_of(const Place& place) {
    return fmt::format(
        "/domains/{}/records/{}/{}", place.zone.name, place.relative(), dns::type_text(place.type));
  }

  Task<Result<Zone>> look_up_zone(Loop& loop, std::string name) override {
    ApiCall call;
    call.target = "/domains/" + name;
    TAPAL_CO_CHECK(co_await send_json(api_, loop, std::move(call)));
    co_return Zone{name, name};
  }

  Task<Result<dns::RecordSet>> read_set(Loop& loop, Place place) override {
    dns::RecordSet set{.name = place.name, .type = place.type};
    ApiCall call;
    call.target = target_of(place);
    const auto answer = co_await send_json(api_, loop, std::move(call));
    if (!answer && answer.error().code == Code::not_found) co_return set;
    if (!answer) co_return std::unexpected(answer.error());
    set.ttl = std::chrono::seconds(number_at(*answer, "rrset_ttl"));
    for (const auto& value : array_at(*answer, "rrset_values")) {
      const auto* text = value.if_string();
      auto data = text != nullptr ? data_from_content(place.type, *text)
                                  : tapal::fail(Code::invalid, "a value is not a text");
      if (!data) co_return api_.fail(Code::internal, data.error().what);
      set.data.push_back(std::move(*data));
    }
    co_return set;
  }

  Task<Result<void>> put_set(Loop& loop, Place place, dns::RecordSet set) {
    ApiCall call;
    if (set.data.empty()) {
      call.method = "DELETE";
      call.target = target_of(place);
    } else {
      json::array values;
      for (const auto& data : set.data) values.emplace_back(dns::data_to_text(set.type, data));
      const json::object body{{"rrset_ttl", set.ttl.count()}, {"rrset_values", std::move(values)}};
      call = json_call("PUT", target_of(place), body);
    }
    const auto done = co_await send_json(api_, loop, std::move(call));
    const bool is_gone = set.data.empty() && !done && done.error().code == Code::not_found;
    if (!done && !is_gone) co_return std::unexpected(done.error());
    co_return Result<void>();
  }

  Task<Result<void>> put_sets(Loop& loop, Zone zone, std::vector<dns::RecordSet> sets) override {
    for (std::size_t i = 0; i < sets.size(); ++i) {
      Place place{zone, sets[i].name, sets[i].type};
      const auto done = co_await put_set(loop, std::move(place), sets[i]);
      if (!done) co_return stopped(done.error(), sets[i], i);
    }
    co_return Result<void>();
  }
};

Result<std::unique_ptr<DnsAccount>> open_gandi(const AccountOptions& options, const World& world) {
  const auto token = options.given("token");
  ApiDialect dialect;
  dialect.provider = "Gandi";
  dialect.base_url = options.url;
  dialect.secrets = {token};
  dialect.authorize = [token](HttpRequest& request) -> Result<void> {
    request.headers.push_back({"Authorization", "Bearer " + token});
    return {};
  };
  dialect.refusal = gandi_refusal;
  return std::make_unique<GandiAccount>(ApiClient(std::move(dialect), world.http, world.clock),
                                        gandi_provider().limits);
}

}  // namespace

Provider gandi_provider() {
  return {.name = "gandi",
          .title = "Gandi LiveDNS",
          .fields = {{"token",
                      "a personal access token",
                      {"GANDIV5_PERSONAL_ACCESS_TOKEN", "GANDI_LIVEDNS_TOKEN"}}},
          .scope =
              "see and renew domain names, manage domain name technical configurations; for "
              "this domain alone",
          .token_url = "https://admin.gandi.net/organizations/account/pat",
          .url = "https://api.gandi.net/v5/livedns",
          .limits = {.ttl_least = std::chrono::seconds(300)},
          .open = open_gandi};
}

}  // namespace tapal::dnsapi
