// What play_scale() found, as a table and as charts.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sim/chart.h"
#include "sim/scale.h"

namespace tapal::sim {
namespace {

double seconds(std::chrono::minutes span) { return std::chrono::duration<double>(span).count(); }

Waits all_waits(const ScaleStep& step) {
  Waits all;
  for (const Waits& waits : step.delivered) all.add(waits);
  return all;
}

}  // namespace

std::string table_of(const ScaleResult& result, const ScaleOptions& options) {
  std::string out = fmt::format(
      "{} recipients in {} minutes on {} engines; scheduler and retry rules only: no bytes, no "
      "disk\n\n"
      "{:<12}{:>11}{:>11}{:>9}{:>11}{:>10}{:>9}{:>9}{:>9}\n",
      options.recipients,
      options.arrive_within.count(),
      options.engines,
      "provider",
      "recipients",
      "delivered",
      "bounced",
      "throttled",
      "attempts",
      "p50 s",
      "p90 s",
      "p99 s");
  for (std::size_t p = 0; p < provider_mix.size(); ++p) {
    const auto& one = result.providers[p];
    out += fmt::format("{:<12}{:>11}{:>11}{:>9}{:>11}{:>10}{:>9.1f}{:>9.1f}{:>9.1f}\n",
                       provider_mix[p].name,
                       one.recipients,
                       one.delivered,
                       one.bounced,
                       one.throttled,
                       one.attempts,
                       one.waits.seconds_at(0.5),
                       one.waits.seconds_at(0.9),
                       one.waits.seconds_at(0.99));
  }
  out += fmt::format("\n{:<12}{:>11}{:>12}{:>13}{:>11}{:>7}{:>9}{:>9}{:>9}\n",
                     "minute",
                     "arrived/s",
                     "attempts/s",
                     "delivered/s",
                     "waiting",
                     "",
                     "p50 s",
                     "p90 s",
                     "p99 s");
  for (std::size_t i = 0; i < result.steps.size(); ++i) {
    const ScaleStep& step = result.steps[i];
    const Waits waits = all_waits(step);
    const double span = seconds(options.step);
    if (static_cast<double>(step.attempts) < span) continue;  // hardly anything but waiting
    out += fmt::format("{:<12}{:>11.1f}{:>12.1f}{:>13.1f}{:>11}{:>7}{:>9.1f}{:>9.1f}{:>9.1f}\n",
                       static_cast<long>(i) * options.step.count(),
                       static_cast<double>(step.arrived) / span,
                       static_cast<double>(step.attempts) / span,
                       static_cast<double>(waits.count()) / span,
                       step.waiting,
                       "",
                       waits.seconds_at(0.5),
                       waits.seconds_at(0.9),
                       waits.seconds_at(0.99));
  }
  out += fmt::format("\nwaiting at the end: {}\n", result.waiting_at_end);
  if (!result.broken.empty()) out += fmt::format("LAW BROKEN: {}\n", result.broken);
  return out;
}

// Deliveries a second, and the median wait of each provider (logarithmic), both over time.
std::string chart_of(const ScaleResult& result, const ScaleOptions& options) {
  const auto per_second = [&](std::size_t i) {
    return static_cast<double>(all_waits(result.steps[i]).count()) / seconds(options.step);
  };
  double most = 1;
  for (std::size_t i = 0; i < result.steps.size(); ++i) most = std::max(most, per_second(i));
  Chart chart(2, result.steps.size());
  chart.panel(
      fmt::format(
          "delivered a second, at most {:.0f}; steps of {} minutes", most, options.step.count()),
      most);
  chart.curve("all", per_second);
  chart.panel("median wait of what is delivered, 1 s to 1 day, logarithmic", std::log10(86'400.0));
  for (std::size_t p = 0; p < provider_mix.size(); ++p) {
    const auto wait = [&result, p](std::size_t i) {
      return std::log10(std::max(result.steps[i].delivered[p].seconds_at(0.5), 1.0));
    };
    chart.curve(provider_mix[p].name, wait);
  }
  return chart.svg();
}

}  // namespace tapal::sim
