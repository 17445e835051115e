// A zone, its provider and a shelf of keys in memory, for tests of whoever looks after keys.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ports/test_fakes.h"
#include "ports/test_loop.h"
#include "services/upkeep/key_keeper.h"

namespace tapal::upkeep {

// What is written is answered at once.
class TestZone final : public Resolver, public DnsAccount {
 public:
  std::map<std::string, std::vector<std::string>> texts;
  std::optional<Error> resolver_failure, account_failure;

  const DnsAccountLimits& limits() const override { return limits_; }
  Task<Result<std::string>> find_zone(Loop&, std::string) override {
    if (account_failure) co_return std::unexpected(*account_failure);
    co_return "example.com";
  }
  Task<Result<dns::RecordSet>> read(Loop&, std::string, std::string name, dns::Type type) override {
    dns::RecordSet set{.name = name, .type = type};
    for (const auto& text : texts[name]) set.data.emplace_back(dns::Text{text});
    co_return set;
  }
  Task<Result<void>> write(Loop&, std::string, std::vector<dns::RecordSet> sets) override {
    for (const auto& set : sets) {
      texts.erase(set.name);
      for (const auto& data : set.data) texts[set.name].push_back(std::get<dns::Text>(data).value);
    }
    co_return Result<void>();
  }
  Task<Result<DnsAnswer>> resolve(Loop&, std::string name, dns::Type type) override {
    if (resolver_failure) co_return std::unexpected(*resolver_failure);
    DnsAnswer answer;
    const auto found = texts.find(name);
    if (found != texts.end() && !found->second.empty()) {
      answer.status = DnsAnswer::Status::found;
      for (const auto& text : found->second)
        answer.records.push_back({name, type, std::chrono::seconds(60), dns::Text{text}});
    }
    co_return answer;
  }

 private:
  DnsAccountLimits limits_;
};

class TestShelf final : public KeyShelf {
 public:
  Keys kept;
  bool is_locked = false;
  int made = 0;

  std::vector<std::string> domains() override { return {"example.com"}; }
  Result<std::unique_ptr<Lock>> lock(const std::string&) override {
    if (is_locked) return fail(Code::try_later, "locked");
    return std::make_unique<Lock>();
  }
  Result<Keys> read(const std::string&) override { return kept; }
  Result<void> save(const std::string&,
                    const std::vector<provision::RotatingKey>& states) override {
    kept.has_states = true;
    for (const auto& state : states)
      for (auto& key : kept.keys)
        if (key.state.selector == state.selector) key.state = state;
    return {};
  }
  Result<std::string> add(const std::string&, const crypto::PrivateKey& key) override {
    auto selector = "new" + std::to_string(++made);
    put(selector, key.to_pem(), provision::KeyStage::made);
    return selector;
  }
  Result<void> remove(const std::string&, const std::string& selector) override {
    std::erase_if(kept.keys, [&](const auto& key) { return key.state.selector == selector; });
    return {};
  }

  void put(const std::string& selector, const std::string& pem, provision::KeyStage stage) {
    auto key = crypto::PrivateKey::from_pem(pem).value();
    const auto kind = key.kind();
    kept.keys.push_back({{.selector = selector, .kind = kind, .stage = stage},
                         std::make_shared<const crypto::PrivateKey>(std::move(key))});
  }
  provision::RotatingKey state(const std::string& selector) const {
    for (const auto& key : kept.keys)
      if (key.state.selector == selector) return key.state;
    return {.selector = "(none)"};
  }
};

}  // namespace tapal::upkeep
