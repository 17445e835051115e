#include "rules/alias/alias_walk.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "rules/alias/rule_target.h"

namespace tapal::alias {
namespace {

using account::Role;
using End = Step::End;
using Way = AliasIndex::Way;

bool is_target(End end) { return end == End::user || end == End::remote || end == End::handed; }

// What makes two targets the same.
std::string target_key(const Step& step) {
  std::string key = fmt::format("{}\n{}", static_cast<int>(step.end), step.address.key());
  if (step.by == nullptr || step.end == End::user) return key;
  key += fmt::format("\n{}", step.by->handover.target);
  for (const auto& argument : step.by->handover.arguments) key += "\n" + argument;
  return key;
}

}  // namespace

void Walk::from(const mail::Address& address) {
  Step first{.address = address};
  arrive(first);
  add(std::move(first));
  run();
}

void Walk::from_rule(AliasIndex::Number number) {
  const auto& [rule, domain] = index_.rules[number];
  Step first{.address = {rule.name, domain}, .end = End::alias};
  first.found.domain = &index_.domains.find(domain)->second;
  first.found.way = rule.line == 0 ? Way::first_user : Way::name;
  first.found.entry.rule = number;
  add(std::move(first));
  run();
}

void Walk::run() {
  for (std::size_t at = 0; at < steps_.size(); ++at) {
    if (steps_[at].end != End::alias) continue;
    for (const RuleTarget& target : index_.rule_of(steps_[at].found.entry).targets) {
      follow(at, target);
      // One wrong turn is the answer to all.
      if (steps_.back().end == End::endless) return;
    }
  }
}

void Walk::follow(std::size_t at, const RuleTarget& target) {
  const Step& before = steps_[at];
  Step step{.address = before.address, .parent = at, .by = &target, .depth = before.depth + 1};
  switch (target.kind) {
    case RuleTarget::Kind::keep:
      step.address = target.address;
      step.end = End::user;
      break;
    case RuleTarget::Kind::handed: step.end = End::handed; break;
    case RuleTarget::Kind::reject:
      step.end = End::rejected;
      step.text = target.text;
      break;
    case RuleTarget::Kind::mapped: {
      const auto& rule = index_.rule_of(before.found.entry);
      if (rule.pattern && before.found.captures.empty()) return;  // nothing was matched yet
      auto filled = fill(target, before.address.local, before.found.captures);
      if (filled) {
        step.address = *std::move(filled);
        arrive(step);
      } else {
        step.text = filled.error().what;
      }
      break;
    }
    case RuleTarget::Kind::address:
      step.address = target.address;
      arrive(step);
      break;
    case RuleTarget::Kind::include: return;  // its addresses stand in the rule
  }
  add(std::move(step));
}

void Walk::arrive(Step& step) const {
  if (step.by != nullptr && step.by->handover.kind == mail::Handover::Kind::host) {
    step.end = End::remote;
    return;
  }
  step.found = index_.find(step.address);
  if (step.found.domain == nullptr) {
    step.end = End::remote;
  } else {
    arrive_at_ours(step);
  }
}

// By the role of the address's domain.
void Walk::arrive_at_ours(Step& step) const {
  const auto& [domain, way, entry, captures] = step.found;
  const bool is_first = !step.parent;
  const bool has_other_rule = entry.rule && entry.rule != rule_before(step);
  switch (roles_ == Roles::ignored ? Role::receive : domain->settings.role) {
    case Role::send:
      if (is_mandatory(step.address) && way == Way::name && has_other_rule) {
        step.end = End::alias;
      } else {
        step.end = is_first && !is_mandatory(step.address) ? End::elsewhere : End::remote;
      }
      return;
    case Role::backup_mx:
      if (has_other_rule) {
        step.end = End::alias;
      } else if (!is_first || !domain->has_aliases || is_mandatory(step.address)) {
        step.end = End::remote;
      }
      return;
    case Role::receive:
      if (entry.user && !has_other_rule) {
        step.end = End::user;
        step.address = index_.users[*entry.user];
        return;
      }
      break;
    case Role::send_forward: break;
  }
  if (entry.rule) arrive_by_rule(step);
}

void Walk::arrive_by_rule(Step& step) const {
  step.end = End::alias;
  if (step.found.entry.rule != rule_before(step)) return;
  if (step.found.way == Way::pattern) return;  // "\1" may lead on; add() knows a circle
  // What the catch-all names, and only the catch-all has, nobody has.
  const bool is_fixed = step.by->kind == RuleTarget::Kind::address;
  step.end = step.found.way == Way::catch_all && is_fixed ? End::unknown : End::alias;
}

std::optional<AliasIndex::Number> Walk::rule_before(const Step& step) const {
  return step.parent ? steps_[*step.parent].found.entry.rule : std::nullopt;
}

void Walk::add(Step step) {
  if (step.end == End::alias) {
    if (leads_back(step)) {
      step.end = End::endless;
      step.text = fmt::format("the alias leads back to itself: {}", path_to(step));
    } else if (step.depth > alias_depth_max) {
      step.end = End::endless;
      step.text = fmt::format("more than {} aliases deep: {}", alias_depth_max, path_to(step));
    } else if (!seen_.insert(step.address.key()).second) {
      step.end = End::again;
    }
  } else if (is_target(step.end) && !seen_.insert(target_key(step)).second) {
    step.end = End::again;
  }
  count(step);
  steps_.push_back(std::move(step));
}

void Walk::count(Step& step) {
  aliases_ += step.end == End::alias ? 1 : 0;
  targets_ += is_target(step.end) ? 1 : 0;
  if (aliases_ <= targets_max && targets_ <= targets_max) return;
  step.end = End::endless;
  step.text = fmt::format("{} leads to more than {} addresses",
                          steps_.empty() ? step.address.local : steps_.front().address.local,
                          targets_max);
}

// A name's alias must not come twice on one way; a pattern or a catch-all may, with another
// address.
bool Walk::leads_back(const Step& step) const {
  const auto rule = step.found.entry.rule;
  const bool is_name = index_.rule_of(step.found.entry).kind == AliasRule::Kind::name;
  for (auto at = step.parent; at; at = steps_[*at].parent) {
    const Step& before = steps_[*at];
    if (before.found.entry.rule != rule) continue;
    if (is_name || before.address.key() == step.address.key()) return true;
  }
  return false;
}

std::string Walk::path_to(const Step& step) const {
  const std::string& home = steps_.empty() ? step.address.domain : steps_.front().address.domain;
  std::vector<std::string> names;
  const auto add_name = [&](const mail::Address& address) {
    names.push_back(address.domain == home ? address.local : address.text());
  };
  add_name(step.address);
  for (auto at = step.parent; at; at = steps_[*at].parent) add_name(steps_[*at].address);
  std::ranges::reverse(names);
  return fmt::format("{}", fmt::join(names, " -> "));
}

Target Walk::target_of(const Step& step) const {
  Target target{.address = step.address};
  target.kind = step.end == End::user     ? Target::Kind::user
                : step.end == End::remote ? Target::Kind::remote
                                          : Target::Kind::handed;
  if (step.by != nullptr && step.end != End::user) target.handover = step.by->handover;
  if (step.end != End::remote || !step.parent) return target;
  const auto& alias = steps_[*step.parent].address;
  if (alias.key() != step.address.key()) target.via_alias = alias;
  return target;
}

Resolution Walk::resolution() const {
  using Status = Resolution::Status;
  Resolution resolution{.status = Status::unknown};
  const Step& first = steps_.front();
  if (first.end == End::elsewhere) return {.status = Status::elsewhere};
  if (first.found.domain == nullptr) return {.status = Status::not_ours};
  bool rejected = false;
  for (const Step& step : steps_) {
    if (step.end == End::endless) return {.status = Status::endless, .text = step.text};
    // Mail for a part of an alias would be lost without a word.
    if (step.end == End::unknown)
      return {.status = Status::unknown, .text = step.parent ? step.address.text() : ""};
    if (is_target(step.end)) resolution.targets.push_back(target_of(step));
    if (step.end != End::rejected || rejected) continue;
    rejected = true;
    resolution.text = step.text;
  }
  if (!resolution.targets.empty()) {
    resolution.status = Status::found;
    resolution.text.clear();
  } else if (rejected) {
    resolution.status = Status::rejected;
  }
  return resolution;
}

}  // namespace tapal::alias
