#include "values/text/duration.h"

namespace tapal::text {
namespace {

using namespace std::chrono_literals;

TEST(Durations, are_read) {
  const std::pair<std::string_view, std::chrono::milliseconds> cases[] = {
      {"0", 0ms},
      {"0s", 0ms},
      {"90s", 90s},
      {"1m", 1min},
      {"4h", 4h},
      {"5d", 120h},
      {"1h30m", 90min},
      {"2w", 336h},
      {"250ms", 250ms},
      {"1m250ms", 60'250ms},
      {"1d2h3m4s5ms", 93'784'005ms}};
  for (const auto& [text, duration] : cases) EXPECT_EQ(parse_duration(text), duration) << text;
}

TEST(Durations, are_refused_with_a_hint) {
  for (const std::string_view text : {"",
                                      "1",
                                      "s",
                                      "-1s",
                                      "1.5h",
                                      "1 h",
                                      "30m1h",
                                      "1h1h",
                                      "1H",
                                      "1y",
                                      "99999999999999999999s",
                                      "4000d",
                                      "1h ",
                                      "00"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
  EXPECT_EQ(parse_duration("soon").error().what,
            "\"soon\" is no duration; write it like 90s, 15m, 1h30m or 5d");
}

TEST(Durations, read_back_what_was_printed) {
  EXPECT_EQ(duration_text(0ms), "0s");
  EXPECT_EQ(duration_text(90min), "1h30m");
  EXPECT_EQ(duration_text(-90s), "-1m30s");
  EXPECT_EQ(duration_text(std::chrono::milliseconds::min()), "-106751991167d7h12m55s808ms");
  for (std::int64_t count = 1; count < duration_max.count(); count = count * 3 + 7) {
    EXPECT_EQ(parse_duration(duration_text(std::chrono::milliseconds(count))),
              std::chrono::milliseconds(count));
  }
}

}  // namespace
}  // namespace tapal::text
