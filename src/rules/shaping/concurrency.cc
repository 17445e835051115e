#include "rules/shaping/concurrency.h"

#include <algorithm>

namespace tapal::shaping {

Concurrency::Concurrency(std::size_t first, std::size_t max)
    : ceiling_(
          static_cast<double>(std::clamp<std::size_t>(first, 1, std::max<std::size_t>(max, 1)))),
      max_(static_cast<double>(std::max<std::size_t>(max, 1))),
      bound_(max_) {}

std::size_t Concurrency::ceiling() const { return static_cast<std::size_t>(ceiling_); }

void Concurrency::on_success(std::size_t attempts) {
  failures_in_row_ = 0;
  if (attempts < ceiling()) return;
  ceiling_ = std::min(bound_, ceiling_ + 1 / ceiling_);
}

bool Concurrency::on_failure() {
  if (failures_in_row_ == 0) round_ = ceiling();
  ceiling_ = std::max(1.0, ceiling_ - 1);
  if (++failures_in_row_ < round_) return false;
  failures_in_row_ = 0;
  ceiling_ = 1;
  return true;
}

void Concurrency::on_too_many(std::size_t attempts) {
  bound_ = std::clamp(static_cast<double>(attempts) - 1, 1.0, bound_);
  ceiling_ = std::max(1.0, std::min(ceiling_, bound_) / 2);
}

}  // namespace tapal::shaping
