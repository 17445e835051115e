#include "rules/alias/alias_table.h"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include <fmt/format.h>

#include "rules/alias/aliases_file.h"

namespace tapal::alias {
namespace {

constexpr std::size_t no_parent = static_cast<std::size_t>(-1);

// "user+suffix" by the key "user"; nothing when there is no suffix.
std::optional<std::string> key_without_suffix(const mail::Address& address) {
  const std::size_t plus = address.local.find('+');
  if (plus == std::string::npos || plus == 0) return {};
  return mail::Address{address.local.substr(0, plus), address.domain}.key();
}

}  // namespace

class AliasTableBuilder {
 public:
  explicit AliasTableBuilder(std::span<const DomainInput> domains) : inputs_(domains) {}

  BuiltAliasTable build() {
    for (const DomainInput& input : inputs_) add_users(input);
    for (const DomainInput& input : inputs_) add_rules(input);
    for (const DomainInput& input : inputs_) add_mandatory_names(input);
    for (std::size_t i = 0; i < rules_.size(); ++i) expand(i);
    return std::move(built_);
  }

 private:
  struct Rule {
    AliasRule rule;
    const DomainInput* input;
    std::string key;
  };
  // One alias on the way from the alias being expanded.
  struct Step {
    std::size_t rule;
    std::size_t parent;  // index of the step that led here
    std::size_t depth;
  };
  struct Target {
    std::optional<std::size_t> rule;
    std::optional<std::uint32_t> user;
  };

  void add_users(const DomainInput& input) {
    auto& domain = built_.table.domains_[input.domain];
    for (const std::string& local : input.users) {
      mail::Address address{local, input.domain};
      const auto index = static_cast<std::uint32_t>(built_.table.users_.size());
      std::string key = address.key();
      if (!users_by_key_.try_emplace(key, index).second) continue;
      domain.by_key.try_emplace(std::move(key), 1, index);
      built_.table.users_.push_back(std::move(address));
    }
  }

  void add_rules(const DomainInput& input) {
    AliasesFile file = read_aliases(input.aliases_text, input.domain, input.aliases_file);
    std::ranges::move(file.problems, std::back_inserter(built_.problems));
    for (AliasRule& rule : file.rules) add_rule(std::move(rule), input);
  }

  void add_rule(AliasRule rule, const DomainInput& input) {
    std::string key =
        rule.name == "*" ? "*@" + input.domain : mail::Address{rule.name, input.domain}.key();
    rules_by_key_.try_emplace(key, rules_.size());
    rules_.push_back({std::move(rule), &input, std::move(key)});
  }

  void add_mandatory_names(const DomainInput& input) {
    if (rules_by_key_.contains("*@" + input.domain)) return;
    std::vector<std::string> added;
    for (const std::string_view name : {"postmaster", "abuse"}) {
      const std::string key = mail::Address{std::string(name), input.domain}.key();
      if (rules_by_key_.contains(key) || users_by_key_.contains(key)) continue;
      added.push_back(fmt::format("{}@{}", name, input.domain));
      if (input.users.empty()) continue;
      add_rule({std::string(name), {{input.users.front(), input.domain}}, 0}, input);
    }
    if (added.empty()) return;
    if (!input.users.empty()) {
      built_.notices.push_back(
          fmt::format("mail to {} goes to {}, the first user; {} can name another",
                      fmt::join(added, " and "),
                      mail::Address{input.users.front(), input.domain}.text(),
                      input.aliases_file));
    } else if (input.users_are_complete) {
      built_.notices.push_back(fmt::format(
          "mail to {} is refused: {} has no users", fmt::join(added, " and "), input.domain));
    }
  }

  Target find(const mail::Address& address, std::size_t from_rule) const {
    std::string key = address.key();
    for (int attempt = 0; attempt < 2; ++attempt) {
      const auto user = users_by_key_.find(key);
      const bool is_user = user != users_by_key_.end();
      const auto rule = rules_by_key_.find(key);
      const bool names_itself = is_user && rules_[from_rule].key == key;
      if (rule != rules_by_key_.end() && !names_itself) return {rule->second, {}};
      if (is_user) return {{}, user->second};
      auto shorter = key_without_suffix(address);
      if (!shorter) break;
      key = *std::move(shorter);
    }
    return {};
  }

