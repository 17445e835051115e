// Final-dot marks in a file that is mapped into memory: they outlive the process however it ends,
// and are as good as what the system had written back when the power goes.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "ports/final_dot_marks.h"

namespace tapal::files {

class MarkFile final : public FinalDotMarks {
 public:
  // Makes the file, only for its owner, when it is missing or of another size; marks in it are
  // kept. Errors as in files.h.
  static Result<std::unique_ptr<MarkFile>> open(const std::filesystem::path& path,
                                                std::size_t slots);
  ~MarkFile() override;
  MarkFile(const MarkFile&) = delete;
  MarkFile& operator=(const MarkFile&) = delete;

  std::size_t slots() const override { return marks_.size(); }
  void set(std::size_t slot, QueueId message, std::span<const std::uint32_t> recipients) override;
  void clear(std::size_t slot) override;
  std::vector<FinalDotMark> all() const override;

 private:
  struct Mark;
  explicit MarkFile(std::span<Mark> marks) : marks_(marks) {}

  std::span<Mark> marks_;
};

}  // namespace tapal::files
