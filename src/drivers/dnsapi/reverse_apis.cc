#include "drivers/dnsapi/reverse_apis.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "values/http/url.h"
#include "values/text/ascii.h"

namespace tapal::dnsapi {

std::span<const ReverseApi> reverse_apis() {
  static const std::array all{aws_reverse(),
                              contabo_reverse(),
                              hetzner_reverse(),
                              linode_reverse(),
                              ovh_reverse(),
                              vultr_reverse()};
  return all;
}

const ReverseApi* find_reverse_api(std::string_view name) {
  const auto all = reverse_apis();
  const auto found = std::ranges::find_if(
      all, [name](const ReverseApi& api) { return text::equals_ignoring_case(api.name, name); });
  return found == all.end() ? nullptr : &*found;
}

Result<std::unique_ptr<ReverseNames>> make_reverse_names(std::string_view hoster,
                                                         AccountOptions options,
                                                         const World& world) {
  const auto* api = find_reverse_api(hoster);
  if (api == nullptr) {
    std::vector<std::string_view> names;
    for (const auto& known : reverse_apis()) names.push_back(known.name);
    return fail(Code::invalid,
                fmt::format("names of addresses cannot be set at \"{}\" from here; they can at {}",
                            text::printable(hoster, 100),
                            fmt::join(names, ", ")));
  }
  TAPAL_CHECK(check_credentials(api->title, api->fields, options.credentials));
  if (options.url.empty()) options.url = api->url;
  while (options.url.ends_with('/')) options.url.pop_back();
  TAPAL_CHECK(http::parse_url(options.url));
  return api->open(options, world);
}

}  // namespace tapal::dnsapi
