#include "values/dns/zone_text.h"

#include <fmt/format.h>

#include "values/dns/name.h"
#include "values/dns/rdata.h"
#include "values/text/ascii.h"

namespace tapal::dns {
namespace {

// One entry: a line, or several held together by parentheses.
struct Entry {
  std::size_t line = 0;  // where it begins
  bool begins_blank = false;
  std::vector<TextField> fields;
};

class Lexer {
 public:
  Lexer(std::string_view text, std::size_t entry_bytes_max)
      : text_(text), entry_bytes_max_(entry_bytes_max) {}

  bool at_end() const { return at_ >= text_.size(); }
  std::size_t line() const { return line_; }

  // The next entry; no fields for an empty line.
  Result<Entry> next() {
    Entry entry{.line = line_, .begins_blank = text::is_blank(text_[at_]), .fields = {}};
    const std::size_t begin = at_;
    bool in_parentheses = false;
    while (!at_end()) {
      if (at_ - begin > entry_bytes_max_) return fail(Code::invalid, "the entry is too long");
      const char c = text_[at_];
      if (c == ';') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '\n') {
        ++at_;
        ++line_;
        if (!in_parentheses) return entry;
      } else if (text::is_blank(c) || c == '\r') {
        ++at_;
      } else if (c == '(' || c == ')') {
        if (in_parentheses == (c == '('))
          return fail(Code::invalid, "a parenthesis is out of place");
        in_parentheses = c == '(';
        ++at_;
      } else {
        TAPAL_TRY(const TextField field, c == '"' ? quoted() : plain());
        entry.fields.push_back(field);
      }
    }
    if (in_parentheses) return fail(Code::invalid, "a parenthesis is not closed");
    return entry;
  }

 private:
  Result<TextField> quoted() {
    const std::size_t begin = ++at_;
    for (; !at_end() && text_[at_] != '\n'; ++at_) {
      if (text_[at_] == '"') return TextField{text_.substr(begin, at_++ - begin), true};
      if (text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') ++at_;
    }
    return fail(Code::invalid, "a quoted string has no end");
  }

  Result<TextField> plain() {
    const std::size_t begin = at_;
    constexpr std::string_view ends = " \t\r\n;()\"";
    for (; !at_end() && !ends.contains(text_[at_]); ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') ++at_;
    }
    return TextField{text_.substr(begin, at_ - begin), false};
  }

  std::string_view text_;
  std::size_t entry_bytes_max_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

class ZoneParser {
 public:
  explicit ZoneParser(const ZoneTextOptions& options)
      : origin_(options.origin), ttl_(options.default_ttl) {}

  Result<void> take(const Entry& entry, std::vector<Record>& into) {
    std::span<const TextField> fields = entry.fields;
    if (fields.empty()) return {};
    if (!entry.begins_blank && fields[0].text.starts_with('$')) return directive(fields);
    Record record;
    if (!entry.begins_blank) {
      TAPAL_TRY(owner_, parse_relative_name(fields[0].text, origin_));
      fields = fields.subspan(1);
    }
    if (!owner_) return fail(Code::invalid, "the first record has no name");
    record.name = *owner_;
    record.ttl = ttl_;
    TAPAL_TRY(record.type, type_behind_ttl_and_class(fields, record.ttl));
    TAPAL_TRY(record.data, data_from_text(record.type, fields, origin_));
    into.push_back(std::move(record));
    return {};
  }

 private:
  Result<void> directive(std::span<const TextField> fields) {
    const std::string_view name = fields[0].text;
    if (text::equals_ignoring_case(name, "$ORIGIN") && fields.size() == 2) {
      TAPAL_TRY(origin_, parse_relative_name(fields[1].text, origin_));
      return {};
    }
    if (text::equals_ignoring_case(name, "$TTL") && fields.size() == 2) {
      const auto ttl = parse_ttl(fields[1].text);
      if (!ttl) return fail(Code::invalid, "$TTL is not a number of seconds");
      ttl_ = std::chrono::seconds(*ttl);
      return {};
    }
    return fail(Code::invalid,
                fmt::format("{}: only \"$ORIGIN NAME\" and \"$TTL SECONDS\" are known",
                            text::printable(name, 64)));
  }

  // TTL and class stand before the type in either order (RFC 1035 section 5.1).
  static Result<Type> type_behind_ttl_and_class(std::span<const TextField>& fields,
                                                std::chrono::seconds& ttl) {
    bool has_ttl = false;
    bool has_class = false;
    for (; !fields.empty(); fields = fields.subspan(1)) {
      const std::string_view word = fields[0].text;
      const auto number = parse_ttl(word);
      if (number && !has_ttl) {
        ttl = std::chrono::seconds(*number);
        has_ttl = true;
      } else if (text::equals_ignoring_case(word, "IN") && !has_class) {
        has_class = true;
      } else if (const auto type = type_from_text(word); type && type != Type::opt) {
        fields = fields.subspan(1);
        return *type;
      } else {
        return fail(Code::invalid,
                    fmt::format("\"{}\" is not a record type", text::printable(word, 64)));
      }
    }
    return fail(Code::invalid, "the record has no type");
  }

  std::string origin_;
  std::chrono::seconds ttl_;
  std::optional<std::string> owner_;
};

}  // namespace

std::optional<std::uint32_t> parse_ttl(std::string_view text) {
  std::uint64_t total = 0;
  bool is_first = true;
  while (!text.empty()) {
    std::size_t digits = 0;
    while (digits < text.size() && text::is_digit(text[digits])) ++digits;
    const auto number = text::to_number<std::uint32_t>(text.substr(0, digits));
    if (!number) return {};
    std::uint64_t unit = 1;
    if (digits < text.size()) {
      switch (text::to_lower(text[digits])) {
        case 's': unit = 1; break;
        case 'm': unit = 60; break;
        case 'h': unit = 3600; break;
        case 'd': unit = 86400; break;
        case 'w': unit = 604800; break;
        default: return {};
      }
      ++digits;
    } else if (!is_first) {
      return {};  // units with all numbers or with none
    }
    is_first = false;
    total += *number * unit;
    if (total > ttl_max) return {};
    text.remove_prefix(digits);
    if (text.empty()) return static_cast<std::uint32_t>(total);
  }
  return {};
}

Result<std::vector<Record>> parse_zone_text(std::string_view text, const ZoneTextOptions& options) {
  if (text.size() > options.bytes_max)
    return fail(Code::invalid, "line 1: the zone's text is too long");
  std::vector<Record> records;
  Lexer lexer(text, options.entry_bytes_max);
  ZoneParser parser(options);
  while (!lexer.at_end()) {
    const std::size_t line = lexer.line();
    const auto at_line = [line](const Error& error) {
      return fail(error.code, fmt::format("line {}: {}", line, error.what));
    };
    const auto entry = lexer.next();
    if (!entry) return at_line(entry.error());
    const auto taken = parser.take(*entry, records);
    if (!taken) return at_line(taken.error());
    if (records.size() > options.records_max)
      return fail(Code::invalid, fmt::format("line {}: the zone has too many records", line));
  }
  return records;
}

std::string to_zone_text(const Record& record) {
  return fmt::format("{}. {} IN {} {}",
                     record.name,
                     record.ttl.count(),
                     type_text(record.type),
                     data_to_text(record.type, record.data));
}

std::string to_zone_text(std::span<const Record> records) {
  std::string text;
  for (const Record& record : records) text += to_zone_text(record) + '\n';
  return text;
}

}  // namespace tapal::dns
