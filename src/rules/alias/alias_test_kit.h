// Tables to ask, and answers as texts.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "rules/alias/alias_table.h"
#include "rules/alias/rule_target.h"

namespace tapal::alias {

inline DomainInput example_com(std::string_view aliases) {
  return {"example.com", {"alice", "Bob"}, true, std::string(aliases), "aliases"};
}

inline std::string target_text(const Target& target) {
  std::string text = target.address.text();
  if (target.handover.kind != mail::Handover::Kind::usual) text += " " + text_of(target.handover);
  if (target.kind == Target::Kind::remote && target.via_alias)
    text += fmt::format(" ({})", target.via_alias->text());
  if (target.kind == Target::Kind::remote && !target.via_alias) text += " (itself)";
  return text;
}

// "alice@example.com, me@gmail.example (info@example.com)", or what became of it.
inline std::string answer(const AliasTable& table, std::string_view text) {
  const auto address = mail::parse_address(text);
  if (!address) return "not an address";
  const Resolution resolution = table.resolve(*address);
  switch (resolution.status) {
    case Resolution::Status::found: break;
    case Resolution::Status::unknown: return "unknown " + resolution.text;
    case Resolution::Status::not_ours: return "not ours";
    case Resolution::Status::rejected: return "rejected " + resolution.text;
    case Resolution::Status::elsewhere: return "elsewhere";
    case Resolution::Status::endless: return "endless " + resolution.text;
  }
  std::vector<std::string> all;
  for (const Target& target : resolution.targets) all.push_back(target_text(target));
  return fmt::format("{}", fmt::join(all, ", "));
}

struct Question {
  std::string_view asked, answered;
};

inline void ask(std::span<const DomainInput> inputs, std::span<const Question> questions) {
  const auto built = build_alias_table(inputs);
  EXPECT_EQ(built.problems, std::vector<std::string>());
  for (const auto& [asked, answered] : questions) {
    SCOPED_TRACE(asked);
    EXPECT_EQ(answer(built.table, asked), answered);
  }
}

inline DomainInput with_role(account::Role role,
                             std::string_view aliases,
                             std::vector<std::string> users = {"ann"}) {
  DomainInput input{"d.example", std::move(users), true, std::string(aliases), "aliases"};
  input.settings.role = role;
  return input;
}

}  // namespace tapal::alias
