#include "values/mail/header_edit.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::mail {
namespace {

using Fields = std::vector<std::string>;  // each with its final CRLF

bool has_name(std::string_view field, std::string_view name) {
  if (!text::starts_with_ignoring_case(field, name)) return false;
  field.remove_prefix(name.size());
  while (!field.empty() && text::is_blank(field.front())) field.remove_prefix(1);  // obsolete
  return field.starts_with(':');
}

// Lines of the body that hold nothing are left out: a blank line would end the header.
std::string make_field(const HeaderEdit& edit) {
  std::string field = edit.name + ":";
  bool first = true;
  for (std::string_view line : text::split(edit.body, '\n')) {
    const bool is_empty = text::trim(line).empty();
    if (!first && is_empty) continue;
    if (!first) field += text::is_blank(line.front()) ? "\r\n" : "\r\n\t";
    first = false;
    for (const char c : line)
      if (c != '\r' && c != '\0') field += c;
  }
  return field + "\r\n";
}

// Index of the field of that name that `place` counts to; fields.size() when there is none.
std::size_t find_field(const Fields& fields, const std::string& name, std::int32_t place) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (has_name(fields[i], name)) found.push_back(i);
  const auto count = static_cast<std::int32_t>(found.size());
  const std::int32_t index = place < 0 ? count + place : place - 1;
  if (index < 0 || index >= count) return fields.size();
  return found[static_cast<std::size_t>(index)];
}

void apply(Fields& fields, const HeaderEdit& edit) {
  using Kind = HeaderEdit::Kind;
  if (edit.kind == Kind::append) {
    fields.push_back(make_field(edit));
    return;
  }
  if (edit.kind == Kind::insert) {
    const auto above = std::min(static_cast<std::size_t>(std::max(edit.place, 0)), fields.size());
    fields.insert(fields.begin() + static_cast<std::ptrdiff_t>(above), make_field(edit));
    return;
  }
  if (edit.kind == Kind::remove && edit.place == 0) {
    std::erase_if(fields, [&edit](const std::string& field) { return has_name(field, edit.name); });
    return;
  }
  const std::size_t at = find_field(fields, edit.name, edit.place);
  const bool is_there = at < fields.size();
  if (edit.kind == Kind::remove && is_there)
    fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(at));
  if (edit.kind == Kind::replace && is_there) fields[at] = make_field(edit);
  if (edit.kind == Kind::replace && !is_there) fields.push_back(make_field(edit));
}

}  // namespace

std::vector<std::string_view> field_texts(std::string_view header) {
  std::vector<std::string_view> fields;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < header.size();) {
    const std::size_t end = header.find("\r\n", at);
    at = end == header.npos ? header.size() : end + 2;
    if (at < header.size() && text::is_blank(header[at])) continue;  // a fold
    fields.push_back(header.substr(begin, at - begin));
    begin = at;
  }
  return fields;
}

bool is_field_name(std::string_view name) {
  return !name.empty() && name.size() <= 256 &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < 127 && c != ':'; });
}

Result<std::string> edit_header(std::string_view header, std::span<const HeaderEdit> edits) {
  const auto texts = field_texts(header);
  Fields fields(texts.begin(), texts.end());
  for (const HeaderEdit& edit : edits.first(std::min(edits.size(), header_edits_max))) {
    if (!is_field_name(edit.name))
      return fail(
          Code::invalid,
          fmt::format("\"{}\" cannot be a header field's name", text::printable(edit.name)));
    apply(fields, edit);
  }
  std::string edited;
  for (const std::string& field : fields) edited += field;
  if (edited.size() > std::max(edited_header_bytes_max, header.size()))
    return fail(Code::full, "the header has grown too long");
  return edited;
}

}  // namespace tapal::mail
