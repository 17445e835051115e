#include <algorithm>

#include <fmt/format.h>

#include "values/mail/address.h"
#include "values/mail/encoded_word.h"
#include "values/mail/grammar.h"
#include "values/text/ascii.h"

namespace tapal::mail {

namespace {

// One word or dot of a phrase or local part.
struct Word {
  enum class Kind : std::uint8_t { atom, quoted, dot };
  Kind kind = Kind::atom;
  std::string text;
};

std::string display_name(const std::vector<Word>& words) {
  std::string name;
  std::string atoms;  // encoded words next to each other are one text, so they decode together
  const auto append = [&](std::string_view more) {
    if (!name.empty() && !more.empty()) name += ' ';
    name += more;
  };
  for (const Word& word : words) {
    if (word.kind == Word::Kind::quoted) {
      append(decode_encoded_words(atoms));
      atoms.clear();
      append(word.text);
    } else {
      if (!atoms.empty() && word.kind == Word::Kind::atom) atoms += ' ';
      atoms += word.text;
    }
  }
  append(decode_encoded_words(atoms));
  return name;
}

// The length of the encoded word that `text` begins with, or 0. Many senders put characters into
// it that no atom may have.
std::size_t encoded_word_bytes(std::string_view text) {
  constexpr std::size_t bytes_max = 1000;
  text = text.substr(0, std::min(text.size(), bytes_max));
  if (!text.starts_with("=?")) return 0;
  std::size_t at = 2;
  for (int mark = 0; mark < 2; ++mark) {
    at = text.find('?', at);
    if (at == std::string_view::npos) return 0;
    ++at;
  }
  const std::size_t end = text.find("?=", at);
  if (end == std::string_view::npos) return 0;
  if (std::ranges::any_of(text.substr(0, end), text::is_white_space)) return 0;
  return end + 2;
}

class ListParser {
 public:
  ListParser(std::string_view body, std::size_t mailboxes_max)
      : body_(body), mailboxes_max_(mailboxes_max) {}

  Result<std::vector<Mailbox>> parse() {
    for (;;) {
      element_ = at_;
      comment_.clear();
      TAPAL_CHECK(skip_space());
      if (at_ == body_.size()) break;
      if (take(',')) continue;  // an empty element (RFC 5322 section 4.4)
      if (in_group_ && take(';')) {
        in_group_ = false;
        continue;
      }
      TAPAL_CHECK(parse_element());
    }
    if (in_group_) return wrong("its group is not closed with a semicolon");
    return std::move(mailboxes_);
  }

 private:
  std::unexpected<Error> wrong(std::string_view what) const {
    const std::string_view near = text::trim(body_.substr(element_));
    return fail(
        Code::invalid,
        fmt::format(
            "the address list is malformed at \"{}\": {}", text::printable(near, 80), what));
  }

  bool take(char c) {
    if (at_ == body_.size() || body_[at_] != c) return false;
    ++at_;
    return true;
  }

  Result<void> skip_space() {
    for (; at_ < body_.size(); ++at_) {
      if (text::is_white_space(body_[at_])) continue;
      if (body_[at_] != '(') break;
      TAPAL_CHECK(skip_comment());
    }
    return {};
  }

  // From its opening to its closing bracket; nested ones are counted, not recursed into.
  Result<void> skip_comment() {
    comment_.clear();
    std::size_t depth = 0;
    for (; at_ < body_.size(); ++at_) {
      char c = body_[at_];
      if (c == '(' && depth++ == 0) continue;
      if (c == ')' && --depth == 0) return {};
      if (c == '\\' && ++at_ < body_.size()) c = body_[at_];
      if (c != '\r' && c != '\n') comment_ += c;
    }
    return wrong("a comment is not closed");
  }

  Result<std::string> quoted_string() {
    std::string value;
    for (++at_; at_ < body_.size(); ++at_) {
      char c = body_[at_];
      if (c == '"') {
        ++at_;
        return value;
      }
      if (c == '\r' || c == '\n') continue;  // a fold
      if (c == '\\' && ++at_ < body_.size()) c = body_[at_];
      if (c == '\t') c = ' ';
      if (is_control_char(c)) return wrong("a quoted string has control characters");
      value += c;
    }
    return wrong("a quoted string is not closed");
  }

