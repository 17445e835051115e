// How many attempts at once a site is sent, as it shows what it bears: one more for each round that
// goes well, one less for each that goes wrong, as Postfix has it (its SCHEDULER_README).
#pragma once

#include <cstddef>

namespace tapal::shaping {

class Concurrency {
 public:
  // Begins with `first` and stays between 1 and `max`.
  Concurrency(std::size_t first, std::size_t max);

  std::size_t ceiling() const;
  void on_success();
  // True: a whole round in a row went wrong. The site is down, and begins anew with one.
  bool on_failure();
  // Half of what it was.
  void halve();

 private:
  double ceiling_;
  double max_;
  std::size_t failures_in_row_ = 0;
  std::size_t round_ = 0;  // the ceiling when the first of them came
};

}  // namespace tapal::shaping
