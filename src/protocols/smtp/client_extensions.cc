#include "protocols/smtp/client_extensions.h"

#include <algorithm>

#include "values/text/ascii.h"

namespace tapal::smtp {

namespace {

using Words = std::vector<std::string_view>;

void add_mechanisms(ExtensionSet& set, const Words& words) {
  for (const std::string_view word : words) {
    if (set.auth_mechanisms.size() == auth_mechanisms_max) return;
    // RFC 4422 section 3.1: 1 to 20 of these characters.
    const bool sound = word.size() <= 20 && std::ranges::all_of(word, [](char c) {
                         return text::is_alnum(c) || c == '-' || c == '_';
                       });
    std::string mechanism = text::to_upper(word);
    if (sound && !set.offers_auth(mechanism)) set.auth_mechanisms.push_back(std::move(mechanism));
  }
}

// RFC 9422 section 4: a limit is at least 1 and has at most six digits; others are ignored.
void add_limits(ExtensionSet& set, const Words& words) {
  for (const std::string_view word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos || word.size() - equals > 7) continue;
    const std::string name = text::to_upper(word.substr(0, equals));
    const auto value = text::to_number<std::uint32_t>(word.substr(equals + 1));
    if (!value || *value == 0) continue;
    if (name == "MAILMAX") set.mails_max = value;
    if (name == "RCPTMAX") set.recipients_max = value;
    if (name == "RCPTDOMAINMAX") set.recipient_domains_max = value;
  }
}

void add_line(ExtensionSet& set, std::string_view line) {
  Words words = text::words(line);
  if (words.empty()) return;
  std::string keyword = text::to_upper(words.front());
  words.erase(words.begin());
  // "AUTH=LOGIN PLAIN": servers for old Outlook versions say it, some say nothing else.
  if (keyword.starts_with("AUTH=")) {
    const std::string first = keyword.substr(5);
    add_mechanisms(set, {first});
    keyword = "AUTH";
  }
  const std::optional<Extension> extension = extension_from_keyword(keyword);
  if (!extension) return;
  set.offered.add(*extension);
  if (extension == Extension::auth) add_mechanisms(set, words);
  if (extension == Extension::limits) add_limits(set, words);
  if (extension == Extension::size && !words.empty())
    set.size_max = text::to_number<std::uint64_t>(words.front()).value_or(0);
}

}  // namespace

bool ExtensionSet::offers_auth(std::string_view mechanism) const {
  return std::ranges::any_of(auth_mechanisms, [&](const std::string& offered) {
    return text::equals_ignoring_case(offered, mechanism);
  });
}

ExtensionSet parse_ehlo(const Reply& reply) {
  ExtensionSet set;
  for (std::size_t i = 0; i < reply.lines.size(); ++i) {
    if (i > 0) {
      add_line(set, reply.lines[i]);
    } else if (const Words words = text::words(reply.lines[0]); !words.empty()) {
      set.name = words.front();
    }
  }
  return set;
}

}  // namespace tapal::smtp
