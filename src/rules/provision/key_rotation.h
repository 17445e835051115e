// The life of a domain's DKIM keys: when a new one is made, when it may sign, when an old one may
// go.
//
//   made -> published -> visible -> signing -> retiring -> revoked -> (gone)
//
// Between visible (every authority answers with it) and signing stands a proof: a signature of its
// own, checked against live DNS as a receiver would. So nothing is signed that cannot be checked,
// and what was signed can be checked until it has arrived. Pure: told what DNS shows and what was
// done, it says what each key is for and what to do next. Keys of one kind (RSA, Ed25519) follow
// each other; the kinds know nothing of each other.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "values/crypto/key.h"

namespace tapal::provision {

enum class KeyStage : std::uint8_t {
  made,       // a file here, nothing more
  published,  // given to whoever holds the zone
  visible,    // every authority answers with it; not proven yet
  signing,
  retiring,  // signs no more; published while what it signed may be on its way
  revoked,   // published with an empty p= (RFC 6376 section 3.6.1)
};

// What DNS shows at a key's name.
enum class KeySight : std::uint8_t {
  unknown,  // nobody could tell now
  absent,
  ours,
  revoked,
  other,  // something else than the public half of this key
};

std::string_view text_of(KeyStage stage);  // "signing"
std::string_view text_of(KeySight sight);  // "ours"
std::optional<KeyStage> key_stage_from(std::string_view text);
std::optional<KeySight> key_sight_from(std::string_view text);

struct RotatingKey {
  std::string selector;
  crypto::KeyKind kind = crypto::KeyKind::rsa;
  KeyStage stage = KeyStage::made;
  WallTime since{};                    // when the stage began
  std::optional<WallTime> proven;      // when DNS first showed it to be ours while it signed
  KeySight sight = KeySight::unknown;  // the last that was not unknown
  bool stolen = false;                 // revoked as soon as another signs

  bool operator==(const RotatingKey&) const = default;
};

// Whether mail is signed with it: in its time, and unless DNS shows that nobody could check the
// signature. A key that was never published signs, for that is how a domain begins: receivers
// take a signature without a key for none. Once it was there, a missing record is a fault.
bool signs(const RotatingKey& key);

struct RotationOptions {
  std::chrono::seconds every = std::chrono::days(90);  // the age of a key that is due; 0: never
  // As long as a message may wait in a queue and its signature holds, and 7 days at least.
  std::chrono::seconds keep_old = std::chrono::days(14);
  std::chrono::seconds keep_revoked = std::chrono::days(7);  // before the record is removed
  std::chrono::seconds publish_again = std::chrono::hours(1);
};

struct RotationAction {
  enum class Kind : std::uint8_t {
    make,     // a key of `key_kind`
    publish,  // its record
    prove,    // sign with it, and check that against live DNS
    revoke,   // publish it with an empty p=
    remove,   // its record and its file
  };
  Kind kind = Kind::make;
  std::string selector;  // of all but make
  crypto::KeyKind key_kind = crypto::KeyKind::rsa;

  bool operator==(const RotationAction&) const = default;
};

class KeyRotation {
 public:
  KeyRotation(std::vector<RotatingKey> keys, const RotationOptions& options)
      : keys_(std::move(keys)), options_(options) {}

  const std::vector<RotatingKey>& keys() const { return keys_; }

  // A new key of each kind that is used, and of `more`; kinds with a new one under way go on.
  enum class Reason : std::uint8_t { time, stolen };
  void begin(Reason reason, const std::vector<crypto::KeyKind>& more = {});
  // Whether a key is too old, or DNS shows that it cannot be used, and no new one is under way.
  bool is_due(WallTime now) const;
  bool is_under_way() const;  // something is to be seen or done before long

  // What is to be done now, in this order. What cannot be done is asked for again the next time.
  std::vector<RotationAction> next(WallTime now) const;

  // What was seen and done.
  void on_sight(std::string_view selector, KeySight sight, WallTime now);
  void on_made(std::string selector, crypto::KeyKind kind, WallTime now);
  void on_published(std::string_view selector, WallTime now);
  void on_proven(std::string_view selector, WallTime now);
  void on_revoked(std::string_view selector, WallTime now);
  void on_removed(std::string_view selector);

 private:
  RotatingKey* find(std::string_view selector);
  bool has_new(crypto::KeyKind kind) const;
  bool is_spent(const RotatingKey& key, WallTime now) const;
  std::optional<RotationAction> action_for(const RotatingKey& key, WallTime now) const;
  void stand_in(WallTime now);

  std::vector<RotatingKey> keys_;
  RotationOptions options_;
  std::vector<crypto::KeyKind> wanted_;  // kinds to make a key of
  std::set<std::string> seen_as_ours_;   // selectors, by this object itself
};

}  // namespace tapal::provision
