#include "bench/traffic/message.h"

#include <charconv>
#include <chrono>
#include <iterator>

#include <fmt/format.h>

namespace tapal::bench {
namespace {

constexpr std::string_view stamp_field = "X-Bench-Id: ";
constexpr std::string_view ending = ".\r\n";
constexpr int id_digits = 10;
constexpr int time_digits = 20;
constexpr std::size_t line_bytes = 76;

// Words of a letter each line: nothing in it compresses or needs encoding, no line begins with a
// dot.
std::string filling(std::size_t size) {
  std::string text;
  text.reserve(size + line_bytes);
  for (std::size_t line = 0; text.size() < size; ++line) {
    for (std::size_t i = 0; i < line_bytes - 2; ++i)
      text += i % 8 == 7 ? ' ' : static_cast<char>('a' + (line + i * (i / 8 + 1)) % 26);
    text += "\r\n";
  }
  text.resize(size);
  if (size >= 2) text.replace(size - 2, 2, "\r\n");
  // A lone CR before the replaced end would be no line end.
  if (size >= 3 && text[size - 3] == '\r') text[size - 3] = 'x';
  return text;
}

template <class Number>
bool take_number(std::string_view& from, Number& into) {
  const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), into);
  if (error != std::errc()) return false;
  from.remove_prefix(static_cast<std::size_t>(end - from.data()));
  return true;
}

}  // namespace

std::optional<Stamp> find_stamp(std::string_view header) {
  const auto at = header.find(stamp_field);
  if (at == std::string_view::npos || (at != 0 && header[at - 1] != '\n')) return std::nullopt;
  auto rest = header.substr(at + stamp_field.size());
  std::uint64_t id = 0;
  std::int64_t nanos = 0;
  if (!take_number(rest, id) || !rest.starts_with(' ')) return std::nullopt;
  rest.remove_prefix(1);
  if (!take_number(rest, nanos)) return std::nullopt;
  return Stamp{id, Instant(std::chrono::nanoseconds(nanos))};
}

Message::Message(const Form& form) {
  text_ = form.fields_in_front;
  text_ += stamp_field;
  stamp_at_ = text_.size();
  text_.append(id_digits + 1 + time_digits, ' ');
  text_ += "\r\nMessage-ID: <";
  message_id_at_ = text_.size();
  text_.append(id_digits, '0');
  text_ += fmt::format(
      "@load.example>\r\nFrom: <{}>\r\nTo: <{}>\r\nSubject: a message of {} bytes\r\n"
      "Date: Thu, 1 Jan 2026 00:00:00 +0000\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=us-ascii\r\n\r\n",
      form.from,
      form.to,
      form.size);
  const auto wanted = form.fields_in_front.size() + form.size;
  if (wanted > text_.size()) text_ += filling(wanted - text_.size());
  text_ += ending;
  stamp({});
}

std::size_t Message::size() const { return text_.size() - ending.size(); }

void Message::stamp(const Stamp& stamp) {
  const auto nanos =
      std::chrono::duration_cast<std::chrono::nanoseconds>(stamp.submitted.time_since_epoch());
  const auto id = fmt::format("{:0{}}", stamp.id, id_digits);
  const auto time = fmt::format("{:0{}}", nanos.count(), time_digits);
  text_.replace(stamp_at_, id.size(), id);
  text_.replace(stamp_at_ + id_digits + 1, time.size(), time);
  text_.replace(message_id_at_, id.size(), id);
}

std::string AddressPattern::address(std::uint64_t message_id) const {
  std::string made;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto two = std::string_view(text).substr(i, 2);
    if (two == "%d" || two == "%m") {
      made += std::to_string(two == "%d" ? message_id % domains : message_id);
      ++i;
    } else {
      made += text[i];
    }
  }
  return made;
}

}  // namespace tapal::bench
