// The DKIM keys of our domains, as the configuration folder keeps them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "rules/provision/key_rotation.h"
#include "values/crypto/key.h"

namespace tapal::upkeep {

struct ShelvedKey {
  provision::RotatingKey state;
  std::shared_ptr<const crypto::PrivateKey> key;
};

// Small files, read and written on the caller's thread. Domains are A-labels.
struct KeyShelf {
  struct Lock {
    virtual ~Lock() = default;
  };
  struct Keys {
    std::vector<ShelvedKey> keys;
    bool has_states = false;  // else every key signs, as the owner put it there
  };

  virtual ~KeyShelf() = default;
  virtual std::vector<std::string> domains() = 0;  // those with keys
  // Held by whoever changes a domain's keys. Code::try_later: another process does.
  virtual Result<std::unique_ptr<Lock>> lock(const std::string& domain) = 0;
  virtual Result<Keys> read(const std::string& domain) = 0;
  virtual Result<void> save(const std::string& domain,
                            const std::vector<provision::RotatingKey>& states) = 0;
  // Under a selector that is new; which one. Code::full: there are too many.
  virtual Result<std::string> add(const std::string& domain, const crypto::PrivateKey& key) = 0;
  virtual Result<void> remove(const std::string& domain, const std::string& selector) = 0;
};

}  // namespace tapal::upkeep
