// A message as programs of a Unix machine write it, made into one that mail servers take: and the
// addresses in it, which may lack a domain ("root", "root (Cron Daemon)").
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tapal::mail {

// CRLF lines of at most 998 bytes (longer ones are broken as Postfix does, with CRLF and a space),
// no NUL and no CR elsewhere. A "From " line of an mbox file is left out; text that does not begin
// with a header field gets the blank line in front that makes all of it the body.
std::string from_unix_message(std::string_view text);

// Where the addresses stand in an address list (RFC 5322 section 3.4): what is between angle
// brackets, else the item without its comments. Groups are flattened. They may be no addresses at
// all: mail::parse_address() tells. Views into `list`.
std::vector<std::string_view> address_texts(std::string_view list);

// The list with "@domain" behind every address that is a single word without "@".
std::string with_domain(std::string_view list, std::string_view domain);

}  // namespace tapal::mail
