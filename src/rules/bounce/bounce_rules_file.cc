// The reading of bounce-rules.toml.

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "rules/bounce/bounce_rules.h"
#include "values/text/ascii.h"
#include "values/text/nearest.h"
#include "values/text/toml.h"

namespace tapal::shipped {
std::string_view bounce_rules();
}

namespace tapal::bounce {
namespace {

constexpr std::array<std::string_view, 5> keys{
    "category", "patterns", "statuses", "codes", "stages"};

// "x.2.2" as a pattern: a status of its own, not a part of an address or a version.
std::optional<std::string> status_pattern(std::string_view status) {
  const auto parts = text::split(status, '.');
  if (parts.size() != 3) return {};
  std::string pattern = "(?:^|[^0-9.])";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) pattern += "\\.";
    if (i == 0 && parts[i] == "x") {
      pattern += "[45]";
    } else if (i > 0 && parts[i] == "*") {
      pattern += "[0-9]+";
    } else if (text::to_number<unsigned>(parts[i]).value_or(1000) < 1000) {
      pattern += parts[i];
    } else {
      return {};
    }
  }
  return pattern + "(?:$|[^0-9.]|\\.(?:$|[^0-9]))";
}

std::optional<std::uint8_t> stage_bits(const std::vector<std::string>& stages) {
  unsigned bits = 0;
  for (const std::string_view name : stages) {
    const auto stage = stage_named(name);
    if (!stage) return {};
    bits |= 1U << static_cast<unsigned>(*stage);
  }
  return static_cast<std::uint8_t>(bits);
}

}  // namespace

class RulesReader {
 public:
  void read(std::string_view toml, std::string_view file_name) {
    file_name_ = file_name;
    std::vector<Draft> before = std::move(drafts_);
    drafts_.clear();
    const auto text = text::read_toml(toml);
    for (const auto& wrong : text.problems) problem(wrong.place, wrong.what);
    for (const auto& entry : text.entries) {
      if (const auto wrong = read_entry(entry); !wrong.empty())
        problem(entry.place, fmt::format("{}: {}", text::toml_path_text(entry.path), wrong));
    }
    for (const Draft& draft : drafts_) check(draft);
    for (Draft& old : before) {
      if (!std::ranges::any_of(
              drafts_, [&](const Draft& draft) { return draft.rule.name == old.rule.name; }))
        drafts_.push_back(std::move(old));
    }
  }

  Result<BounceRules> finish() {
    if (!problems_.empty())
      return fail(Code::invalid, fmt::format("{}", fmt::join(problems_, "\n")));
    BounceRules rules;
    std::vector<std::string> patterns;
    for (Draft& draft : drafts_) {
      patterns.push_back(text::any_of(draft.patterns));
      rules.rules_.push_back(std::move(draft.rule));
    }
    TAPAL_TRY(rules.patterns_, text::PatternSet::compile(patterns));
    return rules;
  }

 private:
  struct Draft {
    BounceRules::Rule rule;
    bool has_category = false;
    std::vector<std::string> patterns;
    text::TomlPlace place;
  };
  static const std::string& name_of(const Draft& draft) { return draft.rule.name; }

  void problem(const text::TomlPlace& place, std::string_view what) {
    problems_.push_back(fmt::format("{}:{}: {}", file_name_, place.line, what));
  }

  void check(const Draft& draft) {
    if (!draft.has_category)
      problem(draft.place, fmt::format("{}: category is missing", draft.rule.name));
    if (draft.patterns.empty())
      problem(draft.place,
              fmt::format("{}: expected patterns, statuses or codes", draft.rule.name));
  }

  std::string read_entry(const text::TomlEntry& entry) {
    if (entry.path.size() != 2) return "expected a table of a rule, as [example]";
    auto found = std::ranges::find(drafts_, entry.path[0], name_of);
    if (found == drafts_.end()) {
      if (drafts_.size() >= rules_max) return fmt::format("more than {} rules", rules_max);
      Draft draft;
      draft.rule.name = entry.path[0];
      draft.place = entry.place;
      found = drafts_.insert(drafts_.end(), std::move(draft));
    }
    const std::string& key = entry.path[1];
    if (key == "category") return read_category(entry, *found);
    if (key == "codes") return read_codes(entry, *found);
    const auto texts = text::toml_strings(entry);
    if (key == "patterns") return read_patterns(texts, *found);
    if (key == "statuses") return read_statuses(texts, *found);
    if (key != "stages") return text::unknown_word("key", key, keys);
    const auto bits = texts ? stage_bits(*texts) : std::nullopt;
    if (!bits) return fmt::format("expected a list of {}", fmt::join(stage_words, ", "));
    found->rule.stages = *bits;
    return {};
  }

  static std::string read_category(const text::TomlEntry& entry, Draft& draft) {
    const auto* text = text::toml_string(entry);
    if (text == nullptr) return "expected a category, as \"mailbox_full\"";
    if (const auto category = category_named(*text)) {
      draft.rule.category = *category;
      draft.has_category = true;
      return {};
    }
    std::vector<std::string_view> names;
    for (const CategoryRow& row : categories()) names.push_back(row.name);
    return text::unknown_word("category", *text, names);
  }

  static std::string read_codes(const text::TomlEntry& entry, Draft& draft) {
    constexpr std::string_view expected = "expected a list of codes from 400 to 599, as [552]";
    const auto* list = std::get_if<text::TomlList>(&entry.value);
    if (list == nullptr) return std::string(expected);
    for (const auto& item : list->items) {
      const auto* code = std::get_if<std::int64_t>(&item.value);
      if (code == nullptr || *code < 400 || *code > 599) return std::string(expected);
      draft.patterns.push_back(fmt::format("^{}(?:[^0-9]|$)", *code));
    }
    return {};
  }

  static std::string read_statuses(const std::optional<std::vector<std::string>>& texts,
                                   Draft& draft) {
    constexpr std::string_view expected = "expected a list of statuses, as [\"x.2.2\", \"5.7.*\"]";
    if (!texts) return std::string(expected);
    for (const std::string& text : *texts) {
      auto pattern = status_pattern(text);
      if (!pattern) return std::string(expected);
      draft.patterns.push_back(*std::move(pattern));
    }
    return {};
  }

  static std::string read_patterns(const std::optional<std::vector<std::string>>& texts,
                                   Draft& draft) {
    if (!texts) return "expected a list of patterns, as ['mailbox full']";
    for (const std::string& text : *texts) {
      if (auto wrong = text::pattern_problem(text); !wrong.empty()) return wrong;
      draft.patterns.push_back(text);
    }
    return {};
  }

  std::string file_name_;
  std::vector<Draft> drafts_;  // in the order in which they are tried
  std::vector<std::string> problems_;
};

Result<BounceRules> BounceRules::read(std::string_view toml, std::string_view file_name) {
  RulesReader reader;
  reader.read(shipped::bounce_rules(), "bounce_rules.toml (shipped)");
  reader.read(toml, file_name);
  return reader.finish();
}

}  // namespace tapal::bounce
