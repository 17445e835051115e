#include "protocols/mailauth/arc_results.h"

#include <ranges>

#include "values/text/ascii.h"

namespace tapal::mailauth {
namespace {

constexpr std::string_view results_field_name = "Authentication-Results";

// Walks over structured text: in a comment or a quoted string, nothing else has a meaning.
class Walker {
 public:
  // Whether `c`, the next character, is plain text, outside of both.
  bool is_plain(char c) {
    if (escaped_) {
      escaped_ = false;
      return false;
    }
    if (c == '\\' && (quoted_ || comments_ > 0)) {
      escaped_ = true;
      return false;
    }
    if (comments_ > 0) {
      if (c == '(') ++comments_;
      if (c == ')') --comments_;
      return false;
    }
    if (c == '"') quoted_ = !quoted_;
    if (c == '(' && !quoted_) ++comments_;
    return c != '"' && c != '(' && !quoted_;
  }
  bool in_comment() const { return comments_ > 0; }

 private:
  std::size_t comments_ = 0;
  bool quoted_ = false;
  bool escaped_ = false;
};

// The parts between semicolons that are plain text.
std::vector<std::string_view> split_results(std::string_view text) {
  std::vector<std::string_view> parts;
  Walker walker;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (walker.is_plain(text[i]) && text[i] == ';') {
      parts.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  parts.push_back(text.substr(begin));
  return parts;
}

// Without comments, and quotes taken off: enough to read names and keywords by.
std::string bare_text(std::string_view text) {
  std::string bare;
  Walker walker;
  for (const char c : text) {
    const bool was_comment = walker.in_comment();
    const bool plain = walker.is_plain(c);
    if (was_comment || walker.in_comment()) {
      if (!walker.in_comment()) bare += ' ';
    } else if (plain || c != '"') {
      bare += c;
    }
  }
  return bare;
}

// "lists.example.org 1": the version may be left out (RFC 8601 section 2.2).
bool is_from(std::string_view part, std::string_view authserv_id) {
  const std::string bare = bare_text(part);
  const auto words = text::words(bare);
  return !words.empty() && words.size() <= 2 &&
         text::equals_ignoring_case(words.front(), authserv_id);
}

std::string on_one_line(std::string_view part) {
  std::string line;
  for (const std::string_view word : text::words(part)) {
    if (!line.empty()) line += ' ';
    line += word;
  }
  return line;
}

// The result of "arc = pass ...", if that is what it is.
std::optional<ArcStatus> chain_result(std::string_view part) {
  const std::string bare = bare_text(part);
  const std::size_t equals = bare.find('=');
  if (equals == std::string::npos) return {};
  const auto method = text::trim(std::string_view(bare).substr(0, equals));
  if (!text::equals_ignoring_case(text::trim(method.substr(0, method.find('/'))), "arc")) return {};
  const auto words = text::words(std::string_view(bare).substr(equals + 1));
  return words.empty() ? std::nullopt : arc_status_from_text(words.front());
}

class Gatherer {
 public:
  void take(std::string_view part) {
    const std::string line = on_one_line(part);
    if (line.empty() || text::equals_ignoring_case(line, "none")) return;
    if (payload_.size() + line.size() > own_results_bytes_max) return;
    payload_ += "; " + line;
    const auto chain = chain_result(part);
    if (!chain) return;
    agreed_ = agreed_ && (!chain_ || chain_ == chain);
    chain_ = chain;
  }
  OwnResults finish(std::string_view authserv_id) {
    if (payload_.empty()) payload_ = "; none";
    return {std::string(authserv_id) + payload_, agreed_ ? chain_ : std::nullopt};
  }

 private:
  std::string payload_;
  std::optional<ArcStatus> chain_;
  bool agreed_ = true;
};

}  // namespace

std::optional<OwnResults> own_results(const std::vector<RawField>& fields,
                                      std::string_view authserv_id) {
  Gatherer gatherer;
  bool any = false;
  for (const RawField& field : fields) {
    if (!text::equals_ignoring_case(field.name, results_field_name)) continue;
    const auto parts = split_results(field.raw.substr(field.raw.find(':') + 1));
    if (!is_from(parts.front(), authserv_id)) continue;
    any = true;
    for (const std::string_view part : parts | std::views::drop(1)) gatherer.take(part);
  }
  if (!any) return {};
  return gatherer.finish(authserv_id);
}

ArcStatus chain_at_arrival(const OwnResults& own, ArcStatus now) {
  const ArcStatus told = own.chain.value_or(ArcStatus::none);
  return told == ArcStatus::none ? now : told;
}

}  // namespace tapal::mailauth
