#include "rules/migrate/dead_targets.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "rules/alias/aliases_file.h"
#include "values/text/ascii.h"

namespace tapal::migrate {
namespace {

// An alias by its place in the inventory.
struct AliasAt {
  std::size_t domain = 0;
  std::size_t alias = 0;
};

class Graph {
 public:
  Graph(Inventory& inventory, const AskKnown& ask_known)
      : inventory_(inventory), ask_known_(ask_known) {}

  void drop_dead() {
    for (const auto& domain : inventory_.domains) take_in_names(domain);
    for (std::size_t d = 0; d < inventory_.domains.size(); ++d) {
      live_.emplace_back(inventory_.domains[d].aliases.size(), 0);
      for (std::size_t a = 0; a < live_[d].size(); ++a) look_at({d, a});
    }
    while (!to_tell_.empty()) {
      const auto key = std::move(to_tell_.back());
      to_tell_.pop_back();
      for (const auto& at : leading_to_[key]) lose_target(at, key);
    }
    for (auto& domain : inventory_.domains) sweep(domain);
  }

 private:
  OldAlias& alias(const AliasAt& at) {
    return inventory_.domains.at(at.domain).aliases.at(at.alias);
  }

  static std::string key_of(std::string_view name, const OldDomain& domain) {
    const auto address = mail::make_address(name, domain.name);
    return address ? alias::lookup_key(*address, domain.settings) : std::string();
  }

  // What mail can be for. An alias's name counts as often as it stands there.
  void take_in_names(const OldDomain& domain) {
    for (const auto& user : domain.users)
      if (!user.password_hash.empty() || !user.clear_password.empty())
        users_.insert(key_of(user.name, domain));
    for (const auto& each : domain.aliases) {
      if (each.name == "*")
        catching_.insert(domain.name);
      else
        ++names_[key_of(each.name, domain)];
    }
  }

  bool leads_somewhere(const mail::Address& address, const std::string& key) const {
    const auto name = names_.find(key);
    return users_.contains(key) || (name != names_.end() && name->second > 0) ||
           catching_.contains(address.domain) || ask_known_(address) != Known::nobody;
  }

  // The key of an address at one of the inventory's domains that mail goes to as usual; else empty.
  std::string key_of_own(const alias::RuleTarget& target) {
    const bool is_plain = target.kind == alias::RuleTarget::Kind::address &&
                          target.handover.kind == mail::Handover::Kind::usual;
    const auto* domain = is_plain ? inventory_.find(target.address.domain) : nullptr;
    return domain == nullptr ? "" : alias::lookup_key(target.address, domain->settings);
  }

  // What is wrong with a target by itself; empty: nothing.
  std::string problem_of(const std::string& text, const AliasAt& at) {
    const auto& domain = inventory_.domains[at.domain];
    const auto target = alias::read_target(text, {.domain = domain.name});
    if (!target) return target.error().what;
    const auto key = key_of_own(*target);
    if (key.empty()) return {};
    // An alias that names itself means the mailbox.
    if (key == key_of(alias(at).name, domain) && !users_.contains(key) &&
        ask_known_(target->address) != Known::user)
      return fmt::format("{} has no mailbox here", key);
    leading_to_[key].push_back(at);
    if (!leads_somewhere(target->address, key)) bury(key);
    return {};
  }

  void look_at(const AliasAt& at) {
    auto& each = alias(at);
    std::erase_if(each.targets, [&](const std::string& text) {
      const auto problem = problem_of(text, at);
      if (!problem.empty()) tell(each, problem);
      return !problem.empty();
    });
    live(at) = each.targets.size();
    if (each.targets.empty()) end(at);
  }

  void lose_target(const AliasAt& at, const std::string& key) {
    tell(alias(at), key + " is neither a user nor an alias here");
    if (--live(at) == 0) end(at);
  }

  // Nothing is left of an alias: what leads to its name may lead nowhere now.
  void end(const AliasAt& at) {
    const auto& domain = inventory_.domains[at.domain];
    const auto key = key_of(alias(at).name, domain);
    const auto name = names_.find(key);
    if (name == names_.end() || --name->second > 0) return;
    const auto address = mail::make_address(alias(at).name, domain.name);
    if (address && !leads_somewhere(*address, key)) bury(key);
  }

  void bury(const std::string& key) {
    if (dead_.insert(key).second) to_tell_.push_back(key);
  }

  void sweep(OldDomain& domain) {
    for (auto& each : domain.aliases)
      std::erase_if(each.targets, [&](const std::string& text) {
        const auto target = alias::read_target(text, {.domain = domain.name});
        return target && dead_.contains(key_of_own(*target));
      });
    std::erase_if(domain.aliases, [](const OldAlias& each) { return each.targets.empty(); });
  }

  void tell(const OldAlias& each, std::string_view what) {
    inventory_.leave(each.place, fmt::format("{}: {}", text::printable(each.name, 80), what));
  }

  std::size_t& live(const AliasAt& at) { return live_.at(at.domain).at(at.alias); }

  Inventory& inventory_;
  const AskKnown& ask_known_;
  std::unordered_set<std::string> users_;
  std::unordered_map<std::string, std::size_t> names_;
  std::unordered_set<std::string> catching_;  // domains with an alias for every name
  std::unordered_map<std::string, std::vector<AliasAt>> leading_to_;
  std::vector<std::vector<std::size_t>> live_;  // targets left, by domain and alias
  std::unordered_set<std::string> dead_;
  std::vector<std::string> to_tell_;  // of these, those whose aliases do not know yet
};

}  // namespace

void drop_dead_targets(Inventory& inventory, const AskKnown& ask_known) {
  Graph(inventory, ask_known).drop_dead();
}

}  // namespace tapal::migrate
