// MIME as far as tapal writes and reads it: body encodings, Content-Type, multiparts
// (RFC 2045, RFC 2046, RFC 2183, RFC 2231). Lines end in CRLF.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tapal::mail {

// RFC 2045 section 6.7. Line ends of `text` (CRLF or LF) stay line ends; lines keep to 76 bytes.
std::string quoted_printable(std::string_view text);
// RFC 2045 section 6.8: lines of 76, each with CRLF.
std::string base64_body(std::string_view bytes);

// The tolerant way back, for tests and for reading reports.
std::string from_quoted_printable(std::string_view encoded);

struct Parameter {
  std::string name;   // lower case
  std::string value;  // UTF-8, quotes removed, RFC 2231 forms joined and decoded
  bool operator==(const Parameter&) const = default;
};

struct ContentType {
  std::string type;  // lower case: "text/plain"; of Content-Disposition: "attachment"
  std::vector<Parameter> parameters;
  // The parameter's value, or empty. `name` in lower case.
  std::string_view parameter(std::string_view name) const;
};

// Content-Type and Content-Disposition bodies, comments allowed; at most 64 parameters.
Result<ContentType> parse_content_type(std::string_view field_body);

// `; name=value` with the value as token, quoted string, or RFC 2231 where it is not ASCII.
std::string parameter_text(std::string_view name, std::string_view value);

struct Part {
  std::string fields;  // complete header fields, each with CRLF
  std::string body;    // as on the wire, already encoded
};

Part text_part(std::string_view text);  // text/plain, UTF-8 and quoted-printable where needed
// base64, with a file name in any script.
struct Attachment {
  std::string file_name;
  std::string type = "application/octet-stream";
  std::string bytes;
};
Part attachment_part(const Attachment& attachment);

// The body of a multipart; the boundary must not occur in any part (see is_boundary_safe()).
std::string multipart_body(std::span<const Part> parts, std::string_view boundary);
bool is_boundary_safe(std::span<const Part> parts, std::string_view boundary);

}  // namespace tapal::mail
