// A map of bounded size from texts to values: when it is full, the entry that was not asked for the
// longest goes. Single-threaded.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace tapal::account {

template <class Value>
class RecentMap {
 public:
  using Entry = std::pair<const std::string, Value>;

  explicit RecentMap(std::size_t entries_max) : entries_max_(entries_max) {}
  RecentMap(RecentMap&&) noexcept = default;  // a list keeps its entries in place
  RecentMap& operator=(RecentMap&&) noexcept = default;
  RecentMap(const RecentMap&) = delete;
  RecentMap& operator=(const RecentMap&) = delete;
  ~RecentMap() = default;

  // Null when there is none. What is given stays in place until it is dropped.
  Value* find(std::string_view key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->second;
  }
  // A new one where there is none. The map must have room for one entry at least.
  Value& at(std::string_view key) {
    if (Value* known = find(key)) return *known;
    while (!entries_.empty() && entries_.size() >= entries_max_) {
      by_key_.erase(entries_.back().first);
      entries_.pop_back();
    }
    entries_.emplace_front(std::string(key), Value{});
    by_key_.emplace(entries_.front().first, entries_.begin());
    return entries_.front().second;
  }
  void erase(std::string_view key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return;
    const auto entry = found->second;
    by_key_.erase(found);
    entries_.erase(entry);
  }
  void clear() {
    by_key_.clear();
    entries_.clear();
  }

  std::size_t size() const { return entries_.size(); }
  auto begin() const { return entries_.begin(); }  // last asked for first
  auto end() const { return entries_.end(); }

 private:
  std::size_t entries_max_;
  std::list<Entry> entries_;
  std::unordered_map<std::string_view, typename std::list<Entry>::iterator> by_key_;
};

}  // namespace tapal::account
