#include "rules/provision/dkim_paste.h"

#include <algorithm>

#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

constexpr std::size_t likeness_bytes_min = 40;  // so much of the key tells that it is this one

std::string without(std::string_view text, std::string_view characters) {
  std::string rest;
  for (const char c : text)
    if (characters.find(c) == characters.npos) rest += c;
  return rest;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

// The key without its tags: what stands behind p=.
std::string_view key_of(std::string_view record) {
  const auto at = record.find("p=");
  return at == record.npos ? std::string_view() : record.substr(at + 2);
}

std::string explain_one(std::string_view published, std::string_view wanted) {
  const auto key = key_of(wanted);
  const auto bare = without(published, " \t\r\n\"\\");
  const auto bare_wanted = without(wanted, " ");
  if (contains(published, "\\;") && without(published, "\\ ") == bare_wanted)
    return "a backslash stands before each semicolon: take the backslashes out";
  if (contains(published, "\"") && contains(bare, key))
    return "the quotes became part of the value: enter it in one piece without any quotes";
  if (contains(bare, "_domainkey") && contains(bare, key))
    return "the whole line of the zone file was entered as the value: enter only what begins with "
           "v=DKIM1";
  const auto first = bare.find(key);
  if (first != bare.npos && bare.find(key, first + key.size()) != bare.npos)
    return "the value was entered twice in a row: leave one";
  if (key_of(published) != key && without(key, "+") == without(key_of(published), " +"))
    return "every \"+\" of the key got lost, as in a form that takes it for a space: enter the "
           "value "
           "anew, as %2B where the form is an API";
  if (key_of(bare).empty() && bare == key)
    return "only the key was entered: the value begins with v=DKIM1";
  const auto cut = key_of(bare);
  if (cut.size() >= likeness_bytes_min && cut.size() < key.size() && key.starts_with(cut))
    return "the value was cut off: enter it as two or more strings of at most 255 characters, each "
           "in quotes, in one record";
  if (bare == bare_wanted) return "white space stands where none belongs";
  return {};
}

}  // namespace

std::string explain_paste(const std::vector<std::string>& published, std::string_view wanted) {
  if (published.size() > 1) {
    // In any order: providers sort.
    auto pieces = published;
    std::ranges::sort(pieces, [](const auto& a, const auto& b) {
      return contains(a, "v=DKIM1") && !contains(b, "v=DKIM1");
    });
    std::string joined;
    for (const auto& piece : pieces) joined += piece;
    if (without(joined, " \"") == without(wanted, " "))
      return "the strings of one record were entered as records of their own: put them into one";
  }
  for (const auto& one : published)
    if (auto why = explain_one(one, wanted); !why.empty()) return why;
  return {};
}

}  // namespace tapal::provision
