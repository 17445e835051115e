#include "services/upkeep/dns_change.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "values/dns/name.h"
#include "values/dns/rdata.h"

namespace tapal::upkeep {
namespace {

using provision::ChangedSet;
using provision::JournalEntry;
using State = JournalEntry::State;

std::vector<dns::Data> sorted(std::vector<dns::Data> data) {
  std::ranges::sort(data);
  return data;
}
bool same_data(const dns::RecordSet& a, const dns::RecordSet& b) {
  return sorted(a.data) == sorted(b.data);
}

// Nothing stands that was neither there before nor was to be written.
bool is_between(const dns::RecordSet& now, const ChangedSet& set) {
  const auto holds = [](const dns::RecordSet& in, const dns::Data& data) {
    return std::ranges::find(in.data, data) != in.data.end();
  };
  return std::ranges::all_of(now.data, [&](const dns::Data& data) {
    return holds(set.before, data) || holds(set.after, data);
  });
}

std::string shown(const dns::RecordSet& set) {
  if (set.data.empty()) return "nothing";
  std::string text;
  for (const auto& data : set.data)
    text += (text.empty() ? "" : ", ") + dns::data_to_text(set.type, data);
  return text;
}

std::string name_of(const dns::RecordSet& set) {
  return fmt::format("{} {}", set.name, dns::type_text(set.type));
}

dns::RecordSet shown_by(const AuthorityAnswer& answer, const dns::RecordSet& asked) {
  dns::RecordSet set{asked.name, asked.type, {}, {}};
  for (const auto& record : answer.reply->records)
    if (record.name == asked.name) set.data.push_back(record.data);
  return set;
}

// One entry a server is enough to act on.
void note(std::vector<LaggingServer>& lagging, const AuthorityAnswer& answer, std::string what) {
  if (std::ranges::find(lagging, answer.server, &LaggingServer::server) == lagging.end())
    lagging.push_back({answer.server, std::move(what)});
}

}  // namespace

Task<Result<JournalEntry>> DnsChange::apply(Loop& loop, provision::Plan plan) {
  JournalEntry entry;
  entry.id = provision::journal_id(world_.clock.wall_now());
  entry.domain = plan.domain;
  AccountZones zones(world_.account);
  for (auto& change : plan.changes) {
    if (!change.writes()) continue;
    auto zone = co_await zones.find(loop, change.after.name);
    if (!zone) co_return std::unexpected(std::move(zone.error()));
    entry.sets.emplace_back(*std::move(zone), std::move(change.before), std::move(change.after));
  }
  TAPAL_CO_CHECK(world_.journal.put(entry));
  TAPAL_CO_CHECK(co_await write(loop, entry.sets));
  entry.state = State::done;
  TAPAL_CO_CHECK(world_.journal.put(entry));
  co_return entry;
}

Task<Result<void>> DnsChange::write(Loop& loop, std::vector<ChangedSet> sets) {
  std::map<std::string, std::vector<dns::RecordSet>> by_zone;
  for (auto& set : sets) by_zone[set.zone].push_back(std::move(set.after));
  for (auto& [zone, zone_sets] : by_zone) {
    TAPAL_CO_CHECK(co_await world_.account.write(loop, zone, std::move(zone_sets)));
  }
  co_return Result<void>();
}

Task<Result<dns::RecordSet>> DnsChange::read(Loop& loop, const ChangedSet& set) {
  co_return co_await world_.account.read(loop, set.zone, set.before.name, set.before.type);
}

Task<Result<void>> DnsChange::settle(Loop& loop) {
  auto entries = world_.journal.entries();
  if (!entries) co_return std::unexpected(std::move(entries.error()));
  for (auto& entry : *entries) {
    if (entry.state != State::begun) continue;
    TAPAL_CO_CHECK(co_await settle_entry(loop, std::move(entry)));
  }
  co_return Result<void>();
}

// What stands of each set becomes what was written: all of it, or a part where the provider keeps
// single records. A set that somebody else has gone over since is not ours to take back.
Task<Result<void>> DnsChange::settle_entry(Loop& loop, JournalEntry entry) {
  std::vector<ChangedSet> written;
  for (auto& set : entry.sets) {
    const auto now = co_await read(loop, set);
    if (!now) co_return std::unexpected(now.error());
    if (same_data(*now, set.before) || !is_between(*now, set)) continue;
    set.after.data = now->data;
    written.push_back(std::move(set));
  }
  entry.state = written.empty() ? State::undone : State::done;
  if (!written.empty()) entry.sets = std::move(written);
  co_return world_.journal.put(entry);
}

Task<Result<JournalEntry>> DnsChange::rollback(Loop& loop, std::string domain) {
  TAPAL_CO_CHECK(co_await settle(loop));
  auto entries = world_.journal.entries();
  if (!entries) co_return std::unexpected(std::move(entries.error()));
  const auto last = std::find_if(entries->rbegin(), entries->rend(), [&domain](const auto& entry) {
    return entry.domain == domain && entry.state == State::done;
  });
  if (last == entries->rend())
    co_return fail(Code::not_found, fmt::format("no change of {} is left to take back", domain));
  auto restored = co_await sets_to_restore(loop, *last);
  if (!restored) co_return std::unexpected(std::move(restored.error()));
  TAPAL_CO_CHECK(co_await write(loop, *std::move(restored)));
  last->state = State::undone;
  TAPAL_CO_CHECK(world_.journal.put(*last));
  co_return *last;
}

Task<Result<std::vector<ChangedSet>>> DnsChange::sets_to_restore(Loop& loop,
                                                                 const JournalEntry& entry) {
  std::vector<ChangedSet> restored;
  for (const auto& set : entry.sets) {
    const auto now = co_await read(loop, set);
    if (!now) co_return std::unexpected(now.error());
    // The first try may have been cut off in the middle.
    if (same_data(*now, set.before)) continue;
    if (!same_data(*now, set.after))
      co_return fail(Code::invalid,
                     fmt::format("{} was changed since by somebody else ({}): nothing was taken "
                                 "back; it was {} before",
                                 name_of(set.before),
                                 shown(*now),
                                 shown(set.before)));
    restored.emplace_back(set.zone, set.after, set.before);
  }
  co_return restored;
}

Task<Result<std::vector<LaggingServer>>> DnsChange::wait_until_shown(
    Loop& loop, std::vector<dns::RecordSet> sets) {
  const Instant until = loop.now() + options_.patience;
  const auto timer = loop.make_timer();
  auto pause = options_.first_pause;
  for (;;) {
    auto lagging = co_await servers_behind(loop, world_.authorities, sets);
    if (!lagging || lagging->empty() || loop.now() + pause > until) co_return lagging;
    if (tell)
      tell(fmt::format("waiting for {} ({})", lagging->front().server, lagging->front().what));
    co_await timer->wait_until(loop.now() + pause);
    pause = std::min(pause * 2, options_.longest_pause);
  }
}

Task<Result<std::vector<LaggingServer>>> servers_behind(Loop& loop,
                                                        ZoneAuthorities& authorities,
                                                        std::vector<dns::RecordSet> sets) {
  std::vector<LaggingServer> lagging;
  std::vector<AuthoritativeZone> zones;
  for (const auto& set : sets) {
    auto zone = std::ranges::find_if(zones, [&set](const AuthoritativeZone& known) {
      return dns::is_subdomain_of(set.name, known.name);
    });
    if (zone == zones.end()) {
      auto found = co_await authorities.find(loop, set.name);
      if (!found) co_return std::unexpected(std::move(found.error()));
      zone = zones.insert(zones.begin(), *std::move(found));
    }
    const dns::Lookup lookup{set.name, set.type};
    const auto answers = co_await authorities.ask_all(loop, *zone, lookup);
    for (const auto& answer : answers) {
      if (!answer.reply) {
        note(lagging, answer, answer.reply.error().what);
      } else if (const auto has = shown_by(answer, set); !same_data(has, set)) {
        note(lagging, answer, fmt::format("{}: it has {}", name_of(set), shown(has)));
      }
    }
  }
  co_return lagging;
}

}  // namespace tapal::upkeep
