#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "rules/alias/alias_table.h"
#include "rules/alias/alias_walk.h"

namespace tapal::alias {

using account::Role;

class AliasTableBuilder {
 public:
  explicit AliasTableBuilder(std::span<const DomainInput> domains) : inputs_(domains) {}

  BuiltAliasTable build() {
    for (const DomainInput& input : inputs_) add_users(input);
    for (const DomainInput& input : inputs_) add_rules(input);
    for (const DomainInput& input : inputs_) add_first_user(input);
    for (const DomainInput& input : inputs_) settle_first_user(input);
    for (std::size_t number = 0; number < index_.rules.size(); ++number)
      check(static_cast<AliasIndex::Number>(number));
    for (const DomainInput& input : inputs_) tell(input);
    return std::move(built_);
  }

 private:
  AliasIndex::Domain& domain_of(const DomainInput& input) { return index_.domains[input.domain]; }

  void add_users(const DomainInput& input) {
    auto& domain = domain_of(input);
    domain.settings = input.settings;
    domain.file = input.aliases_file;
    for (const std::string& local : input.users) {
      mail::Address address{local, input.domain};
      auto& entry = domain.names[lookup_key(address, input.settings)];
      if (entry.user) continue;
      entry.user = static_cast<AliasIndex::Number>(index_.users.size());
      index_.users.push_back(std::move(address));
    }
  }

  void add_rules(const DomainInput& input) {
    AliasesFile file = read_aliases(
        {input.aliases_text, input.domain, input.aliases_file, input.settings, input.read_include});
    std::ranges::move(file.problems, std::back_inserter(built_.problems));
    auto& domain = domain_of(input);
    for (AliasRule& rule : file.rules) {
      domain.has_aliases = true;
      if (std::ranges::any_of(rule.targets, [this](const auto& each) { return leads_out(each); }))
        built_.leads_out = true;
      const auto kind = rule.kind;
      mail::Address name{rule.name, input.domain};
      const auto number = add_rule(std::move(rule), input);
      if (kind == AliasRule::Kind::catch_all) {
        domain.catch_all = number;
      } else if (kind == AliasRule::Kind::pattern) {
        domain.patterns.push_back(number);
      } else {
        auto& entry = domain.names[lookup_key(name, input.settings)];
        entry.rule = number;
        name_kept_mailbox(number, entry, input);
      }
    }
  }

  bool leads_out(const RuleTarget& target) const {
    const bool is_address =
        target.kind == RuleTarget::Kind::address || target.kind == RuleTarget::Kind::mapped;
    return is_address && !index_.domains.contains(target.address.domain);
  }

  AliasIndex::Number add_rule(AliasRule rule, const DomainInput& input) {
    index_.rules.push_back({std::move(rule), input.domain});
    return static_cast<AliasIndex::Number>(index_.rules.size() - 1);
  }

  void name_kept_mailbox(AliasIndex::Number number,
                         const AliasIndex::Entry& entry,
                         const DomainInput& input) {
    auto& rule = index_.rules[number].rule;
    for (RuleTarget& target : rule.targets) {
      if (target.kind != RuleTarget::Kind::keep) continue;
      if (entry.user && has_mailboxes(input)) {
        target.address = index_.users[*entry.user];
      } else if (entry.user) {
        problem(number, no_mailbox(index_.users[*entry.user], input));
      } else if (input.users_are_complete) {
        problem(number, fmt::format(":keep: needs a user, and {} is none", rule.name));
      }
    }
  }

  void add_first_user(const DomainInput& input) {
    const Role role = input.settings.role;
    if (input.users.empty() || role == Role::send || role == Role::backup_mx) return;
    auto& domain = domain_of(input);
    const mail::Address first{input.users.front(), input.domain};
    const auto& entry = domain.names.at(lookup_key(first, input.settings));
    // With "send+forward" there are no mailboxes but, where no alias takes it, this one.
    RuleTarget target{.address = first};
    target.kind = entry.rule ? RuleTarget::Kind::address : RuleTarget::Kind::keep;
    AliasRule rule{.name = "postmaster"};
    rule.targets.push_back(std::move(target));
    domain.first_user = add_rule(std::move(rule), input);
  }

  // Where the first user's alias takes no mail, that user's mailbox does.
  void settle_first_user(const DomainInput& input) {
    const auto& domain = domain_of(input);
    if (!domain.first_user) return;
    Walk walk(index_, Walk::Roles::heeded);
    walk.from_rule(*domain.first_user);
    const auto status = walk.resolution().status;
    if (status != Resolution::Status::rejected && status != Resolution::Status::unknown) return;
    index_.rules[*domain.first_user].rule.targets.front().kind = RuleTarget::Kind::keep;
  }

