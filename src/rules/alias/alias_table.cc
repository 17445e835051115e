#include "rules/alias/alias_table.h"

#include <ranges>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "rules/alias/alias_walk.h"
#include "rules/alias/rule_target.h"

namespace tapal::alias {
namespace {

using End = Step::End;
using Way = AliasIndex::Way;

std::string alias_text(const AliasIndex& index, const Step& step) {
  const auto& rule = index.rule_of(step.found.entry);
  if (step.found.way == Way::first_user) return "nobody said otherwise: the first user";
  const std::string_view kind = step.found.way == Way::suffix      ? "alias, without the suffix"
                                : step.found.way == Way::pattern   ? "pattern"
                                : step.found.way == Way::catch_all ? "catch-all"
                                                                   : "alias";
  return fmt::format("{}, {}:{}", kind, step.found.domain->file, rule.line);
}

std::string what_of(const AliasIndex& index, const Step& step) {
  auto handover = step.by ? text_of(step.by->handover) : std::string();
  switch (step.end) {
    case End::alias: return alias_text(index, step);
    case End::user: return "mailbox";
    case End::remote: return handover.empty() ? "by SMTP to its MX" : "by SMTP " + handover;
    case End::handed: return handover;
    case End::rejected: return fmt::format("rejected: {}", step.text);
    case End::unknown: return step.text.empty() ? "nobody has this address" : step.text;
    case End::elsewhere: return "its domain's mail goes to its MX (role \"send\")";
    case End::again: return "has been reached before";
    case End::endless: return step.text;
  }
  return {};
}

bool is_found(const Resolution& resolution) {
  return resolution.status == Resolution::Status::found;
}

// The way of an address, and where it ends.
struct Walked {
  Walk walk;
  Resolution resolution;
};

Walked walk_from(const AliasIndex& index, const mail::Address& address) {
  Walk walk(index, Walk::Roles::heeded);
  walk.from(address);
  auto resolution = walk.resolution();
  const auto* domain = walk.steps().front().found.domain;
  if (is_found(resolution) || domain == nullptr || !is_mandatory(address) || !domain->first_user)
    return {std::move(walk), std::move(resolution)};
  Walk fallback(index, Walk::Roles::heeded);
  fallback.from_rule(*domain->first_user);
  auto second = fallback.resolution();
  return {std::move(fallback), std::move(second)};
}

}  // namespace

Resolution AliasTable::resolve(const mail::Address& address) const {
  return walk_from(index_, address).resolution;
}

std::vector<mail::Address> AliasTable::users_behind(const mail::Address& address) const {
  Walk walk(index_, Walk::Roles::ignored);
  walk.from(address);
  std::vector<mail::Address> users;
  std::unordered_set<std::string> seen;
  for (const Step& step : walk.steps()) {
    const auto* user = step.found.entry.user ? &index_.users[*step.found.entry.user] : nullptr;
    if (step.end == End::user) user = &step.address;
    if (user != nullptr && seen.insert(user->key()).second) users.push_back(*user);
  }
  return users;
}

std::vector<ExplainedStep> AliasTable::explain(const mail::Address& address) const {
  const auto walk = walk_from(index_, address).walk;
  const auto& steps = walk.steps();
  std::vector<std::vector<std::size_t>> children(steps.size());
  for (std::size_t i = 1; i < steps.size(); ++i) children[steps[i].parent.value_or(0)].push_back(i);
  std::vector<ExplainedStep> explained;
  std::vector<std::pair<std::size_t, std::size_t>> waiting{{0, 0}};  // step, level
  while (!waiting.empty()) {
    const auto [at, level] = waiting.back();
    waiting.pop_back();
    explained.push_back({level, steps[at].address, what_of(index_, steps[at])});
    for (const std::size_t child : children[at] | std::views::reverse)
      waiting.emplace_back(child, level + 1);
  }
  return explained;
}

}  // namespace tapal::alias
