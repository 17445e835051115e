#include "rules/shaping/concurrency.h"

#include <algorithm>

namespace tapal::shaping {

Concurrency::Concurrency(std::size_t first, std::size_t max)
    : ceiling_(
          static_cast<double>(std::clamp<std::size_t>(first, 1, std::max<std::size_t>(max, 1)))),
      max_(static_cast<double>(std::max<std::size_t>(max, 1))) {}

std::size_t Concurrency::ceiling() const { return static_cast<std::size_t>(ceiling_); }

void Concurrency::on_success() {
  failures_in_row_ = 0;
  ceiling_ = std::min(max_, ceiling_ + 1 / ceiling_);
}

bool Concurrency::on_failure() {
  if (failures_in_row_ == 0) round_ = ceiling();
  ceiling_ = std::max(1.0, ceiling_ - 1);
  if (++failures_in_row_ < round_) return false;
  failures_in_row_ = 0;
  ceiling_ = 1;
  return true;
}

void Concurrency::halve() { ceiling_ = std::max(1.0, ceiling_ / 2); }

}  // namespace tapal::shaping