  // Words and dots up to what can be neither.
  Result<std::vector<Word>> words() {
    std::vector<Word> found;
    for (;;) {
      TAPAL_CHECK(skip_space());
      if (at_ == body_.size()) return found;
      if (body_[at_] == '"') {
        TAPAL_TRY(std::string value, quoted_string());
        found.push_back({Word::Kind::quoted, std::move(value)});
        continue;
      }
      if (take('.')) {
        found.push_back({Word::Kind::dot, "."});
        continue;
      }
      const std::size_t start = at_;
      at_ += encoded_word_bytes(body_.substr(at_));
      while (at_ < body_.size() && is_atom_char(body_[at_])) ++at_;
      if (at_ == start) return found;
      found.push_back({Word::Kind::atom, std::string(body_.substr(start, at_ - start))});
    }
  }

  Result<std::string> domain() {
    TAPAL_CHECK(skip_space());
    comment_.clear();
    std::string name;
    if (at_ < body_.size() && body_[at_] == '[') {
      const std::size_t end = body_.find(']', at_);
      if (end == std::string_view::npos) return wrong("an address literal is not closed");
      name = body_.substr(at_, end + 1 - at_);
      at_ = end + 1;
      return name;
    }
    for (;;) {
      const std::size_t start = at_;
      while (at_ < body_.size() && is_atom_char(body_[at_])) ++at_;
      name += body_.substr(start, at_ - start);
      TAPAL_CHECK(skip_space());
      if (!take('.')) return name;
      name += '.';
      TAPAL_CHECK(skip_space());
    }
  }

  Result<Address> address(const std::vector<Word>& words) {
    std::string local;
    bool after_dot = true;
    for (const Word& word : words) {
      const bool is_dot = word.kind == Word::Kind::dot;
      if (is_dot == after_dot) return wrong("the part before the @ is malformed");
      after_dot = is_dot;
      local += word.text;
    }
    if (after_dot) return wrong("the part before the @ is malformed");
    TAPAL_TRY(const std::string host, domain());
    auto made = make_address(local, host);
    if (!made) return wrong(made.error().what);
    return made;
  }

  // "<a@b>" with its obsolete route, after the bracket.
  Result<Address> angle_address() {
    TAPAL_CHECK(skip_space());
    bool has_route = false;
    while (take('@')) {
      has_route = true;
      TAPAL_TRY(const std::string host, domain());
      TAPAL_CHECK(skip_space());
      while (take(',')) {
        TAPAL_CHECK(skip_space());
      }
    }
    if (has_route && !take(':')) return wrong("a source route is malformed");
    TAPAL_TRY(const auto local, words());
    if (!take('@')) return wrong("an address has no domain");
    auto found = address(local);
    if (!found) return found;
    TAPAL_CHECK(skip_space());
    if (!take('>')) return wrong("an address is not closed with >");
    return found;
  }

  Result<void> parse_element() {
    TAPAL_TRY(const auto found, words());
    Mailbox mailbox;
    if (take('<')) {
      mailbox.name = display_name(found);
      TAPAL_TRY(mailbox.address, angle_address());
      TAPAL_CHECK(skip_space());
    } else if (take('@')) {
      TAPAL_TRY(mailbox.address, address(found));
      TAPAL_CHECK(skip_space());
      mailbox.name = text::trim(decode_encoded_words(comment_));
    } else if (!in_group_ && !found.empty() && take(':')) {
      in_group_ = true;
      return {};
    } else {
      return wrong(found.empty() ? "an unexpected character" : "an address has no domain");
    }
    if (mailboxes_.size() == mailboxes_max_) {
      return fail(Code::full, fmt::format("the list has more than {} addresses", mailboxes_max_));
    }
    mailboxes_.push_back(std::move(mailbox));
    const bool ends = at_ == body_.size() || body_[at_] == ',' || (in_group_ && body_[at_] == ';');
    if (!ends) return wrong("a comma is missing after an address");
    return {};
  }

  std::string_view body_;
  std::size_t mailboxes_max_;
  std::size_t at_ = 0;
  std::size_t element_ = 0;  // where the present element starts
  bool in_group_ = false;
  std::string comment_;  // the last one read
  std::vector<Mailbox> mailboxes_;
};

}  // namespace

Result<std::vector<Mailbox>> parse_mailbox_list(std::string_view field_body,
                                                std::size_t mailboxes_max) {
  return ListParser(field_body, mailboxes_max).parse();
}

std::string Mailbox::text() const {
  if (name.empty()) return address.text();
  return fmt::format("{} <{}>", encode_phrase(name), address.text());
}

}  // namespace tapal::mail
