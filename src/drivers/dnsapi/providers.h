// The providers of DNS whose API we know, and how an account at one of them is opened.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ports/clock.h"
#include "ports/dns_account.h"
#include "ports/http_client.h"
#include "ports/random.h"
#include "ports/resolver.h"
#include "ports/stream.h"

namespace tapal::dnsapi {

// What accounts reach the world by. Must outlive them.
struct World {
  HttpClient& http;
  Network& network;    // of the loop that calls are made on; RFC 2136 alone uses it
  Resolver& resolver;  // the same
  Clock& clock;
  Random& random;
};

// One thing that must be known to open an account.
struct CredentialField {
  enum class Kind : std::uint8_t {
    secret,  // never shown
    plain,   // a name, an address
  };
  std::string_view name;  // "token": the key in a credentials file
  std::string_view help;
  std::vector<std::string_view> environment;  // variables that give it, ours first
  Kind kind = Kind::secret;
  bool required = true;
};

using Credentials = std::map<std::string, std::string, std::less<>>;  // by a field's name

struct AccountOptions {
  Credentials credentials;  // all required ones are there
  std::string url;          // of the API; no final slash

  // Empty for one that is not given.
  std::string given(std::string_view field) const {
    const auto found = credentials.find(field);
    return found == credentials.end() ? std::string() : found->second;
  }
};

struct Provider {
  std::string_view name;   // "cloudflare"
  std::string_view title;  // "Cloudflare"
  std::vector<CredentialField> fields;
  std::string_view scope;      // the least that must be granted
  std::string_view token_url;  // where credentials are made; may be empty
  std::string_view url;        // of its API; empty where every installation has its own
  DnsAccountLimits limits;
  Result<std::unique_ptr<DnsAccount>> (*open)(const AccountOptions& options, const World& world);
};

// In alphabetical order of their names.
std::span<const Provider> dns_providers();
const Provider* find_dns_provider(std::string_view name);

// Code::invalid says which of `fields` is missing and how it is given, or cannot be; none is
// repeated. `title` is whose they are.
Result<void> check_credentials(std::string_view title,
                               std::span<const CredentialField> fields,
                               const Credentials& credentials);

// `options.url` may be empty: the provider's own. Code::invalid tells which provider there is not,
// or which credential is missing and how it is given; no credential is repeated.
Result<std::unique_ptr<DnsAccount>> make_dns_account(std::string_view provider,
                                                     AccountOptions options,
                                                     const World& world);

// One file each.
Provider alibaba_provider();
Provider cloudflare_provider();
Provider desec_provider();
Provider digitalocean_provider();
Provider dnspod_provider();
Provider gandi_provider();
Provider google_provider();
Provider hetzner_provider();
Provider linode_provider();
Provider ovh_provider();
Provider porkbun_provider();
Provider powerdns_provider();
Provider rfc2136_provider();
Provider route53_provider();
Provider vultr_provider();

}  // namespace tapal::dnsapi
