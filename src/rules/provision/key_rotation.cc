#include "rules/provision/key_rotation.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace tapal::provision {
namespace {

using Kind = RotationAction::Kind;

constexpr std::array<std::string_view, 6> stage_words{
    "made", "published", "visible", "signing", "retiring", "revoked"};
constexpr std::array<std::string_view, 5> sight_words{
    "unknown", "absent", "ours", "revoked", "other"};

template <class Enum, std::size_t Count>
std::optional<Enum> value_of(const std::array<std::string_view, Count>& names,
                             std::string_view text) {
  const auto found = std::ranges::find(names, text);
  if (found == names.end()) return {};
  return static_cast<Enum>(found - names.begin());
}

bool is_new(const RotatingKey& key) { return key.stage < KeyStage::signing; }

void move_to(RotatingKey& key, KeyStage stage, WallTime now) {
  key.stage = stage;
  key.since = now;
}

// A record that says something else is nothing that publishing again would mend.
bool is_lost(const RotatingKey& key) {
  return key.stage == KeyStage::signing &&
         (key.sight == KeySight::other || key.sight == KeySight::revoked);
}

}  // namespace

std::string_view text_of(KeyStage stage) { return stage_words.at(static_cast<std::size_t>(stage)); }
std::string_view text_of(KeySight sight) { return sight_words.at(static_cast<std::size_t>(sight)); }
std::optional<KeyStage> key_stage_from(std::string_view text) {
  return value_of<KeyStage>(stage_words, text);
}
std::optional<KeySight> key_sight_from(std::string_view text) {
  return value_of<KeySight>(sight_words, text);
}

bool signs(const RotatingKey& key) {
  if (key.stage != KeyStage::signing) return false;
  switch (key.sight) {
    case KeySight::unknown:
    case KeySight::ours: return true;
    case KeySight::absent: return !key.proven;
    case KeySight::revoked:
    case KeySight::other: return false;
  }
  return false;
}

RotatingKey* KeyRotation::find(std::string_view selector) {
  const auto found = std::ranges::find(keys_, selector, &RotatingKey::selector);
  return found == keys_.end() ? nullptr : &*found;
}

bool KeyRotation::has_new(crypto::KeyKind kind) const {
  return std::ranges::any_of(keys_,
                             [&](const auto& key) { return key.kind == kind && is_new(key); });
}

bool KeyRotation::is_spent(const RotatingKey& key, WallTime now) const {
  return key.stage == KeyStage::retiring && (key.stolen || now - key.since >= options_.keep_old);
}

void KeyRotation::begin(Reason reason, const std::vector<crypto::KeyKind>& more) {
  wanted_ = more;
  for (auto& key : keys_) {
    if (key.stage != KeyStage::signing && key.stage != KeyStage::retiring) continue;
    key.stolen = key.stolen || reason == Reason::stolen;
    if (key.stage == KeyStage::signing) wanted_.push_back(key.kind);
  }
  std::ranges::sort(wanted_);
  const auto twice = std::ranges::unique(wanted_);
  wanted_.erase(twice.begin(), twice.end());
  std::erase_if(wanted_, [this](auto kind) { return has_new(kind); });
}

bool KeyRotation::is_due(WallTime now) const {
  return std::ranges::any_of(keys_, [&](const auto& key) {
    if (key.stage != KeyStage::signing || has_new(key.kind)) return false;
    const bool is_old = options_.every.count() > 0 && now - key.since >= options_.every;
    return is_old || is_lost(key) || key.stolen;
  });
}

bool KeyRotation::is_under_way() const {
  return !wanted_.empty() || std::ranges::any_of(keys_, [](const auto& key) {
    return is_new(key) || (key.stage == KeyStage::signing && !signs(key)) ||
           (key.stage == KeyStage::retiring && key.stolen);
  });
}

