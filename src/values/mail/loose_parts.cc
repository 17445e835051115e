#include "values/mail/loose_parts.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/mail/header.h"
#include "values/mail/mime.h"
#include "values/text/ascii.h"
#include "values/text/base64.h"

namespace tapal::mail {
namespace {

std::string decoded(std::string_view body, std::string_view header) {
  const auto encoding = text::to_lower(loose_field(header, "Content-Transfer-Encoding"));
  if (encoding == "quoted-printable") return from_quoted_printable(body);
  if (encoding == "base64") return text::from_base64_lines(body).value_or("");
  return std::string(body);
}

class Reader {
 public:
  std::vector<LoosePart> read(std::string_view message) {
    add(message, 0);
    return std::move(parts_);
  }

 private:
  void add(std::string_view entity, std::size_t depth) {
    if (++seen_ > loose_parts_max) return;
    const auto end = header_end(entity).value_or(entity.size());
    const auto header = entity.substr(0, end);
    const auto body = entity.substr(end);
    const auto type = parse_content_type(loose_field(header, "Content-Type"))
                          .value_or(ContentType{"text/plain", {}});
    if (type.type.starts_with("multipart/") && depth < loose_depth_max &&
        !type.parameter("boundary").empty())
      add_parts(body, type.parameter("boundary"), depth);
    else
      parts_.push_back({type.type, decoded(body, header)});
  }

  void add_parts(std::string_view body, std::string_view boundary, std::size_t depth) {
    const auto separator = fmt::format("\r\n--{}", boundary);
    std::size_t at =
        body.starts_with(std::string_view(separator).substr(2)) ? 0 : body.find(separator);
    // A server that put the wrong boundary into the header, or lost it on the way.
    if (at == body.npos) parts_.push_back({"text/plain", std::string(body)});
    while (at != body.npos && seen_ <= loose_parts_max) {
      const auto line_end = body.find("\r\n", at + 2);
      if (line_end == body.npos) return;
      if (body.substr(at, line_end - at).ends_with(fmt::format("--{}--", boundary))) return;
      at = body.find(separator, line_end);
      add(body.substr(line_end + 2, at == body.npos ? at : at - line_end), depth + 1);
    }
  }

  std::vector<LoosePart> parts_;
  std::size_t seen_ = 0;  // entities, with those that hold others
};

}  // namespace

std::vector<LoosePart> loose_parts(std::string_view message) { return Reader().read(message); }

std::string loose_field(std::string_view header, std::string_view name) {
  std::string found;
  bool is_within = false;
  while (!header.empty()) {
    const auto end = std::min(header.find('\n'), header.size() - 1);
    const auto line = text::trim(header.substr(0, end + 1));
    const bool is_fold = text::is_blank(header.front());
    header.remove_prefix(end + 1);
    if (line.empty()) break;
    if (is_within) {
      if (!is_fold) break;
      if (!found.empty()) found += ' ';
      found += line;
    } else if (!is_fold && line.size() > name.size() && line[name.size()] == ':' &&
               text::starts_with_ignoring_case(line, name)) {
      is_within = true;
      found = text::trim(line.substr(name.size() + 1));
    }
  }
  return found;
}

}  // namespace tapal::mail
