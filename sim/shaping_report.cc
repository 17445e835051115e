// What play_shaping() found, as a table and as charts.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sim/chart.h"
#include "sim/shaping_play.h"

namespace tapal::sim {

std::string table_of(Scenario scenario, const std::array<ShapingResult, 2>& results) {
  std::string out =
      fmt::format("{}\n{:<10}{:<19}{:>10}{:>11}{:>9}{:>10}{:>10}{:>10}{:>9}{:>11}{:>8}{:>9}\n",
                  scenario_names[static_cast<std::size_t>(scenario)],
                  "rules",
                  "whose mail",
                  "messages",
                  "delivered",
                  "bounced",
                  "p50 s",
                  "p99 s",
                  "attempts",
                  "refused",
                  "unreached",
                  "in row",
                  "minutes");
  for (const ShapingResult& result : results) {
    for (const Crowd& crowd : result.crowds) {
      out += fmt::format("{:<10}{:<19}{:>10}{:>11}{:>9}{:>10.1f}{:>10.1f}",
                         result.rules == Rules::with ? "with" : "without",
                         crowd.name,
                         crowd.messages,
                         crowd.delivered,
                         crowd.bounced,
                         crowd.waits.seconds_at(0.5),
                         crowd.waits.seconds_at(0.99));
      if (&crowd == &result.crowds[0])
        out += fmt::format("{:>10}{:>9}{:>11}{:>8}{:>9}",
                           result.attempts,
                           result.refused,
                           result.unreached,
                           result.refused_in_row_max,
                           result.ended.count());
      out += '\n';
    }
  }
  return out;
}

namespace {

void add_waits(Chart& chart, const Crowd& crowd, Rules rules, double fraction) {
  const auto wait = [&crowd, fraction](std::size_t i) {
    const double seconds = i < crowd.steps.size() ? crowd.steps[i].seconds_at(fraction) : 0;
    return std::log10(std::max(seconds, 1.0));
  };
  chart.curve(fmt::format("p{:.0f} {}", fraction * 100, rules == Rules::with ? "with" : "without"),
              wait);
}

}  // namespace

// p50 and p99 of what is delivered, over time, logarithmic: one chart for each crowd.
std::string chart_of(Scenario scenario, const std::array<ShapingResult, 2>& results) {
  std::size_t steps = 1;
  for (const ShapingResult& result : results)
    for (const Crowd& crowd : result.crowds) steps = std::max(steps, crowd.steps.size());
  Chart chart(2, steps);
  for (std::size_t which = 0; which < results[0].crowds.size(); ++which) {
    chart.panel(
        fmt::format("{}: wait of mail of {}, 1 s to 1 day, logarithmic; steps of {} minutes",
                    scenario_names[static_cast<std::size_t>(scenario)],
                    results[0].crowds[which].name,
                    step_of(scenario).count()),
        std::log10(86'400.0));
    for (const ShapingResult& result : results)
      for (const double fraction : {0.5, 0.99})
        add_waits(chart, result.crowds[which], result.rules, fraction);
  }
  return chart.svg();
}

}  // namespace tapal::sim
