// A binary heap of numbers in which each number's place is known, so that any of them can be taken
// out in O(log n). `order(a, b)`: a comes first. `place(number)` is where the number's position is
// kept.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace tapal::queue {

template <class Order, class Place>
class IndexedHeap {
 public:
  static constexpr std::uint32_t absent = UINT32_MAX;

  IndexedHeap(std::vector<std::uint32_t>& numbers, Order order, Place place)
      : numbers_(numbers), order_(std::move(order)), place_(std::move(place)) {}

  void push(std::uint32_t number) {
    numbers_.push_back(number);
    place_(number) = static_cast<std::uint32_t>(numbers_.size() - 1);
    up(numbers_.size() - 1);
  }

  // Nothing happens when the number is not in the heap.
  void erase(std::uint32_t number) {
    const std::uint32_t at = std::exchange(place_(number), absent);
    if (at == absent) return;
    const std::uint32_t last = numbers_.back();
    numbers_.pop_back();
    if (last == number) return;
    put(at, last);
    up(at);
    down(place_(last));
  }

 private:
  void put(std::size_t at, std::uint32_t number) {
    numbers_[at] = number;
    place_(number) = static_cast<std::uint32_t>(at);
  }
  void up(std::size_t at) {
    const std::uint32_t number = numbers_[at];
    while (at > 0) {
      const std::size_t parent = (at - 1) / 2;
      if (!order_(number, numbers_[parent])) break;
      put(at, numbers_[parent]);
      at = parent;
    }
    put(at, number);
  }
  void down(std::size_t at) {
    const std::uint32_t number = numbers_[at];
    for (;;) {
      std::size_t child = 2 * at + 1;
      if (child >= numbers_.size()) break;
      if (child + 1 < numbers_.size() && order_(numbers_[child + 1], numbers_[child])) ++child;
      if (!order_(numbers_[child], number)) break;
      put(at, numbers_[child]);
      at = child;
    }
    put(at, number);
  }

  std::vector<std::uint32_t>& numbers_;
  Order order_;
  Place place_;
};

}  // namespace tapal::queue
