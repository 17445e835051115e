// Mail addresses: Local-part@Domain of RFC 5321 section 4.1.2 with RFC 6531's UTF-8, and the
// mailbox lists of RFC 5322 header fields.
#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tapal::mail {

// A checked address. `local` is the local part without its quotes, in NFC, case kept.
// `domain` is lower case; an IDN domain is kept as A-labels (xn--); an address literal keeps
// its brackets, as in "[192.0.2.1]".
struct Address {
  std::string local;
  std::string domain;

  auto operator<=>(const Address&) const = default;
  // As it goes on the wire, local part quoted where it must be: "john doe"@example.com.
  std::string text() const;
  bool is_ascii() const;  // false: needs SMTPUTF8 (RFC 6531)
  bool has_literal() const { return domain.starts_with('['); }
  // The form to compare and look up by: local part case-folded (UTF-8 too). RFC 5321 section
  // 2.4 makes local parts case-sensitive, and hardly a server holds to it; our own users do not.
  std::string key() const;
};

// Limits of RFC 5321 section 4.5.3.1: local part 64, domain 255, whole path 254 octets.
// The error names what is wrong. Source routes, "%" and "!" have no meaning here.
Result<Address> parse_address(std::string_view text);

// The same from its two halves: `local` without quotes, `domain` in any form parse_address() takes.
Result<Address> make_address(std::string_view local, std::string_view domain);

// The reverse path of MAIL FROM and the forward path of RCPT TO: "<...>", where "<>" is nothing
// and a source route "<@a,@b:user@c>" is dropped (RFC 5321 appendix C). `rest` is what follows
// the path (the ESMTP parameters).
struct Path {
  std::optional<Address> address;
  std::string_view rest;
};
Result<Path> parse_path(std::string_view text, std::string_view postmaster_domain = {});

// One mailbox of a header field: display name decoded (RFC 2047), may be empty.
struct Mailbox {
  std::string name;
  Address address;
  std::string text() const;  // Name <local@domain>, name quoted or encoded where needed
};

// An address list as in From, To, Cc (RFC 5322 section 3.4, obsolete forms and comments accepted,
// groups flattened, a comment behind a bare address taken for its name). The error names the
// offending text. At most `mailboxes_max` are read.
Result<std::vector<Mailbox>> parse_mailbox_list(std::string_view field_body,
                                                std::size_t mailboxes_max = 10'000);

}  // namespace tapal::mail
