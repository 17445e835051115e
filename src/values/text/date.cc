#include "values/text/date.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::text {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::size_t date_bytes_max = 256;  // the longest sensible date with its comments
constexpr std::array<std::string_view, 7> day_names = {
    "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> month_names = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Zone {
  std::string_view name;
  std::chrono::hours offset;
};
// RFC 5322 section 4.3. Single letters were defined wrongly in RFC 822 and say nothing.
constexpr std::array<Zone, 8> named_zones = {{{"EST", -5h},
                                              {"EDT", -4h},
                                              {"CST", -6h},
                                              {"CDT", -5h},
                                              {"MST", -7h},
                                              {"MDT", -6h},
                                              {"PST", -8h},
                                              {"PDT", -7h}}};

struct Calendar {
  std::chrono::year_month_day day{};
  std::chrono::weekday weekday{};
  std::chrono::hh_mm_ss<milliseconds> time;
};

Calendar calendar_of(WallTime time) {
  constexpr std::chrono::sys_days first = std::chrono::year(0) / 1 / 1;
  constexpr std::chrono::sys_days past = std::chrono::year(10'000) / 1 / 1;
  time = std::clamp(time, WallTime(first), WallTime(past) - 1ms);
  const auto days = std::chrono::floor<std::chrono::days>(time);
  return {days, std::chrono::weekday(days), std::chrono::hh_mm_ss<milliseconds>(time - days)};
}

struct Fields {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  std::chrono::minutes offset{0};  // of local time from UTC
};

std::optional<WallTime> to_time(const Fields& fields) {
  const std::chrono::year_month_day day{std::chrono::year(fields.year),
                                        std::chrono::month(fields.month),
                                        std::chrono::day(fields.day)};
  if (!day.ok() || fields.hour > 23 || fields.minute > 59 || fields.second > 60) return {};
  return std::chrono::sys_days(day) + std::chrono::hours(fields.hour) +
         std::chrono::minutes(fields.minute) + std::chrono::seconds(fields.second) - fields.offset;
}

// Comments become one space each; nothing when one does not end.
std::optional<std::string> without_comments(std::string_view text) {
  std::string plain;
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && depth > 0) {
      ++i;
    } else if (text[i] == '(') {
      if (depth++ == 0) plain += ' ';
    } else if (text[i] == ')' && depth > 0) {
      --depth;
    } else if (depth == 0) {
      plain += text[i];
    }
  }
  if (depth > 0) return {};
  return plain;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  void skip_space() {
    while (!rest_.empty() && is_white_space(rest_.front())) rest_.remove_prefix(1);
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view letters() { return while_true(is_alpha); }
  std::optional<unsigned> number(std::size_t digits_min, std::size_t digits_max) {
    const std::string_view digits = while_true(is_digit);
    if (digits.size() < digits_min || digits.size() > digits_max) return {};
    return to_number<unsigned>(digits);
  }
  std::string_view digits() { return while_true(is_digit); }
  bool at_end() const { return rest_.empty(); }

 private:
  template <class Predicate>
  std::string_view while_true(Predicate predicate) {
    std::size_t size = 0;
    while (size < rest_.size() && predicate(rest_[size])) ++size;
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::string_view rest_;
};

template <std::size_t Size>
std::optional<unsigned> index_of(const std::array<std::string_view, Size>& names,
                                 std::string_view name) {
  for (unsigned i = 0; i < Size; ++i) {
    if (equals_ignoring_case(names[i], name)) return i;
  }
  return {};
}

// RFC 5322 section 4.3.
std::optional<int> scan_year(Scanner& scan) {
  const std::string_view digits = scan.digits();
  const auto year = to_number<int>(digits);
  if (!year || digits.size() < 2 || digits.size() > 4) return {};
  if (digits.size() == 2) return *year + (*year < 50 ? 2000 : 1900);
  return digits.size() == 3 ? *year + 1900 : *year;
}

std::optional<std::chrono::minutes> scan_zone(Scanner& scan) {
  const bool east = scan.take('+');
  if (east || scan.take('-')) {
    const auto offset = scan.number(4, 4);
    if (!offset || *offset % 100 > 59 || *offset / 100 > 23) return {};
    const auto size = std::chrono::hours(*offset / 100) + std::chrono::minutes(*offset % 100);
    return east ? size : -size;
  }
  const std::string_view name = scan.letters();
  for (const Zone& zone : named_zones) {
    if (equals_ignoring_case(zone.name, name)) return zone.offset;
  }
  return 0min;
}

std::optional<Fields> scan_date_time(Scanner& scan) {
  scan.skip_space();
  if (const auto name = scan.letters(); !name.empty()) {
    if (!index_of(day_names, name)) return {};
    scan.skip_space();
    if (!scan.take(',')) return {};
    scan.skip_space();
  }
  const auto day = scan.number(1, 2);
  scan.skip_space();
  const auto month = index_of(month_names, scan.letters());
  scan.skip_space();
  const auto year = scan_year(scan);
  scan.skip_space();
  const auto hour = scan.number(1, 2);
  scan.skip_space();
  if (!scan.take(':')) return {};
  scan.skip_space();
  const auto minute = scan.number(2, 2);
  scan.skip_space();
  std::optional<unsigned> second = 0U;
  if (scan.take(':')) {
    scan.skip_space();
    second = scan.number(2, 2);
    scan.skip_space();
  }
  const auto zone = scan_zone(scan);
  scan.skip_space();
  if (!day || !month || !year || !hour || !minute || !second || !zone || !scan.at_end()) return {};
  return Fields{*year, *month + 1, *day, *hour, *minute, *second, *zone};
}

// RFC 3339 section 5.6; the fraction comes back in milliseconds.
struct Rfc3339 {
  Fields fields;
  milliseconds fraction{0};
};

std::optional<Rfc3339> scan_rfc3339(Scanner& scan) {
  Rfc3339 found;
  const auto part = [&](std::size_t digits, char after) -> std::optional<unsigned> {
    const auto number = scan.number(digits, digits);
    if (after != '\0' && !scan.take(after)) return {};
    return number;
  };
  const auto year = part(4, '-');
  const auto month = part(2, '-');
  const auto day = part(2, '\0');
  if (!scan.take('T') && !scan.take('t') && !scan.take(' ')) return {};
  const auto hour = part(2, ':');
  const auto minute = part(2, ':');
  const auto second = part(2, '\0');
  if (!year || !month || !day || !hour || !minute || !second) return {};
  found.fields = {static_cast<int>(*year), *month, *day, *hour, *minute, *second, 0min};
  if (scan.take('.')) {
    std::string digits(scan.digits());
    if (digits.empty()) return {};
    digits.resize(3, '0');
    found.fraction = milliseconds(to_number<int>(digits).value_or(0));
  }
  if (scan.take('Z') || scan.take('z')) return found;
  const bool east = scan.take('+');
  if (!east && !scan.take('-')) return {};
  const auto hours = part(2, ':');
  const auto minutes = part(2, '\0');
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return {};
  const auto size = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  found.fields.offset = east ? size : -size;
  return found;
}

std::unexpected<Error> wrong_date(std::string_view text) {
  return fail(Code::invalid,
              fmt::format("\"{}\" is no date and time", printable(text, date_bytes_max)));
}

}  // namespace

