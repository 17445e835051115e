// What play_scale() found, as a table and as charts.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sim/scale.h"

namespace tapal::sim {
namespace {

constexpr double width = 900, height = 300, left = 70, top = 40;
constexpr std::array<std::string_view, 8> colours{
    "#1b6", "#06c", "#93c", "#888", "#c60", "#c03", "#0aa", "#333"};

double seconds(std::chrono::minutes span) { return std::chrono::duration<double>(span).count(); }

Waits all_waits(const ScaleStep& step) {
  Waits all;
  for (const Waits& waits : step.delivered) all.add(waits);
  return all;
}

struct Axes {
  double top = 0;
  double steps = 1;
  double most = 1;
  double x(std::size_t step) const {
    return left + width * static_cast<double>(step) / std::max(steps - 1, 1.0);
  }
  double y(double value) const { return top + height * (1 - std::min(value / most, 1.0)); }
};

void frame(std::string& svg, const Axes& axes, std::string_view title) {
  svg += fmt::format(
      "<rect x='{}' y='{}' width='{}' height='{}' fill='none' stroke='#bbb'/>"
      "<text x='{}' y='{}'>{}</text>\n",
      left,
      axes.top,
      width,
      height,
      left,
      axes.top - 10,
      title);
}

template <class Value>
void curve(std::string& svg, const Axes& axes, std::string_view colour, const Value& value) {
  svg += fmt::format("<polyline fill='none' stroke='{}' stroke-width='2' points='", colour);
  for (std::size_t i = 0; i < static_cast<std::size_t>(axes.steps); ++i)
    svg += fmt::format("{:.1f},{:.1f} ", axes.x(i), axes.y(value(i)));
  svg += "'/>\n";
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
  std::string svg = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {} {}' font-family='sans-serif' "
      "font-size='14'>\n",
      left + width + 140,
      2 * (height + top) + 60);
  Axes rate{top, static_cast<double>(result.steps.size()), 1};
  const auto per_second = [&](std::size_t i) {
    return static_cast<double>(all_waits(result.steps[i]).count()) / seconds(options.step);
  };
  for (std::size_t i = 0; i < result.steps.size(); ++i)
    rate.most = std::max(rate.most, per_second(i));
  frame(svg,
        rate,
        fmt::format("delivered a second, at most {:.0f}; steps of {} minutes",
                    rate.most,
                    options.step.count()));
  curve(svg, rate, "#06c", per_second);

  Axes wait{2 * top + height + 20, rate.steps, std::log10(86'400.0)};
  frame(svg, wait, "median wait of what is delivered, 1 s to 1 day, logarithmic");
  for (std::size_t p = 0; p < provider_mix.size(); ++p) {
    const auto colour = colours[p % colours.size()];
    curve(svg, wait, colour, [&](std::size_t i) {
      return std::log10(std::max(result.steps[i].delivered[p].seconds_at(0.5), 1.0));
    });
    svg += fmt::format("<text x='{}' y='{}' fill='{}'>{}</text>\n",
                       left + width + 10,
                       wait.top + 20 * static_cast<double>(p + 1),
                       colour,
                       provider_mix[p].name);
  }
  return svg + "</svg>\n";
}

}  // namespace tapal::sim
