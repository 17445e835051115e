#include "drivers/dnsapi/providers.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "values/http/url.h"
#include "values/text/ascii.h"

namespace tapal::dnsapi {
namespace {

std::string missing(std::string_view title, const CredentialField& field) {
  return fmt::format("{} needs \"{}\" ({}): put it into the credentials file as {} = ...{}",
                     title,
                     field.name,
                     field.help,
                     field.name,
                     field.environment.empty() ? ""
                                               : fmt::format(", or into the environment as {}",
                                                             field.environment.front()));
}

}  // namespace

std::span<const Provider> dns_providers() {
  static const std::array all{
      alibaba_provider(),
      cloudflare_provider(),
      desec_provider(),
      digitalocean_provider(),
      dnspod_provider(),
      gandi_provider(),
      google_provider(),
      hetzner_provider(),
      linode_provider(),
      ovh_provider(),
      porkbun_provider(),
      powerdns_provider(),
      rfc2136_provider(),
      route53_provider(),
      vultr_provider(),
  };
  return all;
}

const Provider* find_dns_provider(std::string_view name) {
  const auto all = dns_providers();
  const auto found = std::ranges::find_if(all, [name](const Provider& provider) {
    return text::equals_ignoring_case(provider.name, name);
  });
  return found == all.end() ? nullptr : &*found;
}

Result<void> check_credentials(std::string_view title,
                               std::span<const CredentialField> fields,
                               const Credentials& credentials) {
  for (const auto& field : fields) {
    const auto given = credentials.find(field.name);
    const bool is_there = given != credentials.end() && !given->second.empty();
    if (field.required && !is_there) return fail(Code::invalid, missing(title, field));
    if (is_there &&
        !std::ranges::all_of(given->second, [](char c) { return c >= ' ' && c != 127; }))
      return fail(
          Code::invalid,
          fmt::format(
              "the credential \"{}\" of {} has a control character in it", field.name, title));
  }
  return {};
}

Result<std::unique_ptr<DnsAccount>> make_dns_account(std::string_view name,
                                                     AccountOptions options,
                                                     const World& world) {
  const auto* provider = find_dns_provider(name);
  if (provider == nullptr) {
    std::vector<std::string_view> names;
    for (const auto& known : dns_providers()) names.push_back(known.name);
    return fail(Code::invalid,
                fmt::format("no DNS provider \"{}\" is known here; there are {}",
                            text::printable(name, 100),
                            fmt::join(names, ", ")));
  }
  TAPAL_CHECK(check_credentials(provider->title, provider->fields, options.credentials));
  if (options.url.empty()) options.url = provider->url;
  while (options.url.ends_with('/')) options.url.pop_back();
  if (!provider->url.empty() || !options.url.empty()) {
    TAPAL_CHECK(http::parse_url(options.url));
  }
  return provider->open(options, world);
}

}  // namespace tapal::dnsapi
