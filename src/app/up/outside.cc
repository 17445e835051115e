// Whose machine this is, whether it lets mail out, and what others think of its addresses and of
// the domain.
#include <fmt/format.h>

#include "app/cli/dns_option.h"
#include "app/cli/once.h"
#include "app/doctor/look.h"
#include "app/up/up.h"
#include "drivers/files/files.h"
#include "drivers/net/http_client.h"
#include "services/upkeep/hoster_search.h"

namespace tapal::app {
namespace {

using provision::Finding;
using provision::Severity;

constexpr std::string_view way_out = "port.25-out";

Task<const provision::Hoster*> search(NetLoop& loop,
                                      Resolver& resolver,
                                      TlsClient& tls,
                                      const Up& up) {
  constexpr std::size_t vendor_bytes_max = 4096;
  const auto vendor = files::read_file(
      std::filesystem::path(up.options.root) / "sys/class/dmi/id/sys_vendor", vendor_bytes_max);
  StreamHttpClient http({loop, loop, resolver, tls});
  upkeep::HosterSearch search{resolver, {http, loop}, vendor.value_or(""), up.addresses};
  co_return co_await upkeep::search_hoster(std::move(search));
}

Result<void> find_hoster(Up& up) {
  if (!up.options.hoster.empty()) return {};
  TAPAL_TRY(auto options, resolver_options(up.common, ""));
  TAPAL_TRY(const auto resolver, UnboundResolver::open(std::move(options)));
  TAPAL_TRY(const auto tls, ClientContext::make());
  const auto* found = run_once<const provision::Hoster*>(
      [&](NetLoop& loop) { return search(loop, *resolver, *tls, up); });
  if (found != nullptr) up.hoster = found;
  up.report.tell(Mark::fine,
                 found == nullptr ? "who rents this machine out does not show; --hoster NAME tells"
                                  : fmt::format("this machine is {}'s (--hoster tells otherwise)",
                                                found->title));
  return {};
}

// There may be no configuration yet: what the command was told stands in for it.
provision::Home home_of(const Up& up, const Settings& settings) {
  provision::Home home;
  home.domain = up.domain;
  home.host = up.hostname;
  home.now = SystemClock().wall_now();
  home.egress = up.addresses;
  home.delivery_port = settings.delivery.port;
  home.outside = settings.doctor.outside;
  // Where mail is to go in the end is the best of proofs.
  if (!up.forward.empty()) home.outside.big_domains = {up.forward.front().domain};
  home.smarthost = up.options.relay;
  const auto relay = settings.delivery.routes.find("*");
  if (home.smarthost.empty() && relay != settings.delivery.routes.end())
    home.smarthost = relay->second.host;
  return home;
}

std::string way_out_steps(const Up& up) {
  return fmt::format(
      "{}: {}\nUntil then mail can leave through a server that passes it on: run this again with "
      "--relay HOST:587 --relay-user NAME --relay-password-file FILE",
      up.hoster->title,
      provision::steps_for(up.hoster->port_25_steps, up.hostname, up.addresses.front().text()));
}

void tell(Up& up, const std::vector<Finding>& findings) {
  bool is_shut = false;
  for (const auto& finding : findings) {
    if (finding.id != way_out || finding.severity != Severity::error) {
      up.report.tell(finding);
      continue;
    }
    up.report.tell(Mark::trouble,
                   fmt::format("port 25 is closed outwards {}: {}", finding.subject, finding.seen));
    is_shut = true;
  }
  if (is_shut) up.report.tell(Mark::by_hand, way_out_steps(up));
}

}  // namespace

Result<void> up_outside(Up& up) {
  TAPAL_CHECK(find_hoster(up));
  TAPAL_TRY(const auto look, DoctorLook::prepare(up.common, ""));
  const auto settings = load_settings(up.common.config).value_or(Settings());
  tell(up,
       look->examine(
           home_of(up, settings),
           {std::string(way_out), "list.address", "list.domain", "domain.age", "domain.expiry"}));
  return {};
}

}  // namespace tapal::app
