#include "rules/account/domain_settings.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "values/text/ascii.h"
#include "values/text/idna.h"
#include "values/text/toml.h"

namespace tapal::account {
namespace {

constexpr std::array<std::string_view, 4> roles{"receive", "send", "send+forward", "backup-mx"};
constexpr std::array<std::string_view, 3> practices{"honour", "quarantine", "ignore"};
constexpr std::array<std::string_view, 3> modes{"testing", "enforce", "none"};
constexpr std::string_view separators = "+-_=.~!$%&*^#";  // what may set a suffix off

template <class Choice, std::size_t Count>
std::string read_choice(const std::string* text,
                        const std::array<std::string_view, Count>& choices,
                        Choice& into) {
  const auto* const found =
      text ? std::ranges::find(choices, std::string_view(*text)) : choices.end();
  if (found == choices.end()) return fmt::format("expected \"{}\"", fmt::join(choices, "\", \""));
  into = static_cast<Choice>(found - choices.begin());
  return {};
}

std::string read_separators(const std::string* text, std::string& into) {
  const bool is_good =
      text && std::ranges::all_of(*text, [](char c) { return separators.contains(c); });
  if (!is_good)
    return fmt::format("expected the characters that set a suffix off, of {}; or \"\"", separators);
  into = *text;
  return {};
}

std::string read_hosts(const text::TomlEntry& entry, std::vector<std::string>& into) {
  constexpr std::string_view expected = "expected a list of host names, as [\"mx2.example.net\"]";
  const auto* list = std::get_if<text::TomlList>(&entry.value);
  if (list == nullptr || list->items.size() >= tlspolicy::mta_sts_hosts_max)
    return std::string(expected);
  for (const auto& item : list->items) {
    const auto* text = std::get_if<std::string>(&item.value);
    if (text == nullptr || !tlspolicy::is_mta_sts_host(text::to_lower(*text)))
      return std::string(expected);
    into.push_back(text::to_lower(*text));
  }
  return {};
}

std::string read_host(const std::string* text, std::string& into) {
  const auto host = text ? text::domain_to_ascii(*text) : Result<std::string>(std::string());
  if (!host || host->empty()) return "expected a host name, as \"imap.example.com\"";
  into = *host;
  return {};
}

// What is wrong with the value; empty when it was taken.
std::string read_entry(const text::TomlEntry& entry, DomainSettings& into) {
  const auto* scalar = std::get_if<text::TomlScalar>(&entry.value);
  const auto* text = scalar ? std::get_if<std::string>(&scalar->value) : nullptr;
  const std::string key = text::toml_path_text(entry.path);
  if (key == "role") return read_choice(text, roles, into.role);
  if (key == "dmarc") return read_choice(text, practices, into.dmarc);
  if (key == "mta_sts") return read_choice(text, modes, into.mta_sts);
  if (key == "mta_sts_mx") return read_hosts(entry, into.mta_sts_mx);
  if (key == "imap_server") return read_host(text, into.imap_server);
  if (key == "suffix_separators") return read_separators(text, into.suffix_separators);
  if (key != "ignore_dots")
    return "there is no such setting; a domain has role, ignore_dots, suffix_separators, dmarc, "
           "mta_sts, mta_sts_mx and imap_server";
  const auto* flag = scalar ? std::get_if<bool>(&scalar->value) : nullptr;
  if (flag == nullptr) return "expected true or false";
  into.ignore_dots = *flag;
  return {};
}

}  // namespace

std::string_view text_of(Role role) { return roles.at(static_cast<std::size_t>(role)); }

DomainSettingsFile read_domain_settings(std::string_view text, std::string_view file_name) {
  DomainSettingsFile file;
  const auto problem = [&](const text::TomlPlace& place, std::string_view what) {
    file.problems.push_back(fmt::format("{}:{}: {}", file_name, place.line, what));
  };
  const auto toml = text::read_toml(text);
  for (const auto& wrong : toml.problems) problem(wrong.place, wrong.what);
  for (const auto& entry : toml.entries) {
    if (const auto wrong = read_entry(entry, file.settings); !wrong.empty())
      problem(entry.place, fmt::format("{}: {}", text::toml_path_text(entry.path), wrong));
  }
  return file;
}

}  // namespace tapal::account
