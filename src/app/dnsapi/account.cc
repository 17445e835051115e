#include "app/dnsapi/account.h"

#include <cstdlib>

#include <fmt/format.h>

#include "app/cli/dns_option.h"
#include "drivers/dnsapi/credentials.h"
#include "drivers/files/files.h"
#include "drivers/net/tls.h"
#include "values/dns/name.h"
#include "values/text/ascii.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;

Result<void> check_rights(const fs::path& file) {
  std::error_code error;
  const auto rights = fs::status(file, error).permissions();
  if (error) return {};  // reading it will tell
  constexpr auto others = fs::perms::group_all | fs::perms::others_all;
  if ((rights & others) == fs::perms::none) return {};
  return fail(
      Code::denied,
      fmt::format("{0}: others than its owner have rights on this file, which holds credentials; "
                  "`chmod 600 {0}`",
                  file.string()));
}

Result<dnsapi::Credentials> read_file(const dnsapi::Provider& provider, const std::string& file) {
  TAPAL_CHECK(check_rights(file));
  TAPAL_TRY(const auto text, files::read_file(file, dnsapi::credentials_bytes_max));
  // A key file of the provider's own making stands for itself.
  if (text::trim(text).starts_with('{')) return dnsapi::Credentials{{"key_file", file}};
  auto credentials = dnsapi::read_credentials(provider, text);
  if (!credentials)
    credentials.error().what = fmt::format("{}: {}", file, credentials.error().what);
  return credentials;
}

std::string from_environment(const dnsapi::CredentialField& field) {
  for (const auto variable : field.environment)
    if (const char* value = std::getenv(std::string(variable).c_str()); value && *value)
      return value;
  return {};
}

}  // namespace

const DnsAccountSettings& dns_account_of(const DnsSettings& settings, std::string_view name) {
  for (std::string_view zone = name; !zone.empty(); zone = dns::parent_of(zone))
    if (const auto found = settings.zones.find(zone); found != settings.zones.end())
      return found->second;
  return settings.account;
}

Result<dnsapi::Credentials> dns_credentials(const dnsapi::Provider& provider,
                                            const std::string& file) {
  dnsapi::Credentials credentials;
  if (!file.empty()) {
    TAPAL_TRY(credentials, read_file(provider, file));
  }
  for (const auto& field : provider.fields) {
    if (credentials.contains(field.name)) continue;
    if (auto value = from_environment(field); !value.empty())
      credentials.emplace(field.name, std::move(value));
  }
  return credentials;
}

Result<std::unique_ptr<DnsAccount>> open_dns_account(const DnsAccountSettings& account,
                                                     const dnsapi::World& world) {
  if (account.provider.empty())
    return fail(Code::invalid,
                "no DNS provider is set: name one as `provider` under [dns] of tapal.toml or by "
                "--provider; `tapal dns providers` lists them");
  dnsapi::AccountOptions options;
  options.url = account.url;
  if (const auto* provider = dnsapi::find_dns_provider(account.provider)) {
    TAPAL_TRY(options.credentials, dns_credentials(*provider, account.credentials_file));
  }
  return dnsapi::make_dns_account(account.provider, std::move(options), world);
}

void declare_dns_account(const Command& command, DnsAccountSettings& into) {
  command.text({"--provider", "the zone's DNS provider; default: as the settings say"},
               into.provider);
  command.text({"--credentials-file",
                "a file only its owner may read, with its credentials; default: as the settings "
                "say, and the environment"},
               into.credentials_file);
  command.text({"--url", "where its API is, when it is not the provider's own"}, into.url);
}

Result<std::unique_ptr<DnsAccountRun>> DnsAccountRun::prepare(const CommonOptions& common,
                                                              const DnsAccountSettings& given,
                                                              std::string_view name,
                                                              const std::string& dns_server) {
  std::unique_ptr<DnsAccountRun> run(new DnsAccountRun);
  auto settings = load_settings(common.config);
  if (!settings && (given.provider.empty() || settings.error().code != Code::not_found))
    return std::unexpected(settings.error());
  if (settings) run->account_ = dns_account_of(settings->dns, name);
  if (!given.provider.empty()) run->account_ = given;
  if (!given.credentials_file.empty()) run->account_.credentials_file = given.credentials_file;
  if (!given.url.empty()) run->account_.url = given.url;
  TAPAL_TRY(auto asked, resolver_options(common, dns_server));
  TAPAL_TRY(run->resolver_, UnboundResolver::open(std::move(asked)));
  ClientTlsOptions tls;
  if (settings) tls.trusted_ca_file = settings->tls.trusted_ca_file;
  TAPAL_TRY(run->tls_, ClientContext::make(tls));
  return run;
}

}  // namespace tapal::app