std::string rfc5322_date(WallTime time) {
  const auto [day, weekday, clock] = calendar_of(time);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000",
                     day_names[weekday.c_encoding()],
                     unsigned(day.day()),
                     month_names[unsigned(day.month()) - 1],
                     int(day.year()),
                     clock.hours().count(),
                     clock.minutes().count(),
                     clock.seconds().count());
}

Result<WallTime> parse_rfc5322_date(std::string_view text) {
  if (text.size() > date_bytes_max) return wrong_date(text);
  const auto plain = without_comments(text);
  if (!plain) return wrong_date(text);
  Scanner scan(*plain);
  const auto fields = scan_date_time(scan);
  const auto time = fields ? to_time(*fields) : std::nullopt;
  if (!time) return wrong_date(text);
  return *time;
}

std::string rfc3339_date(WallTime time) {
  const auto [day, weekday, clock] = calendar_of(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                     int(day.year()),
                     unsigned(day.month()),
                     unsigned(day.day()),
                     clock.hours().count(),
                     clock.minutes().count(),
                     clock.seconds().count(),
                     clock.subseconds().count());
}

std::string rfc3339_day(WallTime time) { return rfc3339_date(time).substr(0, 10); }

Result<WallTime> parse_rfc3339_date(std::string_view text) {
  if (text.size() > date_bytes_max) return wrong_date(text);
  Scanner scan(text);
  const auto found = scan_rfc3339(scan);
  const auto time = found && scan.at_end() ? to_time(found->fields) : std::nullopt;
  if (!time) return wrong_date(text);
  return *time + found->fraction;
}

}  // namespace tapal::text
