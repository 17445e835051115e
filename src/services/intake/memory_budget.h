// Memory for what sessions collect before the spool has it (headers, recipient lists), of one loop:
// bounded, whatever clients do.
#pragma once

#include <cstdint>

namespace tapal::intake {

class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}
  bool is_used_up() const { return used_ >= bytes_max_; }

  // What one message holds; goes back at its end, which must come before the budget's.
  class Share {
   public:
    explicit Share(MemoryBudget& budget) : budget_(budget) {}
    ~Share() { static_cast<void>(hold(0)); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // From now on so many bytes. False when they do not fit: the share stays as it was.
    bool hold(std::uint64_t bytes) {
      if (bytes > held_ && budget_.used_ + (bytes - held_) > budget_.bytes_max_) return false;
      budget_.used_ = budget_.used_ - held_ + bytes;
      held_ = bytes;
      return true;
    }

   private:
    MemoryBudget& budget_;
    std::uint64_t held_ = 0;
  };

 private:
  std::uint64_t bytes_max_;
  std::uint64_t used_ = 0;
};

}  // namespace tapal::intake