  static bool has_mailboxes(const DomainInput& input) {
    return input.settings.role == Role::receive;
  }

  static std::string no_mailbox(const mail::Address& user, const DomainInput& input) {
    return fmt::format("{} has no mailbox, since the role of {} is \"{}\"; name where it goes",
                       user.text(),
                       input.domain,
                       account::text_of(input.settings.role));
  }

  const DomainInput* input_of(std::string_view domain) const {
    const auto found = std::ranges::find(inputs_, domain, &DomainInput::domain);
    return found == inputs_.end() ? nullptr : &*found;
  }

  void problem(AliasIndex::Number number, std::string_view what) {
    const auto& [rule, domain] = index_.rules[number];
    if (rule.line == 0) return;  // ours, for postmaster; the alias it meets has a line
    built_.problems.push_back(
        fmt::format("{}:{}: {}", index_.domains.at(domain).file, rule.line, what));
  }

  // Walks each alias to its end: what is wrong whatever the local part is told now.
  void check(AliasIndex::Number number) {
    const auto& [rule, domain] = index_.rules[number];
    const mail::Address name{rule.name, domain};
    const bool is_asked = index_.domains.at(domain).settings.role != Role::send ||
                          (rule.kind == AliasRule::Kind::name && is_mandatory(name));
    Walk walk(index_, is_asked ? Walk::Roles::heeded : Walk::Roles::ignored);
    walk.from_rule(number);
    const bool takes_none =
        walk.steps().size() == 1 || walk.resolution().status == Resolution::Status::rejected;
    if (takes_none && rule.kind == AliasRule::Kind::name && is_mandatory(name))
      problem(number, fmt::format("{} must take mail (RFC 5321 section 4.5.1)", rule.name));
    for (const Step& step : walk.steps()) {
      if (step.end == Step::End::endless) {
        // A circle is told of each alias that is in it, and no other.
        const bool is_circle = step.found.entry.rule && step.depth <= alias_depth_max &&
                               step.text.starts_with("the alias leads back");
        if (!is_circle || step.found.entry.rule == number || rule.kind != AliasRule::Kind::name)
          problem(number, step.text);
        return;
      }
      const bool is_missing = step.end == Step::End::unknown && step.parent == 0 &&
                              step.by->kind == RuleTarget::Kind::address;
      if (is_missing) tell_missing(number, step);
    }
  }

  void tell_missing(AliasIndex::Number number, const Step& step) {
    const auto* input = input_of(step.address.domain);
    if (step.found.entry.user) {
      problem(number, no_mailbox(index_.users[*step.found.entry.user], *input));
    } else if (input == nullptr || input->users_are_complete) {
      problem(number, fmt::format("{} is neither a user nor an alias", step.address.text()));
    }
  }

  void tell(const DomainInput& input) {
    const auto& domain = domain_of(input);
    if (input.settings.role == Role::send) {
      tell_unused(input);
      return;
    }
    if (input.settings.role == Role::backup_mx) return;
    std::vector<std::string> unsaid;
    for (const std::string_view name : {"postmaster", "abuse"}) {
      const mail::Address address{std::string(name), input.domain};
      const auto found = index_.find(address);
      if (found.way == AliasIndex::Way::nothing || found.way == AliasIndex::Way::first_user)
        unsaid.push_back(address.text());
    }
    if (unsaid.empty()) return;
    if (domain.first_user) {
      built_.notices.push_back(
          fmt::format("mail to {} goes to {}, the first user; {} can name another",
                      fmt::join(unsaid, " and "),
                      mail::Address{input.users.front(), input.domain}.text(),
                      input.aliases_file));
    } else if (input.users_are_complete) {
      built_.notices.push_back(fmt::format(
          "mail to {} is refused: {} has no users", fmt::join(unsaid, " and "), input.domain));
    }
  }

  void tell_unused(const DomainInput& input) {
    const auto& domain = domain_of(input);
    const bool any =
        domain.catch_all || !domain.patterns.empty() ||
        std::ranges::any_of(domain.names, [&](const auto& entry) {
          return entry.second.rule &&
                 !is_mandatory({index_.rules[*entry.second.rule].rule.name, input.domain});
        });
    if (!any) return;
    built_.notices.push_back(
        fmt::format("{}: the role of {} is \"send\", so its mail goes to its MX; aliases but those "
                    "of postmaster and abuse only say who may send as them",
                    input.aliases_file,
                    input.domain));
  }

  std::span<const DomainInput> inputs_;
  BuiltAliasTable built_;
  AliasIndex& index_ = built_.table.index_;
};

BuiltAliasTable build_alias_table(std::span<const DomainInput> domains) {
  return AliasTableBuilder(domains).build();
}

}  // namespace tapal::alias
