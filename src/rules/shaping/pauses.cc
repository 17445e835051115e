#include "rules/shaping/pauses.h"

#include <boost/json.hpp>

#include "values/text/json_fields.h"

namespace tapal::shaping {

namespace json = boost::json;

namespace {

// No name has a line feed. The usual source has no name.
std::string key_of(const Pause& pause) {
  return pause.site + '\n' + (pause.source ? "from " + *pause.source : "") + '\n' + pause.sender;
}

std::string to_json(const Pause& pause) {
  const auto until = std::chrono::floor<std::chrono::seconds>(pause.until.time_since_epoch());
  return json::serialize(json::object{{"site", pause.site},
                                      {"sender", pause.sender},
                                      {"source", json::value_from(pause.source)},
                                      {"until", until.count()},
                                      {"reason", pause.reason}});
}

std::optional<Pause> from_json(std::string_view text) {
  const auto object = text::parse_object(text, 2);
  if (!object) return {};
  const auto find_text = [&object](std::string_view name) -> std::optional<std::string> {
    const auto* value = object->if_contains(name);
    if (value == nullptr || !value->is_string()) return {};
    return text::text_at(*object, name);
  };
  const auto site = find_text("site"), sender = find_text("sender"), reason = find_text("reason");
  const auto until = text::number_at(*object, "until");
  if (!site || !sender || !reason || !until) return {};
  return Pause{
      *site, *sender, find_text("source"), WallTime(std::chrono::seconds(*until)), *reason};
}

}  // namespace

void Pauses::add(const Pause& pause, WallTime now) {
  if (pause.until < now + least) return;
  auto key = key_of(pause);
  if (pauses_.size() >= pauses_max && !pauses_.contains(key)) return;
  changed_.insert(key);
  pauses_.insert_or_assign(std::move(key), pause);
}

void Pauses::forget(std::string_view site) {
  auto place = pauses_.lower_bound(site);
  while (place != pauses_.end() && place->second.site == site) {
    changed_.insert(place->first);
    place = pauses_.erase(place);
  }
}

Pauses::Changes Pauses::take_changes(WallTime now) {
  std::erase_if(pauses_, [&](const auto& each) {
    if (each.second.until > now) return false;
    changed_.insert(each.first);
    return true;
  });
  Changes changes;
  for (const auto& key : changed_) {
    const auto found = pauses_.find(key);
    if (found == pauses_.end())
      changes.removed.push_back(key);
    else
      changes.put.emplace_back(key, to_json(found->second));
  }
  changed_.clear();
  return changes;
}

void Pauses::not_kept(const Changes& changes) {
  for (const auto& [key, json] : changes.put) changed_.insert(key);
  changed_.insert(changes.removed.begin(), changes.removed.end());
}

std::optional<Pause> Pauses::take_in(std::string_view key, std::string_view json, WallTime now) {
  auto pause = from_json(json);
  if (!pause || pause->until <= now || key_of(*pause) != key || pauses_.size() >= pauses_max) {
    changed_.emplace(key);
    return {};
  }
  pauses_.insert_or_assign(std::string(key), *pause);
  return pause;
}

}  // namespace tapal::shaping
