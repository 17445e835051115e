#include "values/text/pattern_set.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>
#include <re2/set.h>

#include "values/text/ascii.h"
#include "values/text/utf8.h"

namespace tapal::text {
namespace {

constexpr std::int64_t memory_bytes_max = 16 << 20;  // of one set, its states too

// Latin-1: a reply may hold any bytes, and each must be looked at as it is.
RE2::Options options() {
  RE2::Options options;
  options.set_case_sensitive(false);
  options.set_log_errors(false);
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_never_capture(true);
  options.set_max_mem(memory_bytes_max);
  return options;
}

// Newer ones of RE2's are Abseil's, and no std::string_view becomes one by itself.
re2::StringPiece piece_of(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct PatternSet::Compiled {
  RE2::Set set{options(), RE2::UNANCHORED};
};

std::string pattern_problem(std::string_view pattern) {
  if (pattern.empty()) return "the pattern is empty";
  if (pattern.size() > pattern_bytes_max)
    return fmt::format("the pattern is longer than {} bytes", pattern_bytes_max);
  const RE2 expression(piece_of(pattern), options());
  if (!expression.ok()) return fmt::format("no pattern: {}", printable(expression.error(), 200));
  return {};
}

std::string any_of(std::span<const std::string> patterns) {
  return fmt::format("(?:{})", fmt::join(patterns, ")|(?:"));
}

Result<PatternSet> PatternSet::compile(std::span<const std::string> patterns) {
  PatternSet set;
  if (patterns.empty()) return set;
  if (patterns.size() > patterns_max)
    return fail(Code::invalid, fmt::format("more than {} patterns", patterns_max));
  auto compiled = std::make_shared<Compiled>();
  for (const auto& pattern : patterns) {
    std::string problem;
    if (compiled->set.Add(piece_of(pattern), &problem) < 0)
      return fail(Code::invalid, fmt::format("no pattern: {}", printable(problem, 200)));
  }
  if (!compiled->set.Compile()) return fail(Code::invalid, "the patterns are together too large");
  set.compiled_ = std::move(compiled);
  return set;
}

std::vector<std::size_t> PatternSet::matches(std::string_view text) const {
  if (!compiled_) return {};
  std::vector<int> found;
  compiled_->set.Match(piece_of(text.substr(0, pattern_text_bytes_max)), &found);
  std::ranges::sort(found);
  return {found.begin(), found.end()};
}

std::optional<std::size_t> PatternSet::first_match(std::string_view text) const {
  const auto found = matches(text);
  return found.empty() ? std::nullopt : std::optional(found.front());
}

}  // namespace tapal::text
