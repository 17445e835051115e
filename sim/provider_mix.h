// Where a large sender's mail goes and how it is treated there: rough figures of a consumer list,
// for shape, not for truth. Shares in thousandths of all recipients.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tapal::sim {

struct Provider {
  std::string_view name;
  std::uint32_t share = 0;
  std::uint32_t domains = 1;            // that the share is spread over
  std::uint32_t answer_ms = 500;        // of one transaction on a warm connection, median
  std::uint32_t connections_max = 20;   // from one source, 421 above
  std::uint32_t per_minute_max = 6000;  // messages from one source, 450 above
  std::uint32_t greylisting = 0;        // thousandths of domains that defer a first attempt
  std::uint32_t down = 0;               // thousandths of domains that cannot be reached
  std::uint32_t bounces = 5;            // thousandths of recipients
};

inline constexpr auto provider_mix = std::to_array<Provider>({
    {.name = "gmail",
     .share = 420,
     .answer_ms = 600,
     .connections_max = 50,
     .per_minute_max = 3000},
    {.name = "outlook",
     .share = 160,
     .domains = 4,
     .answer_ms = 900,
     .connections_max = 15,
     .per_minute_max = 600},
    {.name = "yahoo",
     .share = 110,
     .domains = 3,
     .answer_ms = 700,
     .connections_max = 10,
     .per_minute_max = 900},
    {.name = "icloud",
     .share = 60,
     .domains = 2,
     .answer_ms = 800,
     .connections_max = 10,
     .per_minute_max = 600},
    {.name = "gmx/web.de",
     .share = 40,
     .domains = 2,
     .answer_ms = 400,
     .connections_max = 10,
     .per_minute_max = 1200},
    {.name = "qq/163",
     .share = 40,
     .domains = 3,
     .answer_ms = 1200,
     .connections_max = 5,
     .per_minute_max = 300},
    {.name = "comcast", .share = 20, .answer_ms = 500, .connections_max = 5, .per_minute_max = 300},
    {.name = "long tail",
     .share = 150,
     .domains = 20'000,
     .answer_ms = 800,
     .connections_max = 10,
     .per_minute_max = 120,
     .greylisting = 80,
     .down = 15,
     .bounces = 20},
});

}  // namespace tapal::sim
