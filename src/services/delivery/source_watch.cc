#include "services/delivery/source_watch.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ports/look_up.h"
#include "protocols/mailauth/reverse_name.h"

namespace tapal::delivery {
namespace {

using shaping::Source;
using shaping::Usability;

// Somebody out there, a root server: nothing is sent to it.
IpAddress far_away(AddressFamily family) {
  return IpAddress::from_text(family == AddressFamily::ipv4 ? "198.41.0.4" : "2001:503:ba3e::2:30")
      .value_or(IpAddress());
}

}  // namespace

SourceWatch::SourceWatch(SourceWatchWorld world)
    : world_(std::move(world)), timer_(world_.loop.make_timer()) {}

void SourceWatch::stop() {
  stopped_ = true;
  timer_->cancel();
}

void SourceWatch::look_again() { timer_->cancel(); }

Task<void> SourceWatch::run() {
  for (const auto& source : world_.sources.options().sources) see_age(source);
  while (!stopped_) {
    co_await look();
    if (!stopped_) co_await timer_->wait_until(world_.loop.now() + look_every);
  }
}

// All of 127.0.0.0/8 is, though interfaces do not tell.
bool SourceWatch::is_on_machine(const IpAddress& address) const {
  const auto all = world_.own_addresses();
  return address.is_loopback() || std::ranges::find(all, address) != all.end();
}

SourceWatch::Found SourceWatch::find(const Source& source, Family family) const {
  const auto other = family == Family::ipv4 ? Family::ipv6 : Family::ipv4;
  const bool has = family == Family::ipv4 ? source.has_ipv4() : source.has_ipv6();
  if (!has || world_.options.family == other) return {{}, false, {}};
  Found found{.address = family == Family::ipv4 ? source.ipv4 : source.ipv6, .why = {}};
  if (!found.address) {
    found.address = world_.address_to(far_away(family));
  } else if (!is_on_machine(*found.address)) {
    found.usable = false;
    found.why = fmt::format("{} is not an address of this machine", found.address->text());
  }
  return found;
}

// Providers know us by our public addresses, IPv4 first. On networks for tests nobody does.
void SourceWatch::see_age(const Source& source) {
  std::string known_by;
  for (const auto family : {Family::ipv6, Family::ipv4})
    if (const auto address = find(source, family).address; address && !address->is_private())
      known_by = address->text();
  const bool is_known = !known_by.empty() && !world_.options.allow_private_addresses;
  if (is_known || source.new_since)
    world_.sources.warm_up().see(source.name, known_by, source.new_since, world_.clock.wall_now());
}

Task<void> SourceWatch::look() {
  for (const auto& source : world_.sources.options().sources) {
    if (stopped_) co_return;
    co_await look_at(source);
  }
}

Task<void> SourceWatch::look_at(const Source& source) {
  auto ipv4 = co_await judge(find(source, Family::ipv4));
  auto ipv6 = co_await judge(find(source, Family::ipv6));
  if (stopped_) co_return;
  see_age(source);
  std::vector<std::string> against;
  for (auto* found : {&ipv4, &ipv6})
    if (!found->why.empty()) against.push_back(std::move(found->why));
  Usability usability{ipv4.usable, ipv6.usable, fmt::format("{}", fmt::join(against, "; "))};
  world_.table.mark(source.name, usability);
  if (!world_.sources.mark(source.name, usability)) co_return;
  world_.log.write(
      usability.why.empty() ? Level::info : Level::warning,
      usability.any() ? "mail leaves from this source" : "no mail leaves from this source",
      {{"source", source.name},
       {"ipv4", usability.ipv4 ? "used" : "not used"},
       {"ipv6", usability.ipv6 ? "used" : "not used"},
       {"reason", usability.why}});
}

// Where DNS does not tell, what it told last stands.
Task<SourceWatch::Found> SourceWatch::judge(Found found) {
  const bool is_judged = found.usable && found.address && !found.address->is_private() &&
                         world_.options.reverse_dns_required &&
                         !world_.options.allow_private_addresses;
  if (!is_judged) co_return found;
  mailauth::ReverseNameCheck check(*found.address);
  co_await answer_lookups(world_.resolver, world_.loop, check);
  const auto result = check.result();
  auto& known = last_known_[*found.address];
  if (result.verdict == mailauth::IprevVerdict::pass) known.clear();
  if (result.verdict == mailauth::IprevVerdict::fail ||
      result.verdict == mailauth::IprevVerdict::permerror)
    known = result.reason;
  found.usable = known.empty();
  found.why = known;
  co_return found;
}

}  // namespace tapal::delivery
