#include "rules/bounce/classify_handover.h"

#include <algorithm>
#include <optional>
#include <string>

#include "rules/bounce/code_status.h"
#include "values/text/ascii.h"

namespace tapal::bounce {
namespace {

constexpr CodeStatus exits[] = {{0, "2.0.0"},
                                {64, "4.3.5"},
                                {65, "5.6.0"},
                                {67, "5.1.1"},
                                {68, "5.1.2"},
                                {69, "5.3.0"},
                                {72, "4.3.5"},
                                {73, "4.2.0"},
                                {76, "5.5.0"},
                                {77, "5.7.0"},
                                {78, "4.3.5"},
                                {100, "5.3.0"},
                                {126, "4.3.5"},
                                {127, "4.3.5"}};
constexpr CodeStatus http_statuses[] = {{401, "5.7.0"},
                                        {403, "5.7.0"},
                                        {404, "5.1.1"},
                                        {408, "4.4.2"},
                                        {410, "5.1.1"},
                                        {413, "5.3.4"},
                                        {425, "4.4.5"},
                                        {429, "4.4.5"},
                                        {507, "4.3.1"}};

// "5.7.1" where the line begins with one; the classes are those of a refusal.
std::optional<std::string> leading_status(std::string_view line) {
  const auto word = line.substr(0, line.find_first_of(" \t:"));
  const auto parts = text::split(word, '.');
  const auto is_number = [](std::string_view part) {
    return !part.empty() && part.size() <= 3 && std::ranges::all_of(part, text::is_digit);
  };
  if (parts.size() != 3 || !std::ranges::all_of(parts, is_number)) return {};
  if (parts[0] != "4" && parts[0] != "5") return {};
  return std::string(word);
}

Judgement by_class(std::string status, std::string_view reason) {
  const auto verdict = status.front() == '2'   ? Verdict::accepted
                       : status.front() == '5' ? Verdict::permanent
                                               : Verdict::temporary;
  return {verdict, Scope::recipient, std::move(status), reason};
}

std::string_view http_class(int status) {
  switch (status / 100) {
    case 2: return "2.0.0";
    case 3: return "4.3.5";
    case 4: return "5.3.0";
    default: return "4.3.0";
  }
}

}  // namespace

Judgement classify_exit(int exit_code, std::string_view last_line) {
  if (exit_code != 0)
    if (auto said = leading_status(last_line))
      return by_class(*std::move(said), "the program's last line has the status");
  return by_class(std::string(status_in(exits, exit_code, "4.3.0")),
                  "the program's exit code (sysexits.h)");
}

Judgement classify_http_status(int status) {
  return by_class(std::string(status_in(http_statuses, status, http_class(status))),
                  "the web server's status");
}

}  // namespace tapal::bounce
