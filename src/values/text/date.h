// Calendar times in text: RFC 5322 as mail prints and reads it, RFC 3339 for logs and files. Always
// UTC on output; no locale and no time zone database.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace tapal::text {

// "Sun, 22 Nov 2026 03:04:05 +0000". Years outside 0 to 9999 print as the nearest of them.
std::string rfc5322_date(WallTime time);

// The date-time of RFC 5322 section 3.3 with the obsolete forms of section 4.3: comments, a missing
// day or second, years of two and three digits, named zones (unknown ones are -0000, so UTC). A
// wrong day name is not held against it; a wrong day of the month or a second past 60 is.
Result<WallTime> parse_rfc5322_date(std::string_view text);

// "2026-11-22T03:04:05.678Z".
std::string rfc3339_date(WallTime time);
std::string rfc3339_day(WallTime time);  // "2026-11-22"

// Any offset, fraction cut to milliseconds.
Result<WallTime> parse_rfc3339_date(std::string_view text);

}  // namespace tapal::text
