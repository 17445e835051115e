// Whose message it says it is: the author domains that DMARC checks (RFC 9989 section 5.3.1).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tapal::mailauth {

inline constexpr std::size_t author_domains_max = 4;  // RFC 9989 section 11.5

struct AuthorDomains {
  std::vector<std::string> domains;  // A-labels in lower case, each once, in the header's order
  std::string problem;               // why they are not all, for people; empty: they are
};

// From the addresses of all From fields; a message has one field, and nearly always one address.
// `header_block` as DkimVerifier takes it.
AuthorDomains author_domains(std::string_view header_block);

}  // namespace tapal::mailauth
