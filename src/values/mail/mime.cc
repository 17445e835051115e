#include "values/mail/mime.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "values/mail/encoded_word.h"
#include "values/mail/grammar.h"
#include "values/mail/header.h"
#include "values/text/ascii.h"
#include "values/text/base64.h"
#include "values/text/hex.h"

namespace tapal::mail {

namespace {

constexpr std::size_t encoded_line_bytes_max = 76;  // RFC 2045 sections 6.7 and 6.8
constexpr std::size_t quoted_value_bytes_max = 200;

// One line of text, without its end.
void append_quoted_printable_line(std::string& encoded, std::string_view line) {
  std::size_t column = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool is_last = i + 1 == line.size();
    const bool is_plain = text::is_blank(c) ? !is_last : c > ' ' && c < 0x7F && c != '=';
    const std::size_t size = is_plain ? 1 : 3;
    // The last column is for the soft line break, unless the line ends here.
    if (column + size > encoded_line_bytes_max - (is_last ? 0 : 1)) {
      encoded += "=\r\n";
      column = 0;
    }
    if (is_plain) {
      encoded += c;
    } else {
      encoded += fmt::format("={:02X}", static_cast<unsigned char>(c));
    }
    column += size;
  }
}

}  // namespace

std::string quoted_printable(std::string_view text) {
  std::string encoded;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    const bool has_end = end != std::string_view::npos;
    text.remove_prefix(has_end ? end + 1 : text.size());
    if (has_end && line.ends_with('\r')) line.remove_suffix(1);
    append_quoted_printable_line(encoded, line);
    if (has_end) encoded += "\r\n";
  }
  return encoded;
}

std::string base64_body(std::string_view bytes) {
  constexpr std::size_t bytes_per_line = encoded_line_bytes_max / 4 * 3;
  std::string encoded;
  encoded.reserve(bytes.size() / bytes_per_line * (encoded_line_bytes_max + 2) + 80);
  for (std::size_t at = 0; at < bytes.size(); at += bytes_per_line) {
    encoded += text::to_base64(bytes.substr(at, bytes_per_line));
    encoded += "\r\n";
  }
  return encoded;
}

std::string from_quoted_printable(std::string_view encoded) {
  std::string decoded;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    const std::string_view rest = encoded.substr(i);
    if (rest.front() != '=') {
      decoded += rest.front();
    } else if (rest.starts_with("=\r\n")) {
      i += 2;
    } else if (rest.starts_with("=\n")) {
      i += 1;
    } else if (const auto byte = text::from_hex(rest.substr(1, 2)); byte && !byte->empty()) {
      decoded += *byte;
      i += 2;
    } else {
      decoded += '=';
    }
  }
  return decoded;
}

std::string parameter_text(std::string_view name, std::string_view value) {
  constexpr std::size_t piece_bytes_max = 48;
  if (!value.empty() && std::ranges::all_of(value, is_token_char)) {
    return fmt::format("; {}={}", name, value);
  }
  if (text::is_ascii(value) && !has_control(value) && value.size() <= quoted_value_bytes_max) {
    return fmt::format("; {}={}", name, quote(value));
  }
  // RFC 2231 sections 3 and 4: pieces short enough to fold.
  std::vector<std::string> pieces = {"UTF-8''"};
  for (const char c : value) {
    if (pieces.back().size() > piece_bytes_max) pieces.emplace_back();
    constexpr std::string_view unsafe = "*'%";
    pieces.back() += is_token_char(c) && !unsafe.contains(c)
                         ? std::string(1, c)
                         : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  if (pieces.size() == 1) return fmt::format("; {}*={}", name, pieces.front());
  std::string parameters;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    parameters += fmt::format("; {}*{}*={}", name, i, pieces[i]);
  }
  return parameters;
}

Part text_part(std::string_view text) {
  const auto lines = text::split(text, '\n');
  const bool is_plain = text::is_ascii(text) && !text.contains('\0') &&
                        std::ranges::all_of(lines, [](std::string_view line) {
                          return line.size() <= HeaderLimits{}.line_bytes_max;
                        });
  Part part;
  if (!is_plain) {
    part.fields =
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
        "quoted-printable\r\n";
    part.body = quoted_printable(text);
    return part;
  }
  part.fields = "Content-Type: text/plain; charset=us-ascii\r\n";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string_view line = lines[i];
    if (line.ends_with('\r')) line.remove_suffix(1);
    part.body += line;
    if (i + 1 < lines.size()) part.body += "\r\n";
  }
  return part;
}

Part attachment_part(const Attachment& attachment) {
  const std::string name = parameter_text("filename", attachment.file_name);
  return {field("Content-Type", attachment.type) +
              field("Content-Disposition", "attachment" + name) +
              "Content-Transfer-Encoding: base64\r\n",
          base64_body(attachment.bytes)};
}

std::string multipart_body(std::span<const Part> parts, std::string_view boundary) {
  std::string body;
  for (const Part& part : parts) {
    body += fmt::format("--{}\r\n", boundary);
    body.append(part.fields).append("\r\n").append(part.body);
    // The line end before a boundary belongs to the boundary, not to the part (RFC 2046 section
    // 5.1.1), so that a part keeps its own last one.
    body += "\r\n";
  }
  return body.append(fmt::format("--{}--\r\n", boundary));
}

bool is_boundary_safe(std::span<const Part> parts, std::string_view boundary) {
  const std::string line = fmt::format("--{}", boundary);
  return std::ranges::none_of(parts, [&](const Part& part) { return part.body.contains(line); });
}

}  // namespace tapal::mail
