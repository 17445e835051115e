#include "values/dns/name.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::dns {
namespace {

// A pointer leads strictly backwards, so a chain ends by itself; this bounds the work per name.
constexpr int pointers_max = 128;
constexpr std::size_t pointer_offset_max = 0x3fff;
constexpr unsigned pointer_mark = 0xc0;
constexpr std::string_view escaped_by_backslash = "\\.\"();@$";

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

std::unexpected<Error> bad_name(std::string_view text, std::string_view why) {
  return fail(Code::invalid,
              fmt::format("\"{}\" is not a domain name: {}", text::printable(text), why));
}

// The byte that an escape at text[at] == '\\' stands for; `at` moves to its last character.
std::optional<char> unescape(std::string_view text, std::size_t& at) {
  if (at + 1 >= text.size()) return {};
  if (!text::is_digit(text[at + 1])) return text[++at];
  if (at + 3 >= text.size()) return {};
  const auto number = text::to_number<unsigned>(text.substr(at + 1, 3));
  if (!number || *number > 255) return {};
  at += 3;
  return static_cast<char>(*number);
}

void append_label(std::string& text, std::string_view label) {
  for (const char raw : label) {
    const char c = text::to_lower(raw);
    if (escaped_by_backslash.contains(c)) {
      text += '\\';
      text += c;
    } else if (c > ' ' && c < '\x7f') {
      text += c;
    } else {
      text += fmt::format("\\{:03}", static_cast<unsigned char>(c));
    }
  }
}

// Text to wire form, lower case.
Result<std::string> to_wire(std::string_view text) {
  std::string wire(1, '\0');
  std::size_t length_at = 0;  // of the label being read
  if (text == "." || text.empty()) return wire;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '.') {
      if (wire.size() == length_at + 1) return bad_name(text, "a label is empty");
      length_at = wire.size();
      wire += '\0';
      continue;
    }
    if (c == '\\') {
      const auto byte = unescape(text, i);
      if (!byte) return bad_name(text, "an escape is not \\DDD or \\X");
      c = *byte;
    } else if (c <= ' ' || c >= '\x7f') {
      return bad_name(text, "it has spaces, control characters or non-ASCII letters");
    }
    wire += text::to_lower(c);
    const std::size_t label_bytes = wire.size() - length_at - 1;
    if (label_bytes > label_bytes_max) return bad_name(text, "a label is longer than 63 bytes");
    wire[length_at] = static_cast<char>(label_bytes);
    if (wire.size() >= name_wire_bytes_max) return bad_name(text, "it is longer than 253 bytes");
  }
  // A final dot has begun the root's label already.
  if (wire.size() != length_at + 1) wire += '\0';
  return wire;
}

std::string to_text(std::string_view wire) {
  std::string text;
  for (std::size_t at = 0; byte_at(wire, at) != 0; at += byte_at(wire, at) + 1) {
    if (at != 0) text += '.';
    append_label(text, wire.substr(at + 1, byte_at(wire, at)));
  }
  return text;
}

// Where the dot behind the first label is; npos for a last label.
std::size_t first_dot(std::string_view name) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '.') return i;
    if (name[i] == '\\') ++i;
  }
  return std::string_view::npos;
}

bool is_escaped(std::string_view text, std::size_t at) {
  std::size_t backslashes = 0;
  while (backslashes < at && text[at - backslashes - 1] == '\\') ++backslashes;
  return backslashes % 2 == 1;
}

std::unexpected<Error> cut_off() { return fail(Code::invalid, "a name is cut off"); }

// Where the pointer at `at` leads, which must be before the labels that end in it.
Result<std::size_t> pointer_target(std::string_view message, std::size_t at, std::size_t before) {
  if (at + 1 >= message.size()) return cut_off();
  const std::size_t target = (byte_at(message, at) & ~pointer_mark) << 8 | byte_at(message, at + 1);
  if (target >= before) return fail(Code::invalid, "a name points forwards");
  return target;
}

}  // namespace

