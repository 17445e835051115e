#include "drivers/dnsapi/web_account.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/dns/name.h"

namespace tapal::dnsapi {

std::unexpected<Error> stopped(Error error, const dns::RecordSet& set, std::size_t written) {
  error.what =
      fmt::format("{} {}: {}{}",
                  set.name,
                  dns::type_text(set.type),
                  error.what,
                  written == 0 ? "" : fmt::format(" ({} sets before it are written)", written));
  return std::unexpected(std::move(error));
}

Task<Result<Zone>> WebAccount::zone_of(Loop& loop, std::string name) {
  if (const auto known = zones_.find(name); known != zones_.end()) co_return known->second;
  TAPAL_CO_TRY(Zone zone, co_await look_up_zone(loop, name));
  zones_.emplace(std::move(name), zone);
  co_return zone;
}

Task<Result<std::string>> WebAccount::find_zone(Loop& loop, std::string name) {
  for (std::string_view left = name; !left.empty(); left = dns::parent_of(left)) {
    const std::string candidate(left);
    const auto zone = co_await zone_of(loop, candidate);
    if (zone) co_return zone->name;
    if (zone.error().code != Code::not_found) co_return std::unexpected(zone.error());
  }
  co_return api_.fail(
      Code::not_found,
      fmt::format("no zone of this account holds {}; is the domain added there, and "
                  "may these credentials see it?",
                  name));
}

Task<Result<dns::RecordSet>> WebAccount::read(Loop& loop,
                                              std::string zone,
                                              std::string name,
                                              dns::Type type) {
  TAPAL_CO_TRY(auto found, co_await zone_of(loop, std::move(zone)));
  Place place{std::move(found), std::move(name), type};
  co_return co_await read_set(loop, std::move(place));
}

Task<Result<void>> WebAccount::write(Loop& loop,
                                     std::string zone,
                                     std::vector<dns::RecordSet> sets) {
  if (const auto good = check_sets(limits_, zone, sets); !good)
    co_return api_.fail(good.error().code, good.error().what);
  for (auto& set : sets) set.ttl = ttl_kept_for(std::max(set.ttl, limits_.ttl_least));
  TAPAL_CO_TRY(auto found, co_await zone_of(loop, std::move(zone)));
  auto ordered = in_order(std::move(sets));
  co_return co_await write_sets(loop, std::move(found), std::move(ordered));
}

Task<Result<void>> SetAccount::write_sets(Loop& loop, Zone zone, std::vector<dns::RecordSet> sets) {
  std::vector<dns::RecordSet> differing;
  for (auto& set : sets) {
    Place place{zone, set.name, set.type};
    const auto kept = co_await read_set(loop, std::move(place));
    if (!kept) co_return stopped(kept.error(), set, 0);
    if (!same_set(set, *kept)) differing.push_back(std::move(set));
  }
  if (differing.empty()) co_return Result<void>();
  co_return co_await put_sets(loop, std::move(zone), std::move(differing));
}

Task<Result<dns::RecordSet>> RecordAccount::read_set(Loop& loop, Place place) {
  dns::RecordSet set;
  set.name = place.name;
  set.type = place.type;
  TAPAL_CO_TRY(auto kept, co_await list(loop, std::move(place)));
  if (!kept.empty()) set.ttl = kept.front().ttl;
  for (auto& record : kept) set.data.push_back(std::move(record.data));
  co_return set;
}

Task<Result<void>> RecordAccount::write_sets(Loop& loop,
                                             Zone zone,
                                             std::vector<dns::RecordSet> sets) {
  Result<void> result;
  for (std::size_t i = 0; result && i < sets.size(); ++i) {
    Place place{zone, sets[i].name, sets[i].type};
    const auto written = co_await write_set(loop, std::move(place), sets[i]);
    if (!written) result = stopped(written.error(), sets[i], i);
  }
  auto in_force = co_await put_in_force(loop, std::move(zone));
  co_return result ? std::move(in_force) : std::move(result);
}

Task<Result<void>> RecordAccount::put_in_force(Loop& /*loop*/, Zone /*zone*/) {
  co_return Result<void>();
}

Task<Result<void>> RecordAccount::write_set(Loop& loop, Place place, dns::RecordSet wanted) {
  TAPAL_CO_TRY(auto kept, co_await list(loop, place));
  const auto edits = record_edits(std::move(kept), wanted);
  for (const auto& edit : edits) {
    Result<void> done;
    switch (edit.kind) {
      case RecordEdit::Kind::add: done = co_await add(loop, place, edit.record); break;
      case RecordEdit::Kind::change: done = co_await change(loop, place, edit.record); break;
      case RecordEdit::Kind::remove: done = co_await remove(loop, place, edit.record); break;
    }
    if (!done) co_return std::unexpected(done.error());
  }
  co_return Result<void>();
}

}  // namespace tapal::dnsapi
