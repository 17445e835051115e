#include "rules/migrate/main_cf.h"

#include <algorithm>

#include <fmt/format.h>

#include "rules/migrate/logical_lines.h"
#include "values/text/ascii.h"

namespace tapal::migrate {
namespace {

bool is_name(char c) { return text::is_alnum(c) || c == '_'; }

std::string_view take_name(std::string_view text) {
  const auto end = std::ranges::find_if_not(text, &is_name);
  return text.substr(0, static_cast<std::size_t>(end - text.begin()));
}

// From an opening bracket to the one that closes it, both with them; empty when none does.
std::string_view take_brackets(std::string_view text) {
  const char open = text.front();
  const char close = open == '{' ? '}' : ')';
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    depth += text[i] == open ? 1 : text[i] == close ? -1 : 0;
    if (depth == 0) return text.substr(0, i + 1);
  }
  return {};
}

std::string_view without_braces(std::string_view text) {
  text = text::trim(text);
  if (text.starts_with('{') && text.ends_with('}'))
    return text::trim(text.substr(1, text.size() - 2));
  return text;
}

}  // namespace

MainCf MainCf::read(std::string_view text, std::string_view defaults) {
  MainCf file;
  const auto take_in = [&](std::string_view source, bool is_file) {
    for (const auto& [line, number] : logical_lines(source)) {
      const std::size_t equals = line.find('=');
      if (equals == line.npos) continue;
      const std::string_view whole = line;
      file.parameters_[std::string(text::trim(whole.substr(0, equals)))] = {
          std::string(text::trim(whole.substr(equals + 1))), is_file ? number : 0};
    }
  };
  take_in(defaults, false);
  take_in(text, true);
  return file;
}

bool MainCf::has(std::string_view name) const {
  const auto found = parameters_.find(name);
  return found != parameters_.end() && found->second.line > 0;
}

std::string MainCf::value(std::string_view name) const {
  const auto found = parameters_.find(name);
  int names_left = names_max;
  Expansion whole{{}, names_left};
  if (found == parameters_.end() || !expand(found->second.text, whole)) return {};
  return std::move(whole.text);
}

std::vector<std::string> MainCf::list(std::string_view name) const {
  return list_items(value(name));
}

std::string MainCf::place(std::string_view name) const {
  const auto found = parameters_.find(name);
  if (found == parameters_.end() || found->second.line == 0) return "main.cf";
  return fmt::format("main.cf:{}", found->second.line);
}

// False: past a limit.
bool MainCf::expand(std::string_view text, Expansion& into) const {
  if (into.depth > depth_max) return false;
  while (!text.empty()) {
    const auto plain = text.substr(0, text.find('$'));
    into.text += plain;
    if (into.text.size() > value_bytes_max) return false;
    text.remove_prefix(std::min(plain.size() + 1, text.size()));
    if (text.empty()) break;
    const bool is_bracketed = text.starts_with('{') || text.starts_with('(');
    const auto taken = is_bracketed ? take_brackets(text) : take_name(text);
    if (taken.empty()) {  // "$$" is a dollar, and so is one before a bracket that nothing closes
      into.text += '$';
      if (text.starts_with('$')) text.remove_prefix(1);
      continue;
    }
    text.remove_prefix(taken.size());
    if (!expand_name(is_bracketed ? taken.substr(1, taken.size() - 2) : taken, into)) return false;
  }
  return true;
}

// "name", "name?text", "name:text", "name?{text}:{text}".
bool MainCf::expand_name(std::string_view expression, Expansion& into) const {
  if (--into.names_left < 0) return false;
  expression = text::trim(expression);
  const auto name = take_name(expression);
  const auto found = parameters_.find(name);
  Expansion value{{}, into.names_left, into.depth + 1};
  if (found != parameters_.end() && !expand(found->second.text, value)) return false;
  const auto rest = text::trim(expression.substr(name.size()));
  const auto choice = text::trim(rest.substr(std::min<std::size_t>(1, rest.size())));
  std::string_view chosen;
  if (rest.empty()) {
    into.text += value.text;
  } else if (rest.starts_with(':')) {
    if (value.text.empty()) chosen = choice;
  } else if (rest.starts_with('?')) {  // comparisons are not followed
    chosen = choice.starts_with('{') ? take_brackets(choice) : choice;
    if (value.text.empty()) {
      const auto otherwise = text::trim(choice.substr(chosen.size()));
      chosen = otherwise.starts_with(':') ? otherwise.substr(1) : std::string_view();
    }
  }
  ++into.depth;
  const bool is_done = expand(without_braces(chosen), into);
  --into.depth;
  return is_done && into.text.size() <= value_bytes_max;
}

}  // namespace tapal::migrate
