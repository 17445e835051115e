// A heap of numbers, each with its key, least key first, in which each number's place is known, so
// that any of them can be taken out in O(log n). Four children a node, keys beside one another: a
// walk through it touches a cache line or two a level.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace tapal::queue {

template <class Key>
struct HeapNode {
  Key key;
  std::uint32_t number;
};

// `place(number)` is where the number's position is kept.
template <class Key, class Place>
class IndexedHeap {
 public:
  static constexpr std::uint32_t absent = UINT32_MAX;

  IndexedHeap(std::vector<HeapNode<Key>>& nodes, Place place)
      : nodes_(nodes), place_(std::move(place)) {}

  void push(std::uint32_t number, const Key& key) {
    nodes_.push_back({key, number});
    up(nodes_.size() - 1);
  }

  // Nothing happens when the number is not in the heap.
  void erase(std::uint32_t number) {
    const std::uint32_t at = std::exchange(place_(number), absent);
    if (at == absent) return;
    const HeapNode<Key> last = nodes_.back();
    nodes_.pop_back();
    if (last.number == number) return;
    nodes_[at] = last;
    up(at);
    down(place_(last.number));
  }

 private:
  static constexpr std::size_t children = 4;

  void put(std::size_t at, const HeapNode<Key>& node) {
    nodes_[at] = node;
    place_(node.number) = static_cast<std::uint32_t>(at);
  }
  void up(std::size_t at) {
    const HeapNode<Key> node = nodes_[at];
    while (at > 0) {
      const std::size_t parent = (at - 1) / children;
      if (!(node.key < nodes_[parent].key)) break;
      put(at, nodes_[parent]);
      at = parent;
    }
    put(at, node);
  }
  void down(std::size_t at) {
    const HeapNode<Key> node = nodes_[at];
    for (;;) {
      const std::size_t first = children * at + 1;
      const std::size_t end = std::min(first + children, nodes_.size());
      std::size_t least = first;
      for (std::size_t i = first + 1; i < end; ++i)
        if (nodes_[i].key < nodes_[least].key) least = i;
      if (first >= end || !(nodes_[least].key < node.key)) break;
      put(at, nodes_[least]);
      at = least;
    }
    put(at, node);
  }

  std::vector<HeapNode<Key>>& nodes_;
  Place place_;
};

}  // namespace tapal::queue
