#include "values/mail/encoded_word.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "values/mail/grammar.h"
#include "values/text/ascii.h"
#include "values/text/base64.h"
#include "values/text/hex.h"
#include "values/text/utf8.h"

namespace tapal::mail {

namespace {

// RFC 2047 section 2 allows 75; less leaves room for "Subject: " on the first line of 76.
constexpr std::size_t word_bytes_max = 66;
constexpr std::string_view q_start = "=?UTF-8?Q?";
constexpr std::string_view b_start = "=?UTF-8?B?";
constexpr std::size_t payload_bytes_max = word_bytes_max - q_start.size() - 2;
// What others write may be longer; past this it is no encoded word.
constexpr std::size_t foreign_word_bytes_max = 1000;
// A word of ASCII that could make a line longer than 998.
constexpr std::size_t plain_word_bytes_max = 900;

constexpr std::string_view replacement = "\xEF\xBF\xBD";

// Well-formed UTF-8 without control characters: broken bytes become U+FFFD, controls spaces.
std::string clean(std::string_view text) {
  std::string cleaned;
  cleaned.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = text::utf8_length(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0) {
      cleaned += replacement;
    } else {
      cleaned += has_control(character) ? " " : character;
    }
    text.remove_prefix(character.size());
  }
  return cleaned;
}

// RFC 2047 section 5 (3): what may stand for itself even within a phrase.
bool is_q_plain(char c) {
  constexpr std::string_view specials = "!*+-/";
  return text::is_alnum(c) || specials.contains(c);
}

std::string q_encoded(std::string_view bytes) {
  std::string encoded;
  for (const char c : bytes) {
    if (is_q_plain(c)) {
      encoded += c;
    } else if (c == ' ') {
      encoded += '_';
    } else {
      encoded += fmt::format("={:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

// Q stays readable to those who see it raw; B is shorter where most characters are encoded.
bool prefers_q(std::string_view text) {
  std::size_t characters = 0;
  std::size_t encoded = 0;
  for (const char c : text) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
    characters += continues ? 0 : 1;
    encoded += continues || is_q_plain(c) || c == ' ' ? 0 : 1;
  }
  return encoded <= characters / 2;
}

// `text` as encoded words with a space between, none cut within a character (RFC 2047 section 5).
std::string encoded_words(std::string_view text) {
  const bool is_q = prefers_q(text);
  std::string words;
  while (!text.empty()) {
    // As many whole characters as fit.
    std::size_t taken = 0;
    std::size_t q_bytes = 0;
    for (;;) {
      const std::size_t length = text::utf8_length(text.substr(taken));
      if (length == 0) break;
      const char first = text[taken];
      q_bytes += is_q_plain(first) || first == ' ' ? 1 : 3 * length;
      const std::size_t size = is_q ? q_bytes : (taken + length + 2) / 3 * 4;
      if (size > payload_bytes_max) break;
      taken += length;
    }
    const std::string_view piece = text.substr(0, taken);
    if (!words.empty()) words += ' ';
    words += fmt::format(
        "{}{}?=", is_q ? q_start : b_start, is_q ? q_encoded(piece) : text::to_base64(piece));
    text.remove_prefix(taken);
  }
  return words;
}

bool must_encode(std::string_view word) {
  return !text::is_ascii(word) || word.contains("=?") || word.size() > plain_word_bytes_max;
}

enum class Charset : std::uint8_t { utf8, ascii, latin1 };

std::optional<Charset> charset_of(std::string_view name) {
  name = name.substr(0, name.find('*'));  // a language may follow (RFC 2231 section 5)
  constexpr std::pair<std::string_view, Charset> known[] = {{"utf-8", Charset::utf8},
                                                            {"utf8", Charset::utf8},
                                                            {"us-ascii", Charset::ascii},
                                                            {"ascii", Charset::ascii},
                                                            {"iso-8859-1", Charset::latin1},
                                                            {"latin1", Charset::latin1},
                                                            {"windows-1252", Charset::latin1}};
  for (const auto& [label, kind] : known) {
    if (text::equals_ignoring_case(label, name)) return kind;
  }
  return {};
}

// Windows-1252 for both: ISO-8859-1 has only controls there, and nobody means those.
std::string from_latin1(std::string_view bytes) {
  constexpr std::array<char16_t, 32> upper_controls = {
      u'\u20AC', 0xFFFD,    u'\u201A', u'\u0192', u'\u201E', u'\u2026', u'\u2020', u'\u2021',
      u'\u02C6', u'\u2030', u'\u0160', u'\u2039', u'\u0152', 0xFFFD,    u'\u017D', 0xFFFD,
      0xFFFD,    u'\u2018', u'\u2019', u'\u201C', u'\u201D', u'\u2022', u'\u2013', u'\u2014',
      u'\u02DC', u'\u2122', u'\u0161', u'\u203A', u'\u0153', 0xFFFD,    u'\u017E', u'\u0178'};
  std::string utf8;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    utf8 += text::utf8_encode(byte >= 0x80 && byte < 0xA0 ? char32_t{upper_controls[byte - 0x80U]}
                                                          : char32_t{byte});
  }
  return utf8;
}

std::string to_utf8(std::string_view bytes, Charset charset) {
  switch (charset) {
    case Charset::latin1: return clean(from_latin1(bytes));
    case Charset::utf8: return clean(bytes);
    case Charset::ascii: break;
  }
  std::string text;
  for (const char c : bytes) text += is_ascii_char(c) ? std::string_view(&c, 1) : replacement;
  return clean(text);
}

std::string q_decoded(std::string_view payload) {
  std::string bytes;
  for (std::size_t i = 0; i < payload.size(); ++i) {
    if (payload[i] == '_') {
      bytes += ' ';
    } else if (payload[i] != '=') {
      bytes += payload[i];
    } else if (const auto byte = text::from_hex(payload.substr(i + 1, 2)); byte && !byte->empty()) {
      bytes += *byte;
      i += 2;
    } else {
      bytes += '=';
    }
  }
  return bytes;
}

std::optional<std::string> b_decoded(std::string_view payload) {
  std::string padded(payload);
  while (padded.size() % 4 != 0) padded += '=';  // some senders leave it out
  auto bytes = text::from_base64(padded);
  if (!bytes) return {};
  return *std::move(bytes);
}

struct EncodedWord {
  std::size_t size = 0;  // in the text
  Charset charset = Charset::utf8;
  std::string bytes;
};

// The encoded word at the start of `text`, if one is there that can be decoded.
std::optional<EncodedWord> read_word(std::string_view text) {
  text = text.substr(0, std::min(text.size(), foreign_word_bytes_max));
  const std::size_t charset_end = text.find('?', 2);
  if (charset_end == std::string_view::npos || charset_end + 3 > text.size()) return {};
  const auto charset = charset_of(text.substr(2, charset_end - 2));
  const char encoding = text::to_lower(text[charset_end + 1]);
  if (!charset || text[charset_end + 2] != '?') return {};
  const std::size_t start = charset_end + 3;
  const std::size_t end = text.find("?=", start);
  if (end == std::string_view::npos) return {};
  const std::string_view payload = text.substr(start, end - start);
  if (encoding == 'q') return EncodedWord{end + 2, *charset, q_decoded(payload)};
  if (encoding != 'b') return {};
  auto bytes = b_decoded(payload);
  if (!bytes) return {};
  return EncodedWord{end + 2, *charset, *std::move(bytes)};
}

}  // namespace

std::string encode_unstructured(std::string_view text) {
  std::string cleaned = clean(text);
  const std::vector<std::string_view> words = text::split(cleaned, ' ');
  // Everything from the first word that must be encoded to the last goes into encoded words: white
  // space between two of those is not kept otherwise, and at either end it would be trimmed.
  std::size_t first = words.size();
  std::size_t end = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!must_encode(words[i])) continue;
    first = std::min(first, i);
    end = i + 1;
  }
  if (cleaned.starts_with(' ')) {
    first = 0;
    end = std::max<std::size_t>(end, 2);
  }
  if (cleaned.ends_with(' ')) {
    first = std::min(first, words.size() - 2);
    end = words.size();
  }
  if (first >= end) return cleaned;
  const auto start_byte = static_cast<std::size_t>(words[first].data() - cleaned.data());
  const auto end_byte =
      static_cast<std::size_t>(words[end - 1].data() - cleaned.data()) + words[end - 1].size();
  const std::string_view range =
      std::string_view(cleaned).substr(start_byte, end_byte - start_byte);
  return cleaned.substr(0, start_byte) + encoded_words(range) + cleaned.substr(end_byte);
}

