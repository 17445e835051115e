// The hosters whose API sets the names of addresses, and how an account at one of them is opened.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "drivers/dnsapi/providers.h"
#include "ports/reverse_names.h"

namespace tapal::dnsapi {

struct ReverseApi {
  std::string_view name;  // "hetzner"
  std::string_view title;
  std::vector<CredentialField> fields;
  std::string_view scope;      // the least that must be granted
  std::string_view token_url;  // where credentials are made
  std::string_view url;        // of its API
  Result<std::unique_ptr<ReverseNames>> (*open)(const AccountOptions& options, const World& world);
};

// In alphabetical order of their names.
std::span<const ReverseApi> reverse_apis();
const ReverseApi* find_reverse_api(std::string_view name);

// `options.url` may be empty: the hoster's own. Code::invalid tells which hosters there are, or
// which credential is missing; no credential is repeated.
Result<std::unique_ptr<ReverseNames>> make_reverse_names(std::string_view hoster,
                                                         AccountOptions options,
                                                         const World& world);

// One file each.
ReverseApi aws_reverse();
ReverseApi contabo_reverse();
ReverseApi hetzner_reverse();
ReverseApi linode_reverse();
ReverseApi ovh_reverse();
ReverseApi vultr_reverse();

}  // namespace tapal::dnsapi
