#include "rules/provision/key_rotation.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "rules/provision/key_state_file.h"

namespace tapal::provision {
namespace {

using namespace std::chrono_literals;
using Kind = RotationAction::Kind;
using Reason = KeyRotation::Reason;
using std::chrono::days;

constexpr WallTime start{days(20'000)};

RotatingKey signing_key(std::string selector) {
  return {.selector = std::move(selector),
          .kind = crypto::KeyKind::rsa,
          .stage = KeyStage::signing,
          .since = start,
          .proven = start,
          .sight = KeySight::ours};
}

RotatingKey key_of(const KeyRotation& rotation, std::string_view selector) {
  const auto found = std::ranges::find(rotation.keys(), selector, &RotatingKey::selector);
  return found == rotation.keys().end() ? RotatingKey{} : *found;
}

std::vector<Kind> kinds(const std::vector<RotationAction>& actions) {
  std::vector<Kind> out;
  for (const auto& action : actions) out.push_back(action.kind);
  return out;
}

TEST(KeyRotation, begins_when_a_key_is_old_enough) {
  const KeyRotation rotation({signing_key("a")}, {});
  EXPECT_FALSE(rotation.is_due(start + days(89)));
  EXPECT_TRUE(rotation.is_due(start + days(90)));
  EXPECT_TRUE(rotation.next(start + days(90)).empty()) << "only when told to begin";
}

TEST(KeyRotation, never_begins_by_itself_when_the_age_is_zero) {
  EXPECT_FALSE(KeyRotation({signing_key("a")}, {.every = 0s}).is_due(start + days(10'000)));
}

TEST(KeyRotation, goes_from_one_key_to_the_next) {
  KeyRotation rotation({signing_key("a")}, {});
  auto now = start + days(90);
  rotation.begin(Reason::time);
  EXPECT_EQ(kinds(rotation.next(now)), std::vector{Kind::make});
  rotation.on_made("b", crypto::KeyKind::rsa, now);
  EXPECT_EQ(kinds(rotation.next(now)), std::vector{Kind::publish});
  rotation.on_published("b", now);
  EXPECT_TRUE(rotation.next(now).empty()) << "until DNS shows it";
  EXPECT_FALSE(signs(key_of(rotation, "b")));
  rotation.on_sight("b", KeySight::ours, now);
  EXPECT_EQ(kinds(rotation.next(now)), std::vector{Kind::prove});
  EXPECT_TRUE(signs(key_of(rotation, "a")));
  rotation.on_proven("b", now);
  EXPECT_TRUE(signs(key_of(rotation, "b")));
  EXPECT_EQ(key_of(rotation, "a").stage, KeyStage::retiring);
  EXPECT_TRUE(rotation.next(now + days(13)).empty());
  EXPECT_EQ(kinds(rotation.next(now + days(14))), std::vector{Kind::revoke});
  rotation.on_revoked("a", now + days(14));
  EXPECT_EQ(kinds(rotation.next(now + days(21))), std::vector{Kind::remove});
  rotation.on_removed("a");
  EXPECT_EQ(rotation.keys().size(), 1U);
}

TEST(KeyRotation, revokes_a_stolen_key_as_soon_as_another_signs) {
  KeyRotation rotation({signing_key("a")}, {});
  rotation.begin(Reason::stolen);
  rotation.on_made("b", crypto::KeyKind::rsa, start);
  rotation.on_published("b", start);
  EXPECT_TRUE(rotation.next(start).empty()) << "mail stays signed until then";
  rotation.on_sight("b", KeySight::ours, start);
  rotation.on_proven("b", start);
  EXPECT_EQ(rotation.next(start), (std::vector{RotationAction{Kind::revoke, "a"}}));
}

struct Fault {
  std::string_view name;
  KeySight sight;
  bool was_proven;
  bool signs;
};
class KeyFaults : public testing::TestWithParam<Fault> {};
TEST_P(KeyFaults, decide_whether_it_signs) {
  auto key = signing_key("a");
  if (!GetParam().was_proven) key.proven.reset();
  KeyRotation rotation({key}, {});
  rotation.on_sight("a", GetParam().sight, start);
  EXPECT_EQ(signs(key_of(rotation, "a")), GetParam().signs);
}
INSTANTIATE_TEST_SUITE_P(All,
                         KeyFaults,
                         testing::Values(Fault{"ours", KeySight::ours, true, true},
                                         Fault{"unknown", KeySight::unknown, true, true},
                                         Fault{"absent", KeySight::absent, true, false},
                                         Fault{"never_there", KeySight::absent, false, true},
                                         Fault{"revoked", KeySight::revoked, false, false},
                                         Fault{"other", KeySight::other, false, false}),
                         [](const auto& fault) { return std::string(fault.param.name); });

TEST(KeyRotation, lets_the_key_before_stand_in_for_one_that_was_lost) {
  auto before = signing_key("a");
  before.stage = KeyStage::retiring;
  KeyRotation rotation({before, signing_key("b")}, {});
  rotation.on_sight("b", KeySight::absent, start + days(1));
  EXPECT_FALSE(signs(key_of(rotation, "a"))) << "not before DNS is asked for it again";
  rotation.on_sight("a", KeySight::ours, start + days(1));
  EXPECT_TRUE(signs(key_of(rotation, "a")));
  EXPECT_EQ(key_of(rotation, "b").stage, KeyStage::made);
}

TEST(KeyRotation, makes_a_new_key_in_place_of_one_that_was_overwritten) {
  KeyRotation rotation({signing_key("a")}, {.every = 0s});
  rotation.on_sight("a", KeySight::other, start);
  EXPECT_TRUE(rotation.is_due(start));
}

TEST(KeyRotation, keeps_the_kinds_apart) {
  auto ed25519 = signing_key("e");
  ed25519.kind = crypto::KeyKind::ed25519;
  KeyRotation rotation({signing_key("a"), ed25519}, {});
  rotation.begin(Reason::time);
  EXPECT_EQ(kinds(rotation.next(start)), (std::vector{Kind::make, Kind::make}));
  rotation.on_made("b", crypto::KeyKind::rsa, start);
  rotation.on_sight("b", KeySight::ours, start);
  rotation.on_proven("b", start);
  EXPECT_TRUE(signs(key_of(rotation, "b")));
  EXPECT_TRUE(signs(key_of(rotation, "e")));
}

// A made-up world per seed: DNS that lags, fails and cannot be reached, programs that are cut off
// between any two steps, clocks that leap, people who meddle. It keeps the files as the shell does.
class World {
 public:
  enum class Meddling : std::uint8_t { none, some };
  World(unsigned seed, Meddling meddling) : random_(seed), meddling_(meddling) {
    files_.push_back(signing_key("k0"));
    zone_["k0"] = KeySight::ours;
  }

  void live(int rounds) {
    for (int round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
      now_ += std::chrono::minutes(pick(1, chance(10) ? 60 * 24 * 20 : 60 * 6));
      if (meddling_ == Meddling::some && chance(3)) meddle();
      tend();
    }
  }
  void rest() {  // nothing fails any more
    calm_ = true;
    for (int round = 0; round < 400; ++round) {
      now_ += std::chrono::hours(6);
      tend();
    }
  }
  const std::vector<RotatingKey>& files() const { return files_; }
  std::size_t keys_made() const { return made_; }

 private:
  int pick(int least, int most) { return std::uniform_int_distribution(least, most)(random_); }
  bool chance(int percent) { return !calm_ && pick(1, 100) <= percent; }

  KeySight in_zone(const std::string& selector) const {
    const auto found = zone_.find(selector);
    return found == zone_.end() ? KeySight::absent : found->second;
  }
  void meddle() {
    if (zone_.empty()) return;
    auto at = std::next(zone_.begin(), pick(0, static_cast<int>(zone_.size()) - 1));
    meddled_.insert(at->first);
    if (chance(50)) {
      zone_.erase(at);
    } else {
      at->second = chance(50) ? KeySight::other : KeySight::revoked;
    }
  }

  void save(const KeyRotation& rotation) {
    files_ = rotation.keys();
    check_laws();
  }
  void check_laws() {
    std::size_t good = 0;
    for (const auto& key : files_) {
      if (!signs(key)) continue;
      last_signed_[key.selector] = now_;
      if (in_zone(key.selector) == KeySight::ours) ++good;
      if (!meddled_.contains(key.selector))
        EXPECT_EQ(in_zone(key.selector), KeySight::ours) << key.selector << " signs unpublished";
    }
    if (meddling_ == Meddling::none) EXPECT_GE(good, 1U) << "nothing signs";
    EXPECT_LE(files_.size(), 8U);
  }

  // One round of the shell. False from a step: it was cut off there.
  void tend() {
    KeyRotation rotation(files_, options_);
    std::set<std::string> looked_at;
    for (const auto& key : files_) {
      const auto sight = chance(20) ? KeySight::unknown : in_zone(key.selector);
      rotation.on_sight(key.selector, sight, now_);
      if (sight != KeySight::unknown) looked_at.insert(key.selector);
    }
    save(rotation);
    for (const auto& key : files_)  // a fault that was seen ends the signing at once
      if (signs(key) && key.proven && looked_at.contains(key.selector))
        EXPECT_EQ(in_zone(key.selector), KeySight::ours) << key.selector;
    if (rotation.is_due(now_)) rotation.begin(Reason::time);
    if (chance(2)) rotation.begin(chance(50) ? Reason::stolen : Reason::time);
    for (const auto& action : rotation.next(now_)) {
      if (chance(10)) return;  // cut off before it
      if (!act(rotation, action)) return;
      save(rotation);
    }
  }

  bool act(KeyRotation& rotation, const RotationAction& action) {
    const bool fails = chance(15);          // says so
    const bool cut = chance(10);            // done, but we never heard
    auto& record = zone_[action.selector];  // as of now: absent is the enum's "unknown"
    if (record == KeySight::unknown) record = KeySight::absent;
    switch (action.kind) {
      case Kind::make: {
        zone_.erase(action.selector);
        const auto selector = fmt::format("k{}", ++made_);
        if (cut) {  // the file is there, and no entry: it is new
          files_.push_back({.selector = selector, .kind = action.key_kind, .since = now_});
          return false;
        }
        rotation.on_made(selector, action.key_kind, now_);
        return true;
      }
      case Kind::publish:
        if (record != KeySight::absent || fails) break;
        record = KeySight::ours;
        if (cut) return false;
        rotation.on_published(action.selector, now_);
        break;
      case Kind::prove:
        if (record == KeySight::ours && !fails) rotation.on_proven(action.selector, now_);
        break;
      case Kind::revoke: {
        const auto signed_last = last_signed_.find(action.selector);
        const auto key = key_of(rotation, action.selector);
        if (signed_last != last_signed_.end() && !key.stolen)
          EXPECT_GE(now_ - signed_last->second, options_.keep_old) << action.selector;
        if (fails) break;
        record = KeySight::revoked;
        if (cut) return false;
        rotation.on_revoked(action.selector, now_);
        break;
      }
      case Kind::remove:
        if (fails) break;
        record = KeySight::absent;
        if (cut) return false;
        rotation.on_removed(action.selector);
        break;
    }
    return true;
  }

  std::mt19937 random_;
  Meddling meddling_;
  RotationOptions options_;
  WallTime now_ = start;
  std::map<std::string, KeySight> zone_;
  std::vector<RotatingKey> files_;  // as they are on disk
  std::map<std::string, WallTime> last_signed_;
  std::set<std::string> meddled_;
  std::size_t made_ = 0;
  bool calm_ = false;
};

TEST(KeyRotationLaws, hold_while_dns_fails_and_the_program_is_cut_off) {
  for (unsigned seed = 1; seed <= 3000 && !HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    World(seed, World::Meddling::none).live(120);
  }
}

TEST(KeyRotationLaws, hold_while_somebody_meddles_with_the_zone) {
  for (unsigned seed = 1; seed <= 3000 && !HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    World(seed, World::Meddling::some).live(120);
  }
}

TEST(KeyRotationLaws, it_comes_to_rest_and_goes_on_turning) {
  for (unsigned seed = 1; seed <= 300 && !HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    World world(seed, World::Meddling::none);
    world.live(60);
    const auto before = world.keys_made();
    world.rest();  // 100 days
    EXPECT_GE(world.keys_made(), before + 1);
    EXPECT_LE(world.keys_made(), before + 2);
    EXPECT_LE(world.files().size(), 2U);
  }
}

TEST(KeyStateFile, reads_what_it_wrote) {
  auto old = signing_key("tapal20260101");
  old.stage = KeyStage::retiring;
  old.stolen = true;
  const std::vector<RotatingKey> keys{
      signing_key("a.b"), old, {.selector = "c", .stage = KeyStage::made, .since = start}};
  const auto read = read_key_states(key_states_text(keys), "state.toml");
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(*read, keys);
}

TEST(KeyStateFile, tells_where_it_is_wrong) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"[a]\nstage = \"resting\"\n", "state.toml:2: a.stage: expected made, published"},
      {"[a]\nsince = 5\n", "state.toml:2: a.since: expected a time"},
      {"[a]\nstolen = \"no\"\n", "state.toml:2: a.stolen: expected true or false"},
      {"[a]\ncolour = \"red\"\n", "state.toml:2: a.colour: expected stage"},
      {"stage = \"made\"\n", "state.toml:1: expected a table for each key"},
      {"[a\n", "state.toml:1: "},
  };
  for (const auto& [text, told] : cases) {
    const auto read = read_key_states(text, "state.toml");
    ASSERT_FALSE(read) << text;
    EXPECT_TRUE(read.error().what.starts_with(told)) << read.error().what;
  }
}

}  // namespace
}  // namespace tapal::provision
