// Hetzner's Cloud API: whole record sets, one a call; what is done goes on after the answer, as an
// "action" that is asked about until it has ended.
#include <fmt/format.h>

#include "drivers/dnsapi/json_call.h"
#include "drivers/dnsapi/providers.h"
#include "drivers/dnsapi/web_account.h"
#include "values/dns/rdata.h"

namespace tapal::dnsapi {
namespace {

constexpr std::chrono::seconds hetzner_ttl_least{60};
constexpr std::chrono::seconds action_pause{1};
constexpr int action_questions_max = 30;

std::optional<Refusal> hetzner_refusal(const http::Response& response) {
  if (response.status < 300) return std::nullopt;
  const auto answer = read_json(response.body).value_or(json::value());
  const auto& error = value_at(answer, "error");
  const auto code = text_at(error, "code");
  Refusal refusal{fmt::format("{} ({})", text_at(error, "message"), code), std::nullopt};
  if (code.empty()) return std::nullopt;
  // Somebody else's action holds the zone: it will be over soon.
  if (code == "locked" || code == "conflict" || code == "rate_limit_exceeded")
    refusal.code = Code::full;
  return refusal;
}

json::array records_of(const dns::RecordSet& set) {
  json::array records;
  for (const auto& data : set.data)
    records.push_back({{"value", dns::data_to_text(set.type, data)}});
  return records;
}

class HetznerAccount final : public SetAccount {
 public:
  using SetAccount::SetAccount;

 private:
  Task<Result<Zone>> look_up_zone(Loop& loop, std::string name) override {
    ApiCall call;
    call.target = "/zones/" + name;
    TAPAL_CO_TRY(const auto answer, co_await send_json(api_, loop, std::move(call)));
    const auto& zone = value_at(answer, "zone");
    default_ttls_[name] = std::chrono::seconds(number_at(zone, "ttl"));
    co_return Zone{name, text_at(zone, "id")};
  }

  static std::string target_of(const Zone& zone, const dns::RecordSet& set) {
    return fmt::format("/zones/{}/rrsets/{}/{}",
                       zone.id,
                       relative_name(set.name, zone.name),
                       dns::type_text(set.type));
  }

  Task<Result<dns::RecordSet>> read_set(Loop& loop, Place place) override {
    dns::RecordSet set{place.name, place.type, {}, {}};
    ApiCall call;
    call.target = target_of(place.zone, set);
    const auto answer = co_await send_json(api_, loop, std::move(call));
    if (!answer && answer.error().code == Code::not_found) co_return set;
    if (!answer) co_return std::unexpected(answer.error());
    const auto& kept = value_at(*answer, "rrset");
    const auto ttl = number_at(kept, "ttl");  // null: the zone's own
    set.ttl = ttl > 0 ? std::chrono::seconds(ttl) : default_ttls_[place.zone.name];
    for (const auto& record : array_at(kept, "records")) {
      auto data = data_from_content(place.type, text_at(record, "value"));
      if (!data) co_return api_.fail(Code::internal, data.error().what);
      set.data.push_back(std::move(*data));
    }
    co_return set;
  }

  Task<Result<void>> put_sets(Loop& loop, Zone zone, std::vector<dns::RecordSet> sets) override {
    for (const auto& set : sets) {
      auto put = co_await put_set(loop, zone, set);
      if (put) continue;
      put.error().what =
          fmt::format("{} {}: {}", set.name, dns::type_text(set.type), put.error().what);
      co_return put;
    }
    co_return Result<void>();
  }

  Task<Result<void>> put_set(Loop& loop, Zone zone, dns::RecordSet set) {
    Place place{zone, set.name, set.type};
    TAPAL_CO_TRY(const auto kept, co_await read_set(loop, std::move(place)));
    const auto target = target_of(zone, set);
    if (set.data.empty()) {
      ApiCall call;
      call.method = "DELETE";
      call.target = target;
      co_return co_await act(loop, std::move(call));
    }
    if (kept.data.empty()) {
      const json::value made{{"name", relative_name(set.name, zone.name)},
                             {"type", dns::type_text(set.type)},
                             {"ttl", set.ttl.count()},
                             {"records", records_of(set)}};
      auto call = json_call("POST", fmt::format("/zones/{}/rrsets", zone.id), made);
      co_return co_await act(loop, std::move(call));
    }
    if (kept.ttl != set.ttl) {
      const json::value ttl{{"ttl", set.ttl.count()}};
      auto call = json_call("POST", target + "/actions/change_ttl", ttl);
      call.repeat = ApiCall::Repeat::harmless;
      TAPAL_CO_CHECK(co_await act(loop, std::move(call)));
    }
    if (std::ranges::is_permutation(kept.data, set.data)) co_return Result<void>();
    const json::value records{{"records", records_of(set)}};
    auto call = json_call("POST", target + "/actions/set_records", records);
    call.repeat = ApiCall::Repeat::harmless;
    co_return co_await act(loop, std::move(call));
  }

  // Sends it and waits until what it started has ended.
  Task<Result<void>> act(Loop& loop, ApiCall call) {
    TAPAL_CO_TRY(auto answer, co_await send_json(api_, loop, std::move(call)));
    for (int asked = 0;; ++asked) {
      const auto& action = value_at(answer, "action");
      const auto status = text_at(action, "status");
      if (status == "error")
        co_return api_.fail(Code::try_later, text_at(value_at(action, "error"), "message"));
      if (status != "running") co_return Result<void>();
      if (asked == action_questions_max)
        co_return api_.fail(Code::try_later, "it does not come to an end with the change");
      const auto timer = loop.make_timer();
      co_await timer->wait_until(loop.now() + action_pause);
      ApiCall question;
      question.target = "/actions/" + text_at(action, "id");
      TAPAL_CO_TRY(answer, co_await send_json(api_, loop, std::move(question)));
    }
  }

  std::map<std::string, std::chrono::seconds> default_ttls_;  // by zone
};

Result<std::unique_ptr<DnsAccount>> open_hetzner(const AccountOptions& options,
                                                 const World& world) {
  const auto token = options.given("token");
  ApiDialect dialect;
  dialect.provider = "Hetzner";
  dialect.base_url = options.url;
  dialect.secrets = {token};
  dialect.authorize = [token](HttpRequest& request) -> Result<void> {
    request.headers.push_back({"Authorization", "Bearer " + token});
    return {};
  };
  dialect.refusal = hetzner_refusal;
  return std::make_unique<HetznerAccount>(ApiClient(std::move(dialect), world.http, world.clock),
                                          hetzner_provider().limits);
}

}  // namespace

Provider hetzner_provider() {
  return {.name = "hetzner",
          .title = "Hetzner",
          .fields = {{"token",
                      "an API token of the Cloud project that holds the zone",
                      {"HCLOUD_TOKEN", "HETZNER_API_TOKEN"}}},
          .scope = "Read & Write; it reaches the whole project, so keep the zone in one of its own",
          .token_url = "https://console.hetzner.cloud/ (project, Security, API tokens)",
          .url = "https://api.hetzner.cloud/v1",
          .limits = {.ttl_least = hetzner_ttl_least},
          .open = open_hetzner};
}

}  // namespace tapal::dnsapi
