#include "rules/shaping/warm_up.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <boost/json.hpp>

#include "values/text/json_fields.h"

namespace tapal::shaping {

namespace json = boost::json;

namespace {

std::chrono::sys_days day_of(WallTime time) { return std::chrono::floor<std::chrono::days>(time); }

// More cannot be said in a record: what is larger was not written by us.
constexpr std::int64_t number_max = 1'000'000'000;

std::optional<std::size_t> count_at(const json::object& object, std::string_view name) {
  const auto number = text::number_at(object, name);
  if (!number || *number < 0 || *number > number_max) return {};
  return static_cast<std::size_t>(*number);
}

constexpr std::int64_t days_max = 365 * 1000;

std::optional<std::chrono::sys_days> day_at(const json::object& object, std::string_view name) {
  const auto number = text::number_at(object, name);
  if (!number || *number < 0 || *number > days_max) return {};
  return std::chrono::sys_days(std::chrono::days(*number));
}

}  // namespace

WarmUp::WarmUp(WarmUpOptions options) : options_(std::move(options)) {}

void WarmUp::see(std::string_view source,
                 std::string_view address,
                 std::optional<WallTime> since,
                 WallTime now) {
  if (!since && !options_.automatic) {
    sources_.erase(std::string(source));
    return;
  }
  auto [at, is_unknown] = sources_.try_emplace(std::string(source));
  auto& known = at->second;
  if (is_unknown || known.address != address) known = {std::string(address), now, {}, true};
  if (since && *since != known.since) {
    known.since = *since;
    known.has_changed = true;
  }
}

const WarmUp::Newcomer* WarmUp::newcomer(std::string_view source, WallTime now) const {
  const auto found = sources_.find(source);
  if (found == sources_.end() || now - found->second.since >= options_.lasts) return nullptr;
  return &found->second;
}

std::size_t WarmUp::start_at(std::string_view provider) const {
  const auto own = options_.starts.find(provider);
  return own == options_.starts.end() ? options_.start : own->second;
}

WarmUp::Count WarmUp::first_count(std::string_view provider, Day day) const {
  return {day, {.ceiling = start_at(provider)}, false};
}

// A clock that steps back does not begin a day again.
WarmUp::Count WarmUp::carried_to(Day day, Count count) const {
  if (day <= count.day) return count;
  auto& [ceiling, accepted, under_way] = count.of_day;
  const bool was_used = accepted > 0 && accepted >= ceiling / 2;
  if (was_used && !count.has_shrunk && !is_enough(count))
    ceiling = static_cast<std::size_t>(std::ceil(static_cast<double>(ceiling) * options_.growth));
  accepted = 0;
  count.day = day;
  count.has_shrunk = false;
  return count;
}

// Names come from the table of providers; should there be too many, they are one.
std::string_view WarmUp::counted_as(const Newcomer& newcomer, std::string_view provider) {
  const bool has_place = newcomer.counts.size() < providers_max;
  return has_place || newcomer.counts.contains(provider) ? provider : std::string_view();
}

std::optional<DayOfWarmUp> WarmUp::today(const Relation& relation, WallTime now) const {
  const auto* known = newcomer(relation.source, now);
  if (known == nullptr) return {};
  const auto provider = counted_as(*known, relation.provider);
  const auto found = known->counts.find(provider);
  const auto day = day_of(now);
  const auto count =
      found == known->counts.end() ? first_count(provider, day) : carried_to(day, found->second);
  return is_enough(count) ? std::nullopt : std::optional(count.of_day);
}

bool WarmUp::has_room(const Relation& relation, WallTime now) const {
  const auto day = today(relation, now);
  return !day || day->has_room();
}

WarmUp::Count* WarmUp::count(const Relation& relation, WallTime now) {
  if (newcomer(relation.source, now) == nullptr) return nullptr;
  auto& known = sources_.find(relation.source)->second;
  const std::string provider(counted_as(known, relation.provider));
  const auto day = day_of(now);
  const auto found = known.counts.try_emplace(provider, first_count(provider, day)).first;
  found->second = carried_to(day, found->second);
  known.has_changed = true;
  return &found->second;
}

WarmUp::Count* WarmUp::ended(const Relation& relation, WallTime now) {
  auto* found = count(relation, now);
  if (found != nullptr && found->of_day.under_way > 0) --found->of_day.under_way;
  return found;
}

void WarmUp::on_start(const Relation& relation, WallTime now) {
  if (auto* found = count(relation, now)) ++found->of_day.under_way;
}

void WarmUp::on_accepted(const Relation& relation, WallTime now) {
  if (auto* found = ended(relation, now)) ++found->of_day.accepted;
}

// Once a day: many messages under way hear the same.
void WarmUp::on_deferred_for_reputation(const Relation& relation, WallTime now) {
  auto* found = ended(relation, now);
  if (found == nullptr || found->has_shrunk || is_enough(*found)) return;
  auto& ceiling = found->of_day.ceiling;
  ceiling = std::max(ceiling / 2, std::min(ceiling, options_.least));
  found->has_shrunk = true;
}

void WarmUp::on_not_accepted(const Relation& relation, WallTime now) { ended(relation, now); }

std::string WarmUp::to_json(const Newcomer& newcomer) {
  json::object providers;
  for (const auto& [provider, count] : newcomer.counts)
    providers[provider] = {{"day", count.day.time_since_epoch().count()},
                           {"ceiling", count.of_day.ceiling},
                           {"accepted", count.of_day.accepted},
                           {"shrunk", count.has_shrunk}};
  const json::object record{{"address", newcomer.address},
                            {"since_ms", newcomer.since.time_since_epoch().count()},
                            {"providers", std::move(providers)}};
  return json::serialize(record);
}

std::vector<WarmUp::Record> WarmUp::take_changes() {
  std::vector<Record> changes;
  for (auto& [source, known] : sources_)
    if (std::exchange(known.has_changed, false)) changes.push_back({source, to_json(known)});
  return changes;
}

void WarmUp::not_kept(const std::vector<Record>& changes) {
  for (const auto& [source, json] : changes)
    if (const auto found = sources_.find(source); found != sources_.end())
      found->second.has_changed = true;
}

void WarmUp::take_in(std::string_view source, std::string_view text) {
  const auto record = text::parse_object(text, 4);
  if (!record) return;
  const auto since = text::number_at(*record, "since_ms");
  const auto* providers = text::object_at(*record, "providers");
  if (!record->contains("address") || !since || *since < 0 || providers == nullptr) return;
  Newcomer known{.address = text::text_at(*record, "address"),
                 .since = WallTime(std::chrono::milliseconds(*since)),
                 .counts = {}};
  for (const auto& [name, value] : *providers) {
    if (!value.is_object() || known.counts.size() >= providers_max) continue;
    const auto& one = value.get_object();
    const auto day = day_at(one, "day");
    const auto ceiling = count_at(one, "ceiling");
    const auto accepted = count_at(one, "accepted");
    const auto shrunk = text::flag_at(one, "shrunk");
    if (!day || !ceiling || !accepted || !shrunk) continue;
    const DayOfWarmUp of_day{.ceiling = *ceiling, .accepted = *accepted};
    known.counts.emplace(name, Count{*day, of_day, *shrunk});
  }
  sources_.insert_or_assign(std::string(source), std::move(known));
}

std::vector<std::pair<std::string, DayOfWarmUp>> WarmUp::providers(std::string_view source,
                                                                   WallTime now) const {
  std::vector<std::pair<std::string, DayOfWarmUp>> all;
  const auto found = sources_.find(source);
  if (found == sources_.end()) return all;
  for (const auto& [provider, count] : found->second.counts)
    if (const auto day = today({source, provider}, now)) all.emplace_back(provider, *day);
  return all;
}

}  // namespace tapal::shaping
