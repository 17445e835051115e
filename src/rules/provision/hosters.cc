#include "rules/provision/hosters.h"

#include <algorithm>

#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

// A text for whoever reads such requests; they all ask for the same.
constexpr std::string_view ticket =
    "\"Please open outbound TCP port 25 for {address} ({host}). It sends the mail of our own "
    "domain, signed with DKIM, with SPF, DMARC and a matching PTR record, to people who asked for "
    "it; complaints reach abuse@ at that domain.\"";

// Whether a sign that is one fits.
template <class Fits>
bool any_sign(const HosterSigns& signs, Fits fits) {
  return std::ranges::any_of(
      signs, [&fits](std::string_view sign) { return !sign.empty() && fits(sign); });
}

template <class Has>
const Hoster* first_that(Has has) {
  const auto known = hosters();
  const auto found = std::ranges::find_if(known, has);
  return found == known.end() ? nullptr : &*found;
}

}  // namespace

const Hoster* find_hoster(std::string_view name) {
  if (text::equals_ignoring_case(name, other_hoster().name)) return &other_hoster();
  return first_that(
      [name](const Hoster& hoster) { return text::equals_ignoring_case(hoster.name, name); });
}

const Hoster* recognised_hoster(const HosterFacts& facts) {
  const auto vendor = text::to_lower(text::trim(facts.machine_vendor));
  if (const auto* found = first_that([&vendor](const Hoster& hoster) {
        return any_sign(hoster.machine_vendors,
                        [&](std::string_view sign) { return vendor.starts_with(sign); });
      }))
    return found;
  for (const auto& name : facts.answered)
    if (const auto* found = find_hoster(name)) return found;
  for (const auto& given : facts.organisations) {
    const auto organisation = text::to_lower(given);
    if (const auto* found = first_that([&organisation](const Hoster& hoster) {
          return any_sign(hoster.organisations,
                          [&](std::string_view sign) { return organisation.contains(sign); });
        }))
      return found;
  }
  for (const auto& given : facts.reverse_names) {
    const auto host = text::to_lower(given);
    if (const auto* found = first_that([&host](const Hoster& hoster) {
          return any_sign(hoster.host_suffixes,
                          [&](std::string_view sign) { return host.ends_with(sign); });
        }))
      return found;
  }
  return nullptr;
}

std::string steps_for(std::string_view steps, std::string_view host, std::string_view address) {
  std::string out(steps);
  const auto put = [&out](std::string_view mark, std::string_view value) {
    for (auto at = out.find(mark); at != out.npos; at = out.find(mark, at + value.size()))
      out.replace(at, mark.size(), value);
  };
  put("{ticket}", ticket);
  put("{host}", host);
  put("{address}", address);
  return out;
}

}  // namespace tapal::provision