std::string encode_phrase(std::string_view text) {
  std::string cleaned = clean(text);
  const std::vector<std::string_view> words = text::split(cleaned, ' ');
  if (std::ranges::any_of(words, must_encode)) return encoded_words(cleaned);
  const auto is_atom = [](std::string_view word) {
    return !word.empty() && std::ranges::all_of(word, is_atom_char);
  };
  if (cleaned.empty() || std::ranges::all_of(words, is_atom)) return cleaned;
  return quote(cleaned);
}

std::string decode_encoded_words(std::string_view text) {
  std::string decoded;
  std::string pending;  // bytes of neighbouring words: characters may be cut between them
  Charset pending_charset = Charset::utf8;
  const auto flush = [&] {
    decoded += to_utf8(pending, pending_charset);
    pending.clear();
  };
  bool after_word = false;
  while (!text.empty()) {
    const std::size_t start = std::min(text.find("=?"), text.size());
    const std::string_view before = text.substr(0, start);
    auto word = start < text.size() ? read_word(text.substr(start)) : std::nullopt;
    // White space between two encoded words is not shown (RFC 2047 section 6.2).
    const bool is_joined = word && after_word && std::ranges::all_of(before, text::is_white_space);
    if (!is_joined) {
      flush();
      decoded += before;
    }
    text.remove_prefix(start);
    after_word = word.has_value();
    if (word) {
      if (word->charset != pending_charset) flush();
      pending_charset = word->charset;
      pending += word->bytes;
      text.remove_prefix(word->size);
    } else if (!text.empty()) {
      decoded += text.substr(0, 2);
      text.remove_prefix(2);
    }
  }
  flush();
  return decoded;
}

}  // namespace tapal::mail
