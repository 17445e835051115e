#include "values/mail/header.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::mail {

namespace {

constexpr std::string_view crlf = "\r\n";

std::unexpected<Error> wrong_line(std::size_t line, std::string_view what) {
  return fail(Code::invalid, fmt::format("line {} of the message header: {}", line, what));
}

// RFC 5322 section 2.2.
bool is_name_char(char c) { return c > ' ' && c < 0x7F && c != ':'; }

// The line that `rest` begins with, without its CRLF.
Result<std::string_view> next_line(std::string_view rest,
                                   std::size_t number,
                                   const HeaderLimits& limits) {
  // No further than a good line can reach, so that hostile bytes are not searched twice.
  const std::string_view window = rest.substr(0, std::min(rest.size(), limits.line_bytes_max + 2));
  const std::size_t end = window.find_first_of(std::string_view("\r\n\0", 3));
  if (std::min(end, rest.size()) > limits.line_bytes_max) {
    return wrong_line(number,
                      fmt::format("it has more than {} characters (RFC 5322 section 2.1.1)",
                                  limits.line_bytes_max));
  }
  if (end == std::string_view::npos) return wrong_line(number, "it does not end in CRLF");
  if (window[end] == '\0') return wrong_line(number, "it has a NUL character");
  if (window[end] == '\n') return wrong_line(number, "it has an LF without a CR before it");
  if (rest.substr(end, 2) != crlf) return wrong_line(number, "it has a CR without an LF after it");
  return rest.substr(0, end);
}

Result<std::string_view> field_name(std::string_view line, std::size_t number) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return wrong_line(number, "there is no colon in it");
  std::string_view name = line.substr(0, colon);
  // White space before the colon is obsolete, yet to be taken (RFC 5322 section 4.5.8).
  while (!name.empty() && text::is_blank(name.back())) name.remove_suffix(1);
  if (name.empty()) return wrong_line(number, "there is no field name before the colon");
  if (!std::ranges::all_of(name, is_name_char)) {
    return wrong_line(number,
                      fmt::format("\"{}\" has a character that no field name may have",
                                  text::printable(name, 80)));
  }
  return name;
}

}  // namespace

std::string HeaderField::unfolded() const {
  std::string joined(body);
  std::erase_if(joined, [](char c) { return c == '\r' || c == '\n'; });
  return std::string(text::trim(joined));
}

bool HeaderField::is(std::string_view other_name) const {
  return text::equals_ignoring_case(name, other_name);
}

Result<HeaderFields> HeaderFields::parse(std::string_view block, const HeaderLimits& limits) {
  HeaderFields header;
  std::size_t at = 0;
  for (std::size_t number = 1; at < block.size(); ++number) {
    TAPAL_TRY(const std::string_view line, next_line(block.substr(at), number, limits));
    if (line.empty()) break;
    const std::size_t next = at + line.size() + crlf.size();
    if (next > limits.bytes_max) {
      return fail(Code::full,
                  fmt::format("the message header has more than {} bytes", limits.bytes_max));
    }
    if (text::is_blank(line.front())) {
      if (header.fields_.empty())
        return wrong_line(number, "it continues a field, but none is before it");
      HeaderField& last = header.fields_.back();
      const auto start = static_cast<std::size_t>(last.raw.data() - block.data());
      last.raw = block.substr(start, next - start);
    } else {
      if (header.fields_.size() == limits.fields_max) {
        return fail(Code::full,
                    fmt::format("the message header has more than {} fields", limits.fields_max));
      }
      TAPAL_TRY(const std::string_view name, field_name(line, number));
      header.fields_.push_back({name, block.substr(at, next - at), {}, number});
    }
    at = next;
  }
  for (HeaderField& field : header.fields_) {
    const std::size_t colon = field.raw.find(':', field.name.size());
    field.body = field.raw.substr(colon + 1, field.raw.size() - colon - 1 - crlf.size());
  }
  return header;
}

const HeaderField* HeaderFields::find(std::string_view name) const {
  const auto found =
      std::ranges::find_if(fields_, [&](const auto& field) { return field.is(name); });
  return found == fields_.end() ? nullptr : &*found;
}

const HeaderField* HeaderFields::find_last(std::string_view name) const {
  const auto found = std::find_if(
      fields_.rbegin(), fields_.rend(), [&](const auto& field) { return field.is(name); });
  return found == fields_.rend() ? nullptr : &*found;
}

std::size_t HeaderFields::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(fields_, [&](const auto& field) { return field.is(name); }));
}

std::string HeaderFields::body_of(std::string_view name) const {
  const HeaderField* field = find(name);
  return field != nullptr ? field->unfolded() : std::string();
}

std::optional<std::size_t> header_end(std::string_view bytes) {
  if (bytes.starts_with(crlf)) return crlf.size();
  const std::size_t blank = bytes.find("\r\n\r\n");
  if (blank == std::string_view::npos) return {};
  return blank + 2 * crlf.size();
}

HeaderReader::State HeaderReader::on_bytes(std::string_view chunk) {
  if (state_ != State::reading) return state_;
  // The blank line may be cut between chunks: look at the last three bytes again.
  const std::size_t before = bytes_.size();
  const std::size_t from = before < 4 ? 0 : before - 3;
  const std::size_t room = bytes_max_ + 2 * crlf.size() - std::min(before, bytes_max_);
  bytes_ += chunk.substr(0, std::min(chunk.size(), room));
  std::optional<std::size_t> end;
  if (from == 0) {
    end = header_end(bytes_);
  } else if (const auto blank = bytes_.find("\r\n\r\n", from); blank != std::string::npos) {
    end = blank + 2 * crlf.size();
  }
  if (!end) {
    if (bytes_.size() > bytes_max_ + crlf.size()) state_ = State::too_long;
    return state_;
  }
  rest_ = chunk.substr(*end - before);
  bytes_.resize(*end - crlf.size());
  return state_ = bytes_.size() > bytes_max_ ? State::too_long : State::complete;
}

HeaderReader::State HeaderReader::at_end() {
  if (state_ == State::reading) {
    state_ = bytes_.size() > bytes_max_ ? State::too_long : State::complete;
  }
  return state_;
}

std::string field(std::string_view name, std::string_view body) {
  constexpr std::size_t line_bytes_wanted = 76;
  constexpr std::size_t blanks_max = 64;  // longer runs could make a line too long by themselves
  std::string line(body);
  std::ranges::replace_if(line, [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  std::string_view rest = text::trim(line);
  std::string folded = fmt::format("{}:", name);
  std::size_t column = folded.size();
  bool has_word = false;  // on this line: a fold before the first word would leave a blank line
  std::string_view blanks = " ";
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
    if (has_word && column + blanks.size() + word.size() > line_bytes_wanted) {
      folded += crlf;
      column = 0;
    }
    folded.append(blanks).append(word);
    column += blanks.size() + word.size();
    has_word = true;
    rest.remove_prefix(word.size());
    blanks = rest.substr(0, rest.find_first_not_of(" \t"));
    rest.remove_prefix(blanks.size());
    blanks = blanks.substr(0, blanks_max);
  }
  return folded.append(crlf);
}

}  // namespace tapal::mail
