// Bodies too large for a record: a file each, at <folder>/<slot>/<id>, written under <folder>/new
// first. The header, known last, stays in the message's record. A slot is a quarter of a second,
// two characters of the id.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/queue_id.h"
#include "drivers/rocksdb/file.h"
#include "ports/memory_body.h"

namespace tapal::spool {

// How much memory bodies being written may take: one each, and all together. What is over goes
// into files.
struct BodyMemory {
  std::uint64_t each_max;
  std::uint64_t all_max;
};

// Kept in memory within its limits, then in a file of the folder. Its destructor removes the file
// unless BodyFolder::keep() moved it away.
class SpoolWriter final : public BodyWriter {
 public:
  SpoolWriter(std::string path, BodyMemory limits, std::atomic<std::uint64_t>& in_memory)
      : path_(std::move(path)), limits_(limits), in_memory_(in_memory) {}
  ~SpoolWriter() override;

  Result<void> append(std::string_view bytes) override;
  void set_head(std::string head) override { head_ = std::move(head); }
  std::uint64_t size() const override { return head_.size() + memory_.size() + file_bytes_; }
  Result<std::size_t> read(std::uint64_t offset, std::span<char> into) const override;

  bool is_file() const { return file_.is_open(); }
  std::uint64_t file_bytes() const { return file_bytes_; }
  const std::string& head() const { return head_; }
  MemoryBody take_memory();  // only when !is_file()
  BodyPtr take_file();       // only when is_file(), after BodyFolder::keep()

 private:
  friend class BodyFolder;
  Result<void> spill();
  std::string release_memory();

  std::string path_;
  BodyMemory limits_;
  std::atomic<std::uint64_t>& in_memory_;  // of all writers of the folder
  std::string head_;
  std::string memory_;
  FileDescriptor file_;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t flushing_bytes_ = 0;
  bool kept_ = false;
};

class BodyFolder {
 public:
  explicit BodyFolder(std::string path) : path_(std::move(path)) {}

  // Makes what is missing and removes unfinished files.
  Result<void> prepare();
  // Safe from any thread. Writers must end before the folder.
  std::unique_ptr<SpoolWriter> writer(BodyMemory limits);

  // Gives the file its name, on stable storage: a large one takes its time. Safe from any thread.
  // After an error something may be left to remove().
  Result<void> keep(SpoolWriter& writer, QueueId id);
  void remove(QueueId id);  // nothing happens when it is not there
  std::uint64_t syncs() const { return syncs_; }

  // `bytes` is the file's expected size. The body stays readable after remove().
  Result<BodyPtr> load(QueueId id, std::string head, std::uint64_t bytes) const;
  Result<std::vector<QueueId>> list() const;
  std::string path_of(QueueId id) const;
  // A second name for each body, in a folder like this one.
  Result<void> link_into(const std::string& folder) const;

 private:
  std::string folder_of(QueueId id) const;
  Result<void> make_slot(const std::string& folder);

  std::string path_;
  std::atomic<std::uint64_t> next_ = 0;
  std::atomic<std::uint64_t> in_memory_ = 0;
  std::atomic<std::uint64_t> syncs_ = 0;
  std::mutex slots_;  // whoever finds a slot's folder there finds it on stable storage
};

}  // namespace tapal::spool
