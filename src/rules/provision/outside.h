// Whom the doctor asks in the world outside, as settings may have it.
#pragma once

#include <string>
#include <vector>

namespace tapal::provision {

struct Outside {
  // Their mail servers are asked for a greeting, to see whether the way out is open.
  std::vector<std::string> big_domains = {"gmail.com", "yahoo.com", "outlook.com"};
  // Block lists. zen.spamhaus.org is what most receivers ask; it comes first, and counts most.
  std::vector<std::string> address_lists = {
      "zen.spamhaus.org", "bl.spamcop.net", "b.barracudacentral.org", "psbl.surriel.com"};
  std::vector<std::string> domain_lists = {
      "dbl.spamhaus.org", "multi.surbl.org", "multi.uribl.com"};
  // Who makes our certificates, as CAA records name them.
  std::vector<std::string> issuers = {"letsencrypt.org"};
  // Web servers whose time is compared with ours.
  std::vector<std::string> clock_pages = {"https://acme-v02.api.letsencrypt.org/directory",
                                          "https://www.google.com/generate_204",
                                          "https://www.cloudflare.com/cdn-cgi/trace"};
};

}  // namespace tapal::provision
