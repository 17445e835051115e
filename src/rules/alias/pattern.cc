#include "rules/alias/pattern.h"

#include <array>

#include <fmt/format.h>
#include <re2/re2.h>

#include "values/text/ascii.h"
#include "values/text/utf8.h"

namespace tapal::alias {

struct Pattern::Compiled {
  explicit Compiled(std::string_view text)
      : expression(re2::StringPiece(text.data(), text.size()), options()) {}

  static RE2::Options options() {
    RE2::Options options;
    options.set_case_sensitive(false);
    options.set_log_errors(false);
    options.set_max_mem(1U << 20U);  // bytes; for the program and its states
    return options;
  }

  RE2 expression;
};

Result<Pattern> Pattern::compile(std::string_view text) {
  if (text.empty()) return fail(Code::invalid, "the pattern is empty");
  if (text.size() > pattern_bytes_max)
    return fail(Code::invalid,
                fmt::format("the pattern is longer than {} bytes", pattern_bytes_max));
  if (!text::is_valid_utf8(text)) return fail(Code::invalid, "the pattern is not UTF-8");
  auto compiled = std::make_shared<const Compiled>(text);
  const RE2& expression = compiled->expression;
  if (!expression.ok())
    return fail(Code::invalid,
                fmt::format("no pattern: {}", text::printable(expression.error(), 200)));
  if (static_cast<std::size_t>(expression.NumberOfCapturingGroups()) > captures_max)
    return fail(Code::invalid, fmt::format("the pattern has more than {} groups", captures_max));
  return Pattern(std::move(compiled));
}

std::size_t Pattern::captures() const {
  return static_cast<std::size_t>(compiled_->expression.NumberOfCapturingGroups());
}

std::optional<std::vector<std::string>> Pattern::match(std::string_view local) const {
  std::array<re2::StringPiece, captures_max + 1> parts;
  const auto count = captures() + 1;
  if (!compiled_->expression.Match(re2::StringPiece(local.data(), local.size()),
                                   0,
                                   local.size(),
                                   RE2::ANCHOR_BOTH,
                                   parts.data(),
                                   static_cast<int>(count)))
    return {};
  std::vector<std::string> found;
  found.reserve(count);
  for (std::size_t i = 0; i < count; ++i) found.emplace_back(parts[i].data(), parts[i].size());
  return found;
}

}  // namespace tapal::alias
