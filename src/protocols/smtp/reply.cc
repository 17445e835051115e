#include "protocols/smtp/reply.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::smtp {

namespace {

constexpr std::size_t log_bytes_max = 1000;

std::size_t leading_digits(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && text::is_digit(text[count])) ++count;
  return count;
}

void append_text(std::string& to, std::string_view text) {
  for (const char c : text) {
    const bool control = (c >= 0 && c < ' ' && c != '\t') || c == 127;
    to += control ? ' ' : c;
  }
}

void append_line(std::string& to, const Reply& reply, std::string_view text, char separator) {
  to += fmt::format("{:03}", reply.code);
  const bool bare = reply.status.empty() && text.empty();
  if (!bare || separator == '-') to += separator;
  to += reply.status;
  if (!reply.status.empty() && !text.empty()) to += ' ';
  append_text(to, text);
  to += "\r\n";
}

}  // namespace

std::optional<std::string_view> leading_status(std::string_view text) {
  if (text.size() < 5 || (text[0] != '2' && text[0] != '4' && text[0] != '5')) return {};
  std::size_t at = 1;
  for (int part = 0; part < 2; ++part) {
    if (at >= text.size() || text[at] != '.') return {};
    const std::size_t digits = leading_digits(text.substr(at + 1));
    if (digits == 0 || digits > 3) return {};
    at += 1 + digits;
  }
  if (at < text.size() && !text::is_blank(text[at])) return {};
  return text.substr(0, at);
}

std::string wire(const Reply& reply) {
  std::string bytes;
  if (reply.lines.empty()) append_line(bytes, reply, {}, ' ');
  for (const std::string& line : reply.lines)
    append_line(bytes, reply, line, &line == &reply.lines.back() ? ' ' : '-');
  return bytes;
}

std::string one_line(const Reply& reply) {
  std::string line = std::to_string(reply.code);
  if (!reply.status.empty()) line += " " + reply.status;
  std::string_view separator = " ";
  for (const std::string& text : reply.lines) {
    if (text.empty()) continue;
    line += separator;
    line += text;
    separator = " / ";
    if (line.size() > log_bytes_max) break;
  }
  return text::printable(line, log_bytes_max);
}

Reply make_reply(int code, std::string_view status, std::string_view text) {
  Reply reply{.code = code, .status = std::string(status), .lines = {}};
  for (const std::string_view line : text::split(text, '\n')) reply.lines.emplace_back(line);
  return reply;
}

Result<std::size_t> ReplyReader::feed(std::string_view bytes) {
  if (error_) return std::unexpected(*error_);
  std::size_t taken = 0;
  while (!ready_ && taken < bytes.size()) {
    const std::string_view rest = bytes.substr(taken);
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    taken += end;
    // One more for the CR of the CRLF.
    if (line_.size() + end > line_bytes_max + 1) {
      error_ = Error{Code::invalid, fmt::format("a reply line over {} bytes", line_bytes_max)};
      return std::unexpected(*error_);
    }
    line_ += rest.substr(0, end);
    if (end == rest.size()) break;
    ++taken;
    if (auto ended = end_line(); !ended) {
      error_ = std::move(ended).error();
      return std::unexpected(*error_);
    }
  }
  return taken;
}

Result<void> ReplyReader::end_line() {
  std::string_view line = line_;
  while (!line.empty() && text::is_white_space(line.back())) line.remove_suffix(1);
  const char separator = line.size() > 3 ? line[3] : ' ';
  if (leading_digits(line) != 3 || line[0] < '2' || line[0] > '5' ||
      (separator != ' ' && separator != '-')) {
    return fail(Code::invalid, fmt::format("not a reply: \"{}\"", text::printable(line, 100)));
  }
  if (reply_.lines.size() == lines_max)
    return fail(Code::invalid, fmt::format("a reply of over {} lines", lines_max));
  const int code = text::to_number<int>(line.substr(0, 3)).value_or(0);
  if (code != reply_.code) reply_.status.clear();
  reply_.code = code;
  std::string_view text = line.substr(std::min<std::size_t>(line.size(), 4));
  if (const auto status = leading_status(text); status && (*status)[0] == line[0]) {
    reply_.status = *status;
    text.remove_prefix(status->size());
    while (!text.empty() && text::is_blank(text.front())) text.remove_prefix(1);
  }
  reply_.lines.emplace_back(text);
  ready_ = separator == ' ';
  line_.clear();
  return {};
}

Reply ReplyReader::take() {
  ready_ = false;
  return std::exchange(reply_, {});
}

}  // namespace tapal::smtp
