#include "rules/alias/alias_line.h"

#include <algorithm>

#include "values/text/ascii.h"

namespace tapal::alias {
namespace {

constexpr std::string_view no_colon = "no colon; a line is \"local: target, target\"";

// Where what begins with a quote ends: behind its closing quote, or npos.
std::size_t end_of_quoted(std::string_view text, std::size_t begin) {
  for (std::size_t i = begin + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

// Where the name of a trimmed line ends, which is where its colon is looked for.
std::size_t end_of_name(std::string_view line) {
  if (line.starts_with('"')) return end_of_quoted(line, 0);
  if (!line.starts_with('/')) return 0;
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
    } else if (line[i] == '/') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

}  // namespace

bool takes_the_rest(std::string_view target) {
  return target.starts_with('|') || text::starts_with_ignoring_case(target, ":reject:");
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end == text.npos ? end : end + 1);
  text.remove_prefix(line.size());
  return line;
}

Result<std::optional<AliasLine>> read_alias_line(std::string_view line) {
  line = text::trim(line);
  if (line.empty() || line.starts_with('#')) return std::nullopt;
  const std::size_t name_end = end_of_name(line);
  const std::size_t colon = name_end == line.npos ? name_end : line.find(':', name_end);
  if (colon == line.npos) return fail(Code::invalid, std::string(no_colon));
  const std::string_view name = text::trim(line.substr(0, colon));
  if (name_end == 0 && without_comment(name) != name)
    return fail(Code::invalid, std::string(no_colon));
  return AliasLine{name, text::trim(without_comment(line.substr(colon + 1)))};
}

std::string_view without_comment(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      i = end_of_quoted(text, i);
      if (i == text.npos) break;
      --i;
    } else if (text[i] == '#' && (i == 0 || text::is_white_space(text[i - 1]))) {
      // Within a word "#" is a legal character of a local part.
      return text.substr(0, i);
    }
  }
  return text;
}

Result<std::vector<std::string_view>> split_targets(std::string_view targets) {
  std::vector<std::string_view> parts;
  for (;;) {
    targets = text::trim(targets);
    std::size_t end = 0;
    while (end < targets.size() && targets[end] != ',' && !takes_the_rest(targets)) {
      end = targets[end] == '"' ? end_of_quoted(targets, end) : end + 1;
      if (end == targets.npos) return fail(Code::invalid, "a quote is not closed");
    }
    if (takes_the_rest(targets)) end = targets.size();
    parts.push_back(text::trim(targets.substr(0, end)));
    if (end >= targets.size()) return parts;
    targets.remove_prefix(end + 1);
  }
}

Result<std::vector<std::string>> split_words(std::string_view text) {
  std::vector<std::string> words;
  bool in_word = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (text::is_white_space(c)) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    std::string& word = words.back();
    if (c == '\'') {
      const std::size_t end = text.find('\'', i + 1);
      if (end == text.npos) return fail(Code::invalid, "a quote is not closed");
      word += text.substr(i + 1, end - i - 1);
      i = end;
    } else if (c == '"') {
      const std::size_t end = end_of_quoted(text, i);
      if (end == text.npos) return fail(Code::invalid, "a quote is not closed");
      for (++i; i < end - 1; ++i) {
        const bool is_escape = text[i] == '\\' && (text[i + 1] == '"' || text[i + 1] == '\\');
        word += is_escape ? text[++i] : text[i];
      }
      i = end - 1;
    } else {
      word += c;
    }
  }
  return words;
}

}  // namespace tapal::alias
