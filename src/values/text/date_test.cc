#include "values/text/date.h"

#include <random>

namespace tapal::text {
namespace {

using namespace std::chrono_literals;

WallTime at(long long seconds) { return WallTime(std::chrono::seconds(seconds)); }

TEST(Date, prints_as_mail_does) {
  EXPECT_EQ(rfc5322_date(at(1'795'316'645)), "Sun, 22 Nov 2026 03:04:05 +0000");
  EXPECT_EQ(rfc5322_date(at(0)), "Thu, 01 Jan 1970 00:00:00 +0000");
  EXPECT_EQ(rfc5322_date(at(-1)), "Wed, 31 Dec 1969 23:59:59 +0000");
  EXPECT_EQ(rfc5322_date(at(951'782'400)), "Tue, 29 Feb 2000 00:00:00 +0000");
  EXPECT_EQ(rfc5322_date(WallTime::max()), "Fri, 31 Dec 9999 23:59:59 +0000");
  EXPECT_EQ(rfc5322_date(WallTime::min()), "Sat, 01 Jan 0000 00:00:00 +0000");
  EXPECT_EQ(rfc3339_date(at(1'795'316'645) + 678ms), "2026-11-22T03:04:05.678Z");
  EXPECT_EQ(rfc3339_date(at(0) - 1ms), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(rfc3339_day(at(0) - 1ms), "1969-12-31");
}

struct ReadCase {
  std::string_view name, text;
  long long seconds;
};

TEST(Date, reads_mail_dates_and_their_obsolete_forms) {
  const ReadCase cases[] = {
      {"common", "Sun, 22 Nov 2026 03:04:05 +0000", 1'795'316'645},
      {"no day name", "22 Nov 2026 03:04:05 +0000", 1'795'316'645},
      {"no second", "22 Nov 2026 03:04 +0000", 1'795'316'640},
      {"east", "22 Nov 2026 08:34:05 +0530", 1'795'316'645},
      {"west", "Sat, 21 Nov 2026 19:04:05 -0800", 1'795'316'645},
      {"comment", "Sun, 22 Nov 2026 03:04:05 +0000 (UTC (so \\) to say))", 1'795'316'645},
      {"one-digit day and hour", "Thu, 1 Jan 1970 0:00:00 +0000", 0},
      {"folds and extra space", "Thu ,\r\n 1  Jan\t1970 00 : 00 : 00 -0000", 0},
      {"GMT", "Thu, 01 Jan 1970 00:00:00 GMT", 0},
      {"EST", "Thu, 01 Jan 1970 00:00:00 EST", 5 * 3600},
      {"PDT in lower case", "thu, 01 jan 1970 00:00:00 pdt", 7 * 3600},
      {"military zone says nothing", "01 Jan 1970 00:00:00 A", 0},
      {"unknown zone", "01 Jan 1970 00:00:00 CEST", 0},
      {"no zone", "01 Jan 1970 00:00:00", 0},
      {"year of two digits, new", "01 Jan 26 00:00:00 Z", 1'767'225'600},
      {"year of two digits, old", "01 Jan 70 00:00:00 Z", 0},
      {"year of three digits", "01 Jan 126 00:00:00 Z", 1'767'225'600},
      {"leap second", "31 Dec 2016 23:59:60 +0000", 1'483'228'800},
      {"wrong day name", "Mon, 01 Jan 1970 00:00:00 +0000", 0},
  };
  for (const auto& [name, text, seconds] : cases) {
    const auto time = parse_rfc5322_date(text);
    ASSERT_TRUE(time) << name;
    EXPECT_EQ(*time, at(seconds)) << name;
  }
}

TEST(Date, refuses_what_is_no_date) {
  for (const std::string_view text : {"",
                                      "yesterday",
                                      "Sun 22 Nov 2026 03:04:05 +0000",
                                      "Xyz, 22 Nov 2026 03:04:05 +0000",
                                      "30 Feb 2026 00:00:00 +0000",
                                      "29 Feb 2025 00:00:00 +0000",
                                      "0 Jan 2026 00:00:00 +0000",
                                      "32 Jan 2026 00:00:00 +0000",
                                      "22 Nov 2026 24:00:00 +0000",
                                      "22 Nov 2026 00:60:00 +0000",
                                      "22 Nov 2026 00:00:61 +0000",
                                      "22 Nov 2026 00:00:00 +00:00",
                                      "22 Nov 2026 00:00:00 +2400",
                                      "22 Nov 2026 00:00:00 +0060",
                                      "22 Nov 2026 00:00:00 +0000 x",
                                      "22 Nov 12026 00:00:00 +0000",
                                      "22 Nov 6 00:00:00 +0000",
                                      "22 Nov 2026 00:00:00 +0000 (open",
                                      "22 11 2026 00:00:00 +0000"}) {
    EXPECT_FALSE(parse_rfc5322_date(text)) << text;
  }
  EXPECT_FALSE(parse_rfc5322_date(std::string(300, ' ') + "01 Jan 1970 00:00:00"));
}

TEST(Date, reads_internet_dates) {
  EXPECT_EQ(parse_rfc3339_date("2026-11-22T03:04:05Z"), at(1'795'316'645));
  EXPECT_EQ(parse_rfc3339_date("2026-11-22t03:04:05.6z"), at(1'795'316'645) + 600ms);
  EXPECT_EQ(parse_rfc3339_date("2026-11-22 08:34:05.678999+05:30"), at(1'795'316'645) + 678ms);
  for (const std::string_view text : {"",
                                      "2026-11-22",
                                      "2026-11-22T03:04:05",
                                      "2026-11-22T03:04:05.Z",
                                      "2026-13-22T03:04:05Z",
                                      "2026-11-22T03:04:05+0530",
                                      "2026-11-22T03:04:05Zz",
                                      "26-11-22T03:04:05Z"}) {
    EXPECT_FALSE(parse_rfc3339_date(text)) << text;
  }
}

TEST(Date, reads_back_what_it_printed) {
  constexpr unsigned seed = 20'261'122;
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<long long> milliseconds(-60'000'000'000'000, 250'000'000'000'000);
  for (int i = 0; i < 2000; ++i) {
    const WallTime time(std::chrono::milliseconds(milliseconds(random)));
    EXPECT_EQ(parse_rfc3339_date(rfc3339_date(time)), time) << "seed " << seed;
    EXPECT_EQ(parse_rfc5322_date(rfc5322_date(time)),
              std::chrono::floor<std::chrono::seconds>(time));
  }
}

}  // namespace
}  // namespace tapal::text
