// Curves over time as SVG, one panel below the other.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace tapal::sim {

class Chart {
 public:
  Chart(std::size_t panels, std::size_t steps);

  // The next panel; its values go from 0 to `most`.
  void panel(std::string_view title, double most);
  // Into the last panel, with a name beside it.
  void curve(std::string_view name, const std::function<double(std::size_t step)>& value);
  std::string svg() const { return svg_ + "</svg>\n"; }

 private:
  std::size_t steps_;
  std::string svg_;
  double top_ = 0;
  double most_ = 1;
  std::size_t panels_ = 0;
  std::size_t curves_ = 0;  // of the last panel
};

}  // namespace tapal::sim
