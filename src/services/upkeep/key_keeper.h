// Turns DKIM keys over (rules/provision/key_rotation.h): looks at DNS, makes keys, publishes and
// revokes them where DNS can be written, and tells people what to enter where it cannot.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ports/clock.h"
#include "ports/dns_account.h"
#include "ports/log.h"
#include "ports/loop.h"
#include "ports/resolver.h"
#include "ports/workers.h"
#include "services/upkeep/key_options.h"
#include "services/upkeep/key_shelf.h"
#include "services/upkeep/zone_authorities.h"

namespace tapal::upkeep {

// What each of a zone's own servers answers for the TXT records at `name`; none when they cannot be
// found. They may be out of reach, as behind a firewall.
using AskAuthorities = std::function<Task<std::vector<AuthorityAnswer>>(Loop&, std::string name)>;

// `authorities` outlives it.
AskAuthorities ask_each(ZoneAuthorities& authorities);

// All of it outlives the keeper.
struct KeyKeeperWorld {
  Loop& loop;  // the caller's own
  const Clock& clock;
  Log& log;
  Resolver& resolver;
  Workers& workers;  // where keys are made
  KeyShelf& shelf;
  // Who holds a domain's zone; null, or empty: a person.
  std::function<DnsAccount*(std::string_view domain)> account;
  AskAuthorities
      ask_authorities;  // empty, or nobody answers: the resolver's word stands for theirs
  // Told after files have changed, "DKIM keys of example.com"; may be empty.
  std::function<void(std::string what)> on_change;
  KeyKeeperOptions options;
};

// A record that a person is to enter.
struct RecordRequest {
  std::string name;
  std::string text;  // of the TXT record; empty: to be removed
  std::string why;
};

struct KeyReport {
  std::vector<provision::RotatingKey> keys;
  std::vector<std::string> changes;     // "tapal20261126 is signing"
  std::vector<RecordRequest> requests;  // where DNS is not ours to write
  std::vector<std::string> troubles;    // with their fixes
  bool is_due = false;                  // too old, and a person must begin
  bool is_under_way = false;
};

class KeyKeeper {
 public:
  explicit KeyKeeper(KeyKeeperWorld world);

  enum class Order : std::uint8_t {
    none,    // goes on with what is under way; begins what is due where DNS can be written
    turn,    // begins now, or goes on
    stolen,  // the same, and the old keys are revoked as soon as new ones sign
    look,    // changes nothing
  };
  // One round for a domain. Code::try_later: another process is at it.
  Task<Result<KeyReport>> tend(std::string domain, Order order);

  // All domains, at once and then again and again, until stop().
  Task<void> run();
  void stop();  // on the loop's thread

 private:
  void tell(const std::string& domain, const KeyReport& report);
  bool was_told(const std::string& what);

  KeyKeeperWorld world_;
  std::unique_ptr<Timer> timer_;
  std::map<std::string, WallTime> told_;  // reminders, so that each comes once a day
  bool stopped_ = false;
};

}  // namespace tapal::upkeep
