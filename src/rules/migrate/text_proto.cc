#include "rules/migrate/text_proto.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::migrate {
namespace {

bool is_word(char c) { return text::is_alnum(c) || std::string_view("_-+.").contains(c); }

std::optional<unsigned> digit_of(char c, unsigned base) {
  const char lower = text::to_lower(c);
  const unsigned value = text::is_digit(c)              ? static_cast<unsigned>(c - '0')
                         : lower >= 'a' && lower <= 'f' ? static_cast<unsigned>(lower - 'a') + 10
                                                        : base;
  return value < base ? std::optional(value) : std::nullopt;
}

class ProtoReader {
 public:
  ProtoReader(std::string_view text, std::string_view file_name)
      : rest_(text), file_name_(file_name) {}

  Result<ProtoField> read() {
    ProtoField whole{.line = 1};
    TAPAL_CHECK(read_fields(whole, '\0', 0));
    return whole;
  }

 private:
  std::unexpected<Error> wrong(std::string_view what) const {
    return fail(Code::invalid, fmt::format("{}:{}: {}", file_name_, line_, what));
  }

  void skip_space() {
    while (!rest_.empty()) {
      if (rest_.front() == '#')
        rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
      else if (text::is_white_space(rest_.front()))
        take();
      else
        return;
    }
  }

  char take() {
    const char c = rest_.front();
    line_ += c == '\n' ? 1 : 0;
    rest_.remove_prefix(1);
    return c;
  }

  bool take_if(char wanted) {
    skip_space();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string take_word() {
    const auto end = std::ranges::find_if_not(rest_, &is_word);
    std::string word(rest_.begin(), end);
    rest_.remove_prefix(word.size());
    return word;
  }

  // `end` closes the message; NUL: the text's end does.
  Result<void> read_fields(ProtoField& message, char end, int depth) {
    if (depth > text_proto_depth_max) return wrong("messages within messages, too deep");
    for (;;) {
      if (end != '\0' && take_if(end)) return {};
      skip_space();
      if (rest_.empty()) return end == '\0' ? Result<void>() : wrong("a message is not closed");
      ProtoField field{.name = take_word(), .line = line_};
      if (field.name.empty()) return wrong("expected the name of a field");
      const bool has_colon = take_if(':');
      if (has_colon && take_if('[')) {
        TAPAL_CHECK(read_list(message, field, depth));
      } else {
        TAPAL_CHECK(read_value(field, has_colon, depth));
        message.fields.push_back(std::move(field));
      }
      if (!take_if(',')) take_if(';');
    }
  }

  Result<void> read_list(ProtoField& message, const ProtoField& head, int depth) {
    while (!take_if(']')) {
      ProtoField item{.name = head.name, .line = line_};
      TAPAL_CHECK(read_value(item, true, depth));
      message.fields.push_back(std::move(item));
      if (!take_if(',') && !rest_.starts_with(']')) return wrong("a list is not closed");
    }
    return {};
  }

  Result<void> read_value(ProtoField& field, bool may_be_scalar, int depth) {
    if (take_if('{')) return read_fields(field, '}', depth + 1);
    if (take_if('<')) return read_fields(field, '>', depth + 1);
    if (!may_be_scalar) return wrong("expected a colon, or { and a message");
    if (!rest_.starts_with('"') && !rest_.starts_with('\'')) {
      field.value = take_word();
      return field.value.empty() ? wrong("expected a value") : Result<void>();
    }
    while (rest_.starts_with('"') || rest_.starts_with('\'')) {  // adjacent ones are one
      TAPAL_CHECK(read_string(field.value));
      skip_space();
    }
    return {};
  }

  Result<void> read_string(std::string& into) {
    const char quote = take();
    while (!rest_.empty() && rest_.front() != '\n') {
      const char c = take();
      if (c == quote) return {};
      if (c == '\\') {
        TAPAL_CHECK(read_escape(into));
      } else {
        into += c;
      }
    }
    return wrong("a string is not closed");
  }

  Result<void> read_escape(std::string& into) {
    constexpr std::array<std::pair<char, char>, 11> plain{{{'n', '\n'},
                                                           {'r', '\r'},
                                                           {'t', '\t'},
                                                           {'a', '\a'},
                                                           {'b', '\b'},
                                                           {'f', '\f'},
                                                           {'v', '\v'},
                                                           {'\\', '\\'},
                                                           {'\'', '\''},
                                                           {'"', '"'},
                                                           {'?', '?'}}};
    const char c = rest_.empty() ? '\0' : rest_.front();
    const auto* const found = std::ranges::find(plain, c, &std::pair<char, char>::first);
    if (found != plain.end()) {
      take();
      into += found->second;
      return {};
    }
    const bool is_hex = text::to_lower(c) == 'x';
    if (is_hex) take();
    return read_number(into, is_hex ? 16 : 8);
  }

  // Of at most two hex digits or three octal ones.
  Result<void> read_number(std::string& into, unsigned base) {
    const std::size_t digits_max = base == 16 ? 2 : 3;
    unsigned value = 0;
    std::size_t digits = 0;
    for (; digits < digits_max && !rest_.empty(); ++digits) {
      const auto digit = digit_of(rest_.front(), base);
      if (!digit) break;
      value = value * base + *digit;
      take();
    }
    if (digits == 0 || value > 0xFF) return wrong("an escape in a string that means nothing");
    into += static_cast<char>(value);
    return {};
  }

  std::string_view rest_;
  std::string_view file_name_;
  std::size_t line_ = 1;
};

}  // namespace

const ProtoField* ProtoField::find(std::string_view wanted) const {
  const auto found = std::ranges::find(fields, wanted, &ProtoField::name);
  return found == fields.end() ? nullptr : &*found;
}

std::string ProtoField::text(std::string_view wanted) const {
  const auto* field = find(wanted);
  return field == nullptr ? "" : field->value;
}

Result<ProtoField> read_text_proto(std::string_view text, std::string_view file_name) {
  return ProtoReader(text, file_name).read();
}

}  // namespace tapal::migrate
