#include "drivers/rocksdb/body_folder.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

namespace tapal::spool {
namespace {

// How much may be written before the kernel is asked to start: the final sync is short then.
constexpr std::uint64_t flush_every_bytes = 1024UL * 1024;

struct Reading {
  std::uint64_t offset;
  std::span<char> into;
};

// What stands in memory, and behind it what is in a file.
Result<std::size_t> read_parts(std::string_view memory,
                               int file,
                               std::uint64_t file_bytes,
                               Reading reading) {
  const auto& [offset, into] = reading;
  std::size_t done = 0;
  if (offset < memory.size()) {
    done = memory.copy(into.data(), into.size(), static_cast<std::size_t>(offset));
  }
  while (done < into.size()) {
    const std::uint64_t at = offset + done - memory.size();
    if (at >= file_bytes) break;
    const auto left = std::min<std::uint64_t>(into.size() - done, file_bytes - at);
    const ssize_t count = ::pread(file, into.data() + done, left, static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error("read", "a message body");
    if (count == 0) return fail(Code::internal, "a message body's file is cut short");
    done += static_cast<std::size_t>(count);
  }
  return done;
}

class FileBody final : public Body {
 public:
  FileBody(std::string head, FileDescriptor file, std::uint64_t file_bytes)
      : head_(std::move(head)), file_(std::move(file)), file_bytes_(file_bytes) {}
  std::uint64_t size() const override { return head_.size() + file_bytes_; }

  Result<std::size_t> read(std::uint64_t offset, std::span<char> into) const override {
    return read_parts(head_, file_.get(), file_bytes_, {offset, into});
  }

 private:
  std::string head_;
  FileDescriptor file_;
  std::uint64_t file_bytes_;
};

// Calls `each` with the name of every entry but "." and "..".
Result<void> for_each_entry(const std::string& path, const auto& each) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), &::closedir);
  if (!folder) return system_error("read the folder", path);
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") each(name);
  }
  return {};
}

}  // namespace

SpoolWriter::~SpoolWriter() {
  release_memory();
  if (file_.is_open() && !kept_) ::unlink(path_.c_str());
}

Result<std::size_t> SpoolWriter::read(std::uint64_t offset, std::span<char> into) const {
  if (is_file() || memory_.empty())
    return read_parts(head_, file_.get(), file_bytes_, {offset, into});
  if (head_.empty()) return read_parts(memory_, -1, 0, {offset, into});
  return read_parts(head_ + memory_, -1, 0, {offset, into});
}

Result<void> SpoolWriter::append(std::string_view bytes) {
  if (!file_.is_open()) {
    if (memory_.size() + bytes.size() <= limits_.each_max &&
        in_memory_ + bytes.size() <= limits_.all_max) {
      memory_ += bytes;
      in_memory_ += bytes.size();
      return {};
    }
    TAPAL_CHECK(spill());
  }
  TAPAL_CHECK(write_all(file_.get(), bytes, path_));
  file_bytes_ += bytes.size();
  if (file_bytes_ - flushing_bytes_ >= flush_every_bytes) {
    // Only a hint: what fails here fails again, and is seen, in keep().
    ::sync_file_range(file_.get(),
                      static_cast<off_t>(flushing_bytes_),
                      static_cast<off_t>(file_bytes_ - flushing_bytes_),
                      SYNC_FILE_RANGE_WRITE);
    flushing_bytes_ = file_bytes_;
  }
  return {};
}

Result<void> SpoolWriter::spill() {
  file_ = FileDescriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file_.is_open()) return system_error("make", path_);
  TAPAL_CHECK(write_all(file_.get(), memory_, path_));
  file_bytes_ = release_memory().size();
  return {};
}

std::string SpoolWriter::release_memory() {
  in_memory_ -= memory_.size();
  return std::exchange(memory_, {});
}

MemoryBody SpoolWriter::take_memory() { return {std::move(head_), release_memory()}; }

BodyPtr SpoolWriter::take_file() {
  return std::make_shared<FileBody>(std::move(head_), std::move(file_), file_bytes_);
}

std::string BodyFolder::folder_of(QueueId id) const { return path_ + '/' + id.text().substr(5, 2); }
std::string BodyFolder::path_of(QueueId id) const { return folder_of(id) + '/' + id.text(); }

Result<void> BodyFolder::prepare() {
  TAPAL_CHECK(make_folder(path_));
  const std::string unfinished = path_ + "/new";
  TAPAL_CHECK(make_folder(unfinished));
  TAPAL_CHECK(for_each_entry(
      unfinished, [&](const std::string& name) { ::unlink((unfinished + '/' + name).c_str()); }));
  return sync_folder(path_);  // of slots too that a run before this one made and did not sync
}

std::unique_ptr<SpoolWriter> BodyFolder::writer(BodyMemory limits) {
  return std::make_unique<SpoolWriter>(
      fmt::format("{}/new/{}", path_, next_++), limits, in_memory_);
}

Result<void> BodyFolder::keep(SpoolWriter& writer, QueueId id) {
  if (::fdatasync(writer.file_.get()) != 0) return system_error("sync", writer.path_);
  ++syncs_;
  const std::string folder = folder_of(id);
  TAPAL_CHECK(make_slot(folder));
  const std::string path = path_of(id);
  if (::rename(writer.path_.c_str(), path.c_str()) != 0) return system_error("make", path);
  writer.kept_ = true;
  ++syncs_;
  return sync_folder(folder);
}

Result<void> BodyFolder::make_slot(const std::string& folder) {
  const std::scoped_lock lock(slots_);
  if (::mkdir(folder.c_str(), 0700) != 0) {
    if (errno == EEXIST) return {};
    return system_error("make the folder", folder);
  }
  ++syncs_;
  Result<void> synced = sync_folder(path_);
  if (!synced) ::rmdir(folder.c_str());
  return synced;
}

void BodyFolder::remove(QueueId id) { ::unlink(path_of(id).c_str()); }

Result<BodyPtr> BodyFolder::load(QueueId id, std::string head, std::uint64_t bytes) const {
  const std::string path = path_of(id);
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return system_error("open the body", path);
  struct stat about{};
  if (::fstat(file.get(), &about) != 0) return system_error("look at the body", path);
  if (static_cast<std::uint64_t>(about.st_size) != bytes) {
    return fail(
        Code::internal,
        fmt::format("the body {} has {} bytes where {} were written", path, about.st_size, bytes));
  }
  return std::make_shared<FileBody>(std::move(head), std::move(file), bytes);
}

Result<std::vector<QueueId>> BodyFolder::list() const {
  std::vector<std::string> folders;
  TAPAL_CHECK(for_each_entry(path_, [&](const std::string& name) {
    if (name.size() == 2) folders.push_back(path_ + '/' + name);
  }));
  std::vector<QueueId> ids;
  for (const std::string& folder : folders) {
    TAPAL_CHECK(for_each_entry(folder, [&](const std::string& name) {
      if (const auto id = QueueId::from_text(name)) ids.push_back(*id);
    }));
  }
  return ids;
}

Result<void> BodyFolder::link_into(const std::string& folder) const {
  TAPAL_CHECK(make_folder(folder));
  TAPAL_TRY(const auto ids, list());
  const BodyFolder copy(folder);
  for (const QueueId id : ids) {
    TAPAL_CHECK(make_folder(copy.folder_of(id)));
    const std::string path = copy.path_of(id);
    // One that is gone was refused meanwhile, and is no message's.
    if (::link(path_of(id).c_str(), path.c_str()) != 0 && errno != ENOENT)
      return system_error("make", path);
  }
  return {};
}

}  // namespace tapal::spool
