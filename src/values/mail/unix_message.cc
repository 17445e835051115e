#include "values/mail/unix_message.h"

#include <algorithm>
#include <utility>

#include "values/text/ascii.h"

namespace tapal::mail {
namespace {

constexpr std::size_t line_bytes_max = 998;  // RFC 5322 section 2.1.1, without CRLF

bool is_utf8_middle(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// At a character's end where one is near.
std::size_t break_place(std::string_view line) {
  std::size_t place = line_bytes_max - 1;  // the next line begins with a space
  for (std::size_t back = 0; back < 3 && is_utf8_middle(line[place]); ++back) --place;
  return place;
}

void append_line(std::string_view line, std::string& to) {
  std::string clean;
  if (line.find_first_of(std::string_view("\0\r", 2)) != std::string_view::npos) {
    clean = line;
    std::erase_if(clean, [](char c) { return c == '\0' || c == '\r'; });
    line = clean;
  }
  while (line.size() > line_bytes_max) {
    const auto place = break_place(line);
    to.append(line.substr(0, place)).append("\r\n ");
    line.remove_prefix(place);
  }
  to.append(line).append("\r\n");
}

// "Name:" as RFC 5322 section 3.6.8 has it; blanks before the colon are forgiven.
bool is_field(std::string_view line) {
  const auto name = text::trim(line.substr(0, line.find(':')));
  return name.size() < line.size() && !name.empty() &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string_view first_line(std::string_view text) {
  return text::trim(text.substr(0, text.find('\n')));
}

// Walks over an address list, a character at a time.
class ListReader {
 public:
  explicit ListReader(std::string_view list) : list_(list) {}

  std::vector<std::string_view> read() {
    for (at_ = 0; at_ < list_.size(); ++at_) step(list_[at_]);
    end_item();
    return std::move(found_);
  }

 private:
  void step(char c) {
    if (c == '\\' && (is_quoted_ || comments_ > 0)) {
      ++at_;
      if (comments_ == 0) extend();
    } else if (comments_ > 0) {
      comments_ += c == '(' ? 1 : c == ')' ? -1 : 0;
    } else if (c == '"') {
      is_quoted_ = !is_quoted_;
      extend();
    } else if (is_quoted_) {
      extend();
    } else {
      step_outside(c);
    }
  }
  void step_outside(char c) {
    switch (c) {
      case '(': comments_ = 1; break;
      case '<': angle_ = {at_ + 1, std::string_view::npos}; break;
      case '>':
        if (angle_.first != none) angle_.second = at_;
        break;
      case ':': plain_ = {none, none}; break;  // a group's name was before it
      case ',':
      case ';': end_item(); break;
      default:
        if (!text::is_white_space(c)) extend();
    }
  }
  void extend() {
    if (plain_.first == none) plain_.first = at_;
    plain_.second = std::min(at_ + 1, list_.size());
  }
  void end_item() {
    const auto [begin, end] = angle_.first != none ? angle_ : plain_;
    if (begin != none) {
      // An angle bracket that is not closed ends with the item.
      const auto text = text::trim(list_.substr(begin, std::min(end, at_) - begin));
      if (!text.empty()) found_.push_back(text);
    }
    plain_ = angle_ = {none, none};
  }

  static constexpr auto none = std::string_view::npos;
  std::string_view list_;
  std::size_t at_ = 0;
  bool is_quoted_ = false;
  int comments_ = 0;
  std::pair<std::size_t, std::size_t> plain_{none, none};
  std::pair<std::size_t, std::size_t> angle_{none, none};
  std::vector<std::string_view> found_;
};

bool lacks_domain(std::string_view address) {
  return std::ranges::none_of(
      address, [](char c) { return c == '@' || c == '"' || text::is_white_space(c); });
}

}  // namespace

std::string from_unix_message(std::string_view text) {
  if (text.starts_with("From ")) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  std::string message;
  message.reserve(text.size() + text.size() / 32);
  if (!first_line(text).empty() && !is_field(first_line(text))) message = "\r\n";
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    append_line(line, message);
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return message;
}

std::vector<std::string_view> address_texts(std::string_view list) {
  return ListReader(list).read();
}

std::string with_domain(std::string_view list, std::string_view domain) {
  std::string whole;
  const char* done = list.data();
  for (const auto address : address_texts(list)) {
    if (!lacks_domain(address)) continue;
    const char* end = address.data() + address.size();
    whole.append(done, end).append("@").append(domain);
    done = end;
  }
  return whole.append(done, list.data() + list.size());
}

}  // namespace tapal::mail
