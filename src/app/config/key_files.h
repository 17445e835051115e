// The keys of the configuration folder, for whoever turns them over.
#pragma once

#include <filesystem>

#include "ports/clock.h"
#include "services/upkeep/key_shelf.h"

namespace tapal::app {

class KeyFiles final : public upkeep::KeyShelf {
 public:
  KeyFiles(std::filesystem::path config, const Clock& clock)
      : config_(std::move(config)), clock_(clock) {}

  std::vector<std::string> domains() override;
  Result<std::unique_ptr<Lock>> lock(const std::string& domain) override;
  Result<Keys> read(const std::string& domain) override;
  Result<void> save(const std::string& domain,
                    const std::vector<provision::RotatingKey>& states) override;
  Result<std::string> add(const std::string& domain, const crypto::PrivateKey& key) override;
  Result<void> remove(const std::string& domain, const std::string& selector) override;

 private:
  std::filesystem::path config_;
  const Clock& clock_;
};

}  // namespace tapal::app
