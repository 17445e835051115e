// One look at a domain's DKIM keys, and what follows from it. KeyKeeper's alone.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "services/upkeep/key_keeper.h"

namespace tapal::upkeep {

class KeyRound {
 public:
  KeyRound(const KeyKeeperWorld& world, std::string domain, KeyShelf::Keys shelved);

  Task<void> look();  // at every key
  Task<Result<void>> turn(KeyKeeper::Order order);
  Result<void> ask_person();  // for what a turn would; nothing is done
  KeyReport report();

 private:
  using Action = provision::RotationAction;

  std::string name_of(const std::string& selector) const;
  const crypto::PrivateKey* key_of(const std::string& selector) const;
  Task<void> look_at(std::string selector);
  std::vector<provision::KeySight> sights_of(const std::string& selector,
                                             const std::vector<AuthorityAnswer>& answers);
  Task<provision::KeySight> ask(std::string selector);
  Task<Result<void>> act(Action action);
  Task<Result<void>> make(crypto::KeyKind kind);
  Task<Result<void>> publish(std::string selector);
  Task<Result<void>> prove(std::string selector);
  Task<Result<void>> revoke(std::string selector);
  Task<Result<void>> remove(std::string selector);
  Task<Result<void>> write(std::string selector, std::string text);
  Result<void> save();
  Result<void> request_publishing(const std::string& selector);
  void request_revoking(const std::string& selector);

  const KeyKeeperWorld& world_;
  std::string domain_;
  DnsAccount* account_;
  std::vector<ShelvedKey> shelved_;
  provision::KeyRotation rotation_;
  std::vector<provision::RotatingKey> before_;  // as it was read
  std::vector<provision::RotatingKey> saved_;
  bool has_states_;
  KeyReport report_;
};

}  // namespace tapal::upkeep
