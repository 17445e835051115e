// How many attempts at once a site is sent, as it shows what it bears: one more for each round that
// goes well, one less for each that goes wrong, as Postfix has it (its SCHEDULER_README). What was
// not tried shows nothing: the ceiling grows only while it is reached.
#pragma once

#include <cstddef>

namespace tapal::shaping {

class Concurrency {
 public:
  // Begins with `first` and stays between 1 and `max`.
  Concurrency(std::size_t first, std::size_t max);

  std::size_t ceiling() const;
  // `attempts` were under way, this one among them.
  void on_success(std::size_t attempts);
  // True: a whole round in a row went wrong. The site is down, and begins anew with one.
  bool on_failure();
  // It said that `attempts` were too many: half of what was tried from here on, and never as many
  // again until forget_bound().
  void on_too_many(std::size_t attempts);
  void forget_bound() { bound_ = max_; }

 private:
  double ceiling_;
  double max_;
  double bound_;  // what it bears for all we know, at most max_
  std::size_t failures_in_row_ = 0;
  std::size_t round_ = 0;  // the ceiling when the first of them came
};

}  // namespace tapal::shaping
