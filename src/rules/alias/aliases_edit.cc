#include "rules/alias/aliases_edit.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "rules/alias/alias_line.h"
#include "values/mail/address.h"
#include "values/text/ascii.h"

namespace tapal::alias {
namespace {

bool is_same(std::string_view a, std::string_view b) {
  return text::equals_ignoring_case(text::trim(a), text::trim(b));
}

bool contains(std::span<const std::string> targets, std::string_view target) {
  return std::ranges::any_of(targets, [&](const auto& each) { return is_same(each, target); });
}

// A file's text around the line of one alias.
struct Place {
  std::string_view before;
  std::string_view line;  // with its end
  std::string_view after;
  AliasLine parts;
};

std::optional<Place> find_line(std::string_view text,
                               std::string_view domain,
                               std::string_view name) {
  const std::string key = alias_key(name, domain);
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = take_line(rest);
    const auto parts = read_alias_line(line).value_or(std::nullopt);
    if (!parts || alias_key(parts->name, domain) != key) continue;
    const auto begin = static_cast<std::size_t>(line.data() - text.data());
    return Place{text.substr(0, begin), line, rest, *parts};
  }
  return {};
}

// The file with other targets on that line.
std::string with_targets(const Place& place, std::string_view targets) {
  const auto begin = static_cast<std::size_t>(place.parts.targets.data() - place.line.data());
  return fmt::format("{}{}{}{}{}",
                     place.before,
                     place.line.substr(0, begin),
                     targets,
                     place.line.substr(begin + place.parts.targets.size()),
                     place.after);
}

}  // namespace

std::string alias_key(std::string_view name, std::string_view domain) {
  if (name == "*" || name.starts_with('/')) return std::string(name);
  const auto address = mail::parse_address(fmt::format("{}@{}", name, domain));
  return address ? address->key() : std::string(name);
}

std::vector<ListedAlias> list_aliases(std::string_view text) {
  std::vector<ListedAlias> list;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto line = read_alias_line(take_line(text)).value_or(std::nullopt);
    if (!line) continue;
    ListedAlias listed{.name = std::string(line->name), .line = number};
    if (const auto targets = split_targets(line->targets))
      listed.targets.assign(targets->begin(), targets->end());
    list.push_back(std::move(listed));
  }
  return list;
}

Result<std::string> add_alias(std::string_view text,
                              std::string_view domain,
                              std::string_view name,
                              std::span<const std::string> targets) {
  const auto place = find_line(text, domain, name);
  if (!place) {
    const bool is_cut = !text.empty() && !text.ends_with('\n');
    return fmt::format("{}{}{}: {}\n", text, is_cut ? "\n" : "", name, fmt::join(targets, ", "));
  }
  TAPAL_TRY(const auto present, split_targets(place->parts.targets));
  if (takes_the_rest(present.back()))
    return fail(Code::invalid,
                fmt::format("{} ends in \"{}\": nothing can follow; edit the file",
                            name,
                            text::printable(present.back(), 80)));
  std::string all(place->parts.targets);
  for (const std::string& target : targets) {
    const bool is_there =
        std::ranges::any_of(present, [&](std::string_view each) { return is_same(each, target); });
    if (!is_there) all += fmt::format("{}{}", all.empty() ? "" : ", ", target);
  }
  if (all == place->parts.targets)
    return fail(Code::invalid, fmt::format("{} leads there already", name));
  return with_targets(*place, all);
}

Result<std::string> remove_alias(std::string_view text,
                                 std::string_view domain,
                                 std::string_view name,
                                 std::span<const std::string> targets) {
  const auto place = find_line(text, domain, name);
  if (!place) return fail(Code::not_found, fmt::format("there is no alias {}", name));
  TAPAL_TRY(const auto present, split_targets(place->parts.targets));
  std::vector<std::string_view> kept;
  if (!targets.empty()) {
    std::ranges::copy_if(present, std::back_inserter(kept), [&](std::string_view each) {
      return !contains(targets, each);
    });
    if (kept.size() + targets.size() != present.size())
      return fail(Code::not_found, fmt::format("{} does not lead there", name));
  }
  if (kept.empty()) return fmt::format("{}{}", place->before, place->after);
  return with_targets(*place, fmt::format("{}", fmt::join(kept, ", ")));
}

}  // namespace tapal::alias
