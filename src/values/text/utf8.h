// UTF-8 (RFC 3629): checking, normal form C, case folding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal::text {

// Bytes of the well-formed character at the start of `text`; 0 when there is none: broken,
// overlong, a surrogate, past U+10FFFF, or `text` is empty.
std::size_t utf8_length(std::string_view text);

bool is_valid_utf8(std::string_view text);

// The longest prefix of at most `bytes_max` bytes that does not end within a character.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max);

std::string utf8_encode(char32_t character);  // U+FFFD for what is no character

// Normal form C (Unicode Annex 15). Code::invalid for broken UTF-8.
Result<std::string> to_nfc(std::string_view text);

// Unicode case folding, then normal form C: the form to compare by. Where `text` is not UTF-8,
// its ASCII letters alone are folded.
std::string case_fold(std::string_view text);

}  // namespace tapal::text
