#include "drivers/files/mark_file.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "drivers/files/files.h"

namespace tapal::files {

// As it is in the file. The message is written last and cleared first: without it nothing counts.
struct MarkFile::Mark {
  std::atomic<std::uint64_t> message;  // 0: none
  std::uint32_t count;
  std::array<std::uint32_t, 125> recipients;
};

Result<std::unique_ptr<MarkFile>> MarkFile::open(const std::filesystem::path& path,
                                                 std::size_t slots) {
  static_assert(sizeof(Mark) == 512 && std::atomic<std::uint64_t>::is_always_lock_free);
  const std::size_t bytes = slots * sizeof(Mark);
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return std::unexpected(system_error("open", path, errno));
  // Room on the disk is taken now: a mapped page without any would end the process.
  int failed = ::posix_fallocate(file, 0, static_cast<off_t>(bytes));
  void* memory = MAP_FAILED;
  if (failed == 0) {
    memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    failed = memory == MAP_FAILED ? errno : 0;
  }
  ::close(file);
  if (failed != 0) return std::unexpected(system_error("map", path, failed));
  const std::span<Mark> marks(static_cast<Mark*>(memory), slots);
  return std::unique_ptr<MarkFile>(new MarkFile(marks));
}

MarkFile::~MarkFile() { ::munmap(marks_.data(), marks_.size_bytes()); }

void MarkFile::set(std::size_t slot, QueueId message, std::span<const std::uint32_t> recipients) {
  Mark& mark = marks_[slot];
  const auto kept = recipients.first(std::min(recipients.size(), mark.recipients.size()));
  mark.count = static_cast<std::uint32_t>(kept.size());
  std::ranges::copy(kept, mark.recipients.begin());
  mark.message.store(message.value, std::memory_order_release);
}

void MarkFile::clear(std::size_t slot) { marks_[slot].message.store(0, std::memory_order_release); }

std::vector<FinalDotMark> MarkFile::all() const {
  std::vector<FinalDotMark> found;
  for (const Mark& mark : marks_) {
    const std::uint64_t message = mark.message.load(std::memory_order_acquire);
    if (message == 0) continue;
    const auto count = std::min<std::size_t>(mark.count, mark.recipients.size());
    found.push_back({QueueId{message}, {mark.recipients.begin(), mark.recipients.begin() + count}});
  }
  return found;
}

}  // namespace tapal::files
