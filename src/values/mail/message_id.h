// Message identifiers (RFC 5322 section 3.6.4).
#pragma once

#include <string>
#include <string_view>

namespace tapal::mail {

// "<...@domain>": `random_bytes` (16 or more) in hexadecimal, so that two never meet and nothing
// about the sender is told.
std::string make_message_id(std::string_view random_bytes, std::string_view domain);

// One msg-id in angle brackets: something on both sides of an @, no white space, controls or
// further brackets, at most 995 bytes. Laxer than the grammar, since many senders are; UTF-8
// passes (RFC 6532).
bool is_message_id(std::string_view text);

}  // namespace tapal::mail
