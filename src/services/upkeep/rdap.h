// What the registries say about a domain or an address, by RDAP (RFC 9082). Whom to ask stands in
// IANA's lists (RFC 9224).
#pragma once

#include <string>
#include <string_view>

#include "base/ip_address.h"
#include "base/result.h"
#include "base/task.h"
#include "ports/http_client.h"

namespace tapal::upkeep {

inline constexpr std::string_view rdap_lists = "https://data.iana.org/rdap/";

struct RdapWorld {
  HttpClient& http;
  Loop& loop;
  std::string lists = std::string(rdap_lists);  // where dns.json and its like are; ends in "/"
};

// The JSON text of the answer; redirects are followed, a few, and only under TLS. Errors:
// not_found (no registry answers for it, or it does not know it), those of HttpClient.
Task<Result<std::string>> ask_rdap(RdapWorld world, std::string domain);  // A-labels
Task<Result<std::string>> ask_rdap(RdapWorld world, IpAddress address);

// The registry's base URL out of a list's JSON text, by the longest entry that fits. Empty: none.
std::string rdap_server(std::string_view list, std::string_view domain);
std::string rdap_server(std::string_view list, const IpAddress& address);

}  // namespace tapal::upkeep
