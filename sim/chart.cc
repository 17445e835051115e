#include "sim/chart.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace tapal::sim {
namespace {

constexpr double width = 900, height = 300, left = 70, above = 40, names = 160;
constexpr std::array<std::string_view, 8> colours{
    "#1b6", "#06c", "#93c", "#888", "#c60", "#c03", "#0aa", "#333"};

}  // namespace

Chart::Chart(std::size_t panels, std::size_t steps)
    : steps_(steps),
      svg_(fmt::format("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {} {}' "
                       "font-family='sans-serif' font-size='14'>\n",
                       left + width + names,
                       static_cast<double>(panels) * (height + above) + 20)) {}

void Chart::panel(std::string_view title, double most) {
  top_ = above + static_cast<double>(panels_++) * (height + above);
  most_ = most;
  curves_ = 0;
  svg_ += fmt::format(
      "<rect x='{}' y='{}' width='{}' height='{}' fill='none' stroke='#bbb'/>"
      "<text x='{}' y='{}'>{}</text>\n",
      left,
      top_,
      width,
      height,
      left,
      top_ - 10,
      title);
}

void Chart::curve(std::string_view name, const std::function<double(std::size_t)>& value) {
  const auto colour = colours[curves_++ % colours.size()];
  svg_ += fmt::format("<polyline fill='none' stroke='{}' stroke-width='2' points='", colour);
  for (std::size_t i = 0; i < steps_; ++i) {
    const double x =
        left + width * static_cast<double>(i) / std::max(static_cast<double>(steps_) - 1, 1.0);
    svg_ += fmt::format("{:.1f},{:.1f} ", x, top_ + height * (1 - std::min(value(i) / most_, 1.0)));
  }
  svg_ += fmt::format("'/>\n<text x='{}' y='{}' fill='{}'>{}</text>\n",
                      left + width + 10,
                      top_ + 20 * static_cast<double>(curves_),
                      colour,
                      name);
}

}  // namespace tapal::sim