  void problem(const Rule& rule, std::string_view what) {
    if (rule.rule.line == 0) return;  // ours, for postmaster; the alias it meets has a line
    built_.problems.push_back(
        fmt::format("{}:{}: {}", rule.input->aliases_file, rule.rule.line, what));
  }

  void missing_target(const Rule& rule, const mail::Address& target) {
    const auto own =
        std::ranges::find(inputs_, target.domain, [](const DomainInput& d) { return d.domain; });
    if (own == inputs_.end()) {
      problem(rule,
              fmt::format("{} is not at a domain of this server; aliases that lead to other "
                          "servers are not supported yet",
                          target.text()));
    } else if (own->users_are_complete) {
      problem(rule, fmt::format("{} is neither a user nor an alias", target.text()));
    }
  }

  std::string path_of(const std::vector<Step>& steps, std::size_t step) const {
    std::vector<std::string> names;
    for (; step != no_parent; step = steps[step].parent)
      names.push_back(rules_[steps[step].rule].rule.name);
    std::ranges::reverse(names);
    return fmt::format("{}", fmt::join(names, " -> "));
  }

  // What is found on the way from one alias to the users behind it.
  struct Walk {
    std::size_t first;
    std::vector<Step> steps;
    std::unordered_set<std::size_t> seen_rules;
    std::unordered_set<std::uint32_t> seen_users;
    std::vector<std::uint32_t> users;
  };

  // Breadth first.
  void expand(std::size_t first) {
    const Rule& origin = rules_[first];
    Walk walk{first, {{first, no_parent, 1}}, {first}, {}, {}};
    for (std::size_t at = 0; at < walk.steps.size(); ++at) {
      const std::size_t from = walk.steps[at].rule;
      for (const mail::Address& address : rules_[from].rule.targets) {
        const Target target = find(address, from);
        if (!target.user && !target.rule && at == 0) missing_target(origin, address);
        if (const auto wrong = follow(walk, target, at); !wrong.empty())
          return problem(origin, wrong);
      }
    }
    auto& domain = built_.table.domains_[origin.input->domain];
    (origin.rule.name == "*" ? domain.catch_all : domain.by_key[origin.key]) =
        std::move(walk.users);
  }

  // Takes one target of the alias at step `at`; the text tells why it cannot be.
  std::string follow(Walk& walk, const Target& target, std::size_t at) const {
    const std::string& name = rules_[walk.first].rule.name;
    if (target.user && walk.seen_users.insert(*target.user).second)
      walk.users.push_back(*target.user);
    if (target.rule == walk.first)
      return fmt::format("the alias leads back to itself: {} -> {}", path_of(walk.steps, at), name);
    if (target.rule && walk.seen_rules.insert(*target.rule).second)
      walk.steps.push_back({*target.rule, at, walk.steps[at].depth + 1});
    if (walk.steps.back().depth > alias_depth_max) {
      return fmt::format("more than {} aliases deep: {}",
                         alias_depth_max,
                         path_of(walk.steps, walk.steps.size() - 1));
    }
    if (walk.users.size() > targets_max || walk.steps.size() > targets_max)
      return fmt::format("{} leads to more than {} addresses", name, targets_max);
    return {};
  }

  std::span<const DomainInput> inputs_;
  std::unordered_map<std::string, std::uint32_t> users_by_key_;
  std::unordered_map<std::string, std::size_t> rules_by_key_;
  std::vector<Rule> rules_;
  BuiltAliasTable built_;
};

BuiltAliasTable build_alias_table(std::span<const DomainInput> domains) {
  return AliasTableBuilder(domains).build();
}

Resolution AliasTable::resolve(const mail::Address& address) const {
  Resolution resolution;
  const auto domain = domains_.find(address.domain);
  if (domain == domains_.end()) return resolution;
  resolution.status = Resolution::Status::unknown_user;

  const auto& by_key = domain->second.by_key;
  auto found = by_key.find(address.key());
  if (found == by_key.end()) {
    if (const auto shorter = key_without_suffix(address)) found = by_key.find(*shorter);
  }
  const auto& users = found == by_key.end() ? domain->second.catch_all : found->second;
  if (users.empty()) return resolution;
  resolution.status = Resolution::Status::users;
  for (const std::uint32_t user : users) resolution.users.push_back(users_[user]);
  return resolution;
}

}  // namespace tapal::alias
