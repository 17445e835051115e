// Words beyond ASCII in header fields (RFC 2047). Text on our side is always UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace tapal::mail {

// Unstructured text such as a subject. ASCII stays as it is; anything else, and what looks like an
// encoded word, becomes UTF-8 encoded words of at most 75 bytes, with white space between them
// where mail::field() may fold. Control characters become spaces; broken UTF-8 becomes U+FFFD.
std::string encode_unstructured(std::string_view text);

// A display name: atoms as they are, else a quoted string, else encoded words.
std::string encode_phrase(std::string_view text);

// The text with its encoded words decoded: UTF-8, US-ASCII, ISO-8859-1 (and Windows-1252 for the
// sake of old senders) in Q and B. What cannot be decoded stays as it is. Valid UTF-8 out when
// the rest of `text` is.
std::string decode_encoded_words(std::string_view text);

}  // namespace tapal::mail