std::optional<RotationAction> KeyRotation::action_for(const RotatingKey& key, WallTime now) const {
  const auto action = [&key](Kind kind) { return RotationAction{kind, key.selector, key.kind}; };
  // What mail was signed with last stays to be checked by: nothing is revoked before another signs.
  const auto another_signs = [&](const RotatingKey& other) {
    return signs(other) && other.sight == KeySight::ours && !other.stolen;
  };
  switch (key.stage) {
    case KeyStage::made: return action(Kind::publish);
    case KeyStage::published: return {};
    case KeyStage::visible: return action(Kind::prove);
    case KeyStage::signing:
      if (key.sight == KeySight::absent) return action(Kind::publish);
      return {};
    case KeyStage::retiring:
      if (is_spent(key, now)) {
        if (std::ranges::any_of(keys_, another_signs)) return action(Kind::revoke);
      } else if (key.sight == KeySight::absent) {
        return action(Kind::publish);
      }
      return {};
    case KeyStage::revoked:
      if (now - key.since >= options_.keep_revoked) return action(Kind::remove);
      return {};
  }
  return {};
}

std::vector<RotationAction> KeyRotation::next(WallTime now) const {
  std::vector<RotationAction> actions;
  actions.reserve(wanted_.size() + keys_.size());
  for (const auto kind : wanted_) actions.push_back({Kind::make, {}, kind});
  for (const auto& key : keys_)
    if (auto action = action_for(key, now)) actions.push_back(*std::move(action));
  std::ranges::sort(actions, {}, [](const auto& action) {
    return std::tie(action.kind, action.key_kind, action.selector);
  });
  return actions;
}

void KeyRotation::on_sight(std::string_view selector, KeySight sight, WallTime now) {
  auto* key = find(selector);
  if (key == nullptr || sight == KeySight::unknown) return;
  key->sight = sight;
  if (sight == KeySight::ours) seen_as_ours_.emplace(selector);
  const bool is_gone = sight == KeySight::revoked || sight == KeySight::absent;
  switch (key->stage) {
    case KeyStage::made:
      if (sight == KeySight::ours) move_to(*key, KeyStage::visible, now);
      break;
    case KeyStage::published:
      if (sight == KeySight::ours) {
        move_to(*key, KeyStage::visible, now);
      } else if (now - key->since >= options_.publish_again) {
        move_to(*key, KeyStage::made, now);
      }
      break;
    case KeyStage::visible:
      if (sight != KeySight::ours) move_to(*key, KeyStage::made, now);
      break;
    case KeyStage::signing:
      if (sight == KeySight::ours && !key->proven) key->proven = now;
      break;
    case KeyStage::retiring:
      // A person may have removed it, or we did before we were cut off.
      if (sight == KeySight::revoked || (is_gone && is_spent(*key, now)))
        move_to(*key, KeyStage::revoked, now);
      break;
    case KeyStage::revoked: break;
  }
  stand_in(now);
}

// Where nothing of a kind can sign any more, the one that signed before it does again, if it is
// still to be seen; what failed starts from the beginning.
void KeyRotation::stand_in(WallTime now) {
  for (auto& failed : keys_) {
    if (failed.stage != KeyStage::signing || signs(failed)) continue;
    const auto can_sign = [&](const RotatingKey& key) {
      return key.kind == failed.kind && key.stage == KeyStage::retiring && !key.stolen &&
             key.sight == KeySight::ours && seen_as_ours_.contains(key.selector);
    };
    const auto before = std::ranges::find_if(keys_, can_sign);
    if (before == keys_.end()) continue;
    move_to(*before, KeyStage::signing, now);
    move_to(failed, KeyStage::made, now);
  }
}

void KeyRotation::on_made(std::string selector, crypto::KeyKind kind, WallTime now) {
  keys_.push_back({.selector = std::move(selector), .kind = kind, .since = now});
  std::erase(wanted_, kind);
}

void KeyRotation::on_published(std::string_view selector, WallTime now) {
  auto* key = find(selector);
  if (key != nullptr && key->stage == KeyStage::made) move_to(*key, KeyStage::published, now);
}

void KeyRotation::on_proven(std::string_view selector, WallTime now) {
  auto* key = find(selector);
  if (key == nullptr || key->stage != KeyStage::visible) return;
  for (auto& other : keys_)
    if (other.kind == key->kind && other.stage == KeyStage::signing)
      move_to(other, KeyStage::retiring, now);
  move_to(*key, KeyStage::signing, now);
  key->proven = now;
}

void KeyRotation::on_revoked(std::string_view selector, WallTime now) {
  auto* key = find(selector);
  if (key != nullptr && key->stage == KeyStage::retiring) move_to(*key, KeyStage::revoked, now);
}

void KeyRotation::on_removed(std::string_view selector) {
  std::erase_if(keys_, [&](const auto& key) { return key.selector == selector; });
}

}  // namespace tapal::provision
