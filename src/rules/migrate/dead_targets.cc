#include "rules/migrate/dead_targets.h"

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "rules/alias/aliases_file.h"
#include "values/text/ascii.h"

namespace tapal::migrate {
namespace {

// An alias of the inventory, and how many of its targets are left.
struct Node {
  const OldDomain& domain;
  OldAlias& alias;
  std::size_t live = 0;
};

class Graph {
 public:
  Graph(Inventory& inventory, const AskKnown& ask_known)
      : inventory_(inventory), ask_known_(ask_known) {}

  void drop_dead() {
    for (auto& [name, domain] : inventory_.domains) take_in(domain);
    for (auto& node : nodes_) look_at(node);
    while (!to_tell_.empty()) {
      const auto key = std::move(to_tell_.back());
      to_tell_.pop_back();
      for (auto* node : leading_to_[key]) lose_target(*node, key);
    }
    for (auto& [name, domain] : inventory_.domains) sweep(domain);
  }

 private:
  static std::string key_of(std::string_view name, const OldDomain& domain) {
    const auto address = mail::make_address(name, domain.name);
    return address ? alias::lookup_key(*address, domain.settings) : std::string();
  }

  // What mail can be for. An alias's name counts as often as it stands there.
  void take_in(OldDomain& domain) {
    for (const auto& user : domain.users)
      if (!user.password_hash.empty() || !user.clear_password.empty())
        users_.insert(key_of(user.name, domain));
    for (auto& each : domain.aliases) {
      nodes_.push_back({domain, each});
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
  std::string problem_of(const std::string& text, Node& node) {
    const auto target = alias::read_target(text, {.domain = node.domain.name});
    if (!target) return target.error().what;
    const auto key = key_of_own(*target);
    if (key.empty()) return {};
    // An alias that names itself means the mailbox.
    if (key == key_of(node.alias.name, node.domain) && !users_.contains(key) &&
        ask_known_(target->address) != Known::user)
      return fmt::format("{} has no mailbox here", key);
    leading_to_[key].push_back(&node);
    if (!leads_somewhere(target->address, key)) bury(key);
    return {};
  }

  void look_at(Node& node) {
    std::erase_if(node.alias.targets, [&](const std::string& text) {
      const auto problem = problem_of(text, node);
      if (!problem.empty()) tell(node.alias, problem);
      return !problem.empty();
    });
    node.live = node.alias.targets.size();
    if (node.live == 0) end(node);
  }

  void lose_target(Node& node, const std::string& key) {
    tell(node.alias, key + " is neither a user nor an alias here");
    if (--node.live == 0) end(node);
  }

  // Nothing is left of an alias: what leads to its name may lead nowhere now.
  void end(const Node& node) {
    const auto key = key_of(node.alias.name, node.domain);
    const auto name = names_.find(key);
    if (name == names_.end() || --name->second > 0) return;
    const auto address = mail::make_address(node.alias.name, node.domain.name);
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

  Inventory& inventory_;
  const AskKnown& ask_known_;
  std::unordered_set<std::string> users_;
  std::unordered_map<std::string, std::size_t> names_;
  std::unordered_set<std::string> catching_;  // domains with an alias for every name
  std::unordered_map<std::string, std::vector<Node*>> leading_to_;
  std::deque<Node> nodes_;  // of all aliases; they stay in place
  std::unordered_set<std::string> dead_;
  std::vector<std::string> to_tell_;  // of these, those whose aliases do not know yet
};

}  // namespace

void drop_dead_targets(Inventory& inventory, const AskKnown& ask_known) {
  Graph(inventory, ask_known).drop_dead();
}

}  // namespace tapal::migrate