Result<std::string> parse_name(std::string_view text) {
  TAPAL_TRY(const std::string wire, to_wire(text));
  return to_text(wire);
}

Result<std::string> parse_relative_name(std::string_view text, std::string_view origin) {
  if (text == "@") return std::string(origin);
  if (text.empty()) return bad_name(text, "it is empty");
  if (text == "." || (text.ends_with('.') && !is_escaped(text, text.size() - 1)))
    return parse_name(text);
  return parse_name(origin.empty() ? std::string(text) : fmt::format("{}.{}", text, origin));
}

bool is_subdomain_of(std::string_view name, std::string_view zone) {
  if (zone.empty() || name == zone) return true;
  if (name.size() <= zone.size() || !name.ends_with(zone)) return false;
  const std::size_t dot = name.size() - zone.size() - 1;
  return name[dot] == '.' && !is_escaped(name, dot);
}

std::string absolute(std::string_view name) { return fmt::format("{}.", name); }

std::string_view parent_of(std::string_view name) {
  const std::size_t dot = first_dot(name);
  return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

std::vector<std::string_view> labels_of(std::string_view name) {
  std::vector<std::string_view> labels;
  for (; !name.empty(); name = parent_of(name)) labels.push_back(name.substr(0, first_dot(name)));
  return labels;
}

std::string reverse_name(const IpAddress& address) {
  std::string name;
  if (address.is_v4()) {
    for (std::size_t i = 16; i-- > 12;) name += fmt::format("{}.", address.bytes[i]);
    return name + "in-addr.arpa";
  }
  for (std::size_t i = 16; i-- > 0;)
    name += fmt::format("{:x}.{:x}.", address.bytes[i] & 15, address.bytes[i] >> 4);
  return name + "ip6.arpa";
}

Result<NameAt> name_from_wire(std::string_view message, std::size_t offset) {
  NameAt result;
  std::size_t at = offset;
  std::size_t run_begin = offset;  // a pointer must lead before this
  std::size_t wire_bytes = 1;
  int pointers = 0;
  while (at < message.size() && byte_at(message, at) != 0) {
    const unsigned length = byte_at(message, at);
    if ((length & pointer_mark) == pointer_mark) {
      TAPAL_TRY(const std::size_t target, pointer_target(message, at, run_begin));
      if (++pointers > pointers_max) return fail(Code::invalid, "a name has too many pointers");
      if (pointers == 1) result.end = at + 2;
      at = run_begin = target;
      continue;
    }
    if (length > label_bytes_max) return fail(Code::invalid, "a name has an unknown label type");
    if (at + 1 + length > message.size()) return cut_off();
    if (wire_bytes > 1) result.name += '.';
    append_label(result.name, message.substr(at + 1, length));
    wire_bytes += length + 1;
    if (wire_bytes > name_wire_bytes_max) return fail(Code::invalid, "a name is too long");
    at += length + 1;
  }
  if (at >= message.size()) return cut_off();
  if (pointers == 0) result.end = at + 1;
  return result;
}

Result<std::string> name_to_wire(std::string_view name) { return to_wire(name); }

Result<void> NameWriter::append(std::string& message, std::string_view name) {
  TAPAL_TRY(const std::string wire, to_wire(name));
  std::size_t at = 0;
  for (; byte_at(wire, at) != 0; at += byte_at(wire, at) + 1) {
    const std::size_t here = message.size() + at;
    const auto known = offsets_.find(wire.substr(at));
    if (known != offsets_.end()) {
      message.append(wire, 0, at);
      message += static_cast<char>(pointer_mark | known->second >> 8);
      message += static_cast<char>(known->second & 0xff);
      return {};
    }
    if (here <= pointer_offset_max)
      offsets_.emplace(wire.substr(at), static_cast<std::uint16_t>(here));
  }
  message += wire;
  return {};
}

void NameWriter::forget_from(std::size_t size) {
  std::erase_if(offsets_, [size](const auto& entry) { return entry.second >= size; });
}

}  // namespace tapal::dns
