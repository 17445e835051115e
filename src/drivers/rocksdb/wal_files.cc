#include "drivers/rocksdb/wal_files.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <rocksdb/file_system.h>
#include <sys/stat.h>

#include "drivers/rocksdb/file.h"

namespace tapal::spool {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

constexpr std::uint64_t ahead_bytes = 1024UL * 1024;

IOStatus io_error(const char* doing, const std::string& path) {
  const int number = errno;
  const std::string reason = std::generic_category().message(number);
  const std::string what = std::string(doing) + ' ' + path;
  if (number == ENOSPC || number == EDQUOT) return IOStatus::NoSpace(what, reason);
  return IOStatus::IOError(what, reason);
}

class LogFile final : public rocksdb::FSWritableFile {
 public:
  LogFile(FileDescriptor file, std::string path, WalState& state)
      : file_(std::move(file)), path_(std::move(path)), state_(state) {}

  using FSWritableFile::Append;
  IOStatus Append(const rocksdb::Slice& data,
                  const IOOptions& /*options*/,
                  IODebugContext* /*context*/) override {
    const std::uint64_t end = size_ + data.size();
    if (end > ready_) write_ahead(end);
    const IOStatus written = write_at(size_, {data.data(), data.size()});
    if (!written.ok()) return written;
    size_ = end;
    state_.written(path_, size_);
    return written;
  }
  IOStatus Close(const IOOptions& /*options*/, IODebugContext* /*context*/) override {
    if (!file_.is_open()) return IOStatus::OK();
    const bool cut = ready_ <= size_ || ::ftruncate(file_.get(), static_cast<off_t>(size_)) == 0;
    const IOStatus status = cut ? IOStatus::OK() : io_error("cut", path_);
    file_ = FileDescriptor();
    return status;
  }
  IOStatus Flush(const IOOptions& /*options*/, IODebugContext* /*context*/) override {
    return IOStatus::OK();
  }
  IOStatus Sync(const IOOptions& /*options*/, IODebugContext* /*context*/) override {
    if (::fdatasync(file_.get()) != 0) return io_error("sync", path_);
    state_.synced();
    return IOStatus::OK();
  }
  bool IsSyncThreadSafe() const override { return true; }
  std::uint64_t GetFileSize(const IOOptions& /*options*/, IODebugContext* /*context*/) override {
    return size_;
  }

 private:
  // From the end of what is about to be written on. No room is no error here: the write itself
  // will tell.
  void write_ahead(std::uint64_t from) {
    static const std::string zeros(ahead_bytes, '\0');
    if (write_at(from, zeros).ok()) ready_ = from + ahead_bytes;
  }
  IOStatus write_at(std::uint64_t offset, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count =
          ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return io_error("write", path_);
      bytes.remove_prefix(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
    }
    return IOStatus::OK();
  }

  FileDescriptor file_;
  std::string path_;
  WalState& state_;
  std::uint64_t size_ = 0;   // of the log's records
  std::uint64_t ready_ = 0;  // bytes allocated and initialised
};

class Files final : public rocksdb::FileSystemWrapper {
 public:
  explicit Files(WalState& state)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), state_(state) {}
  const char* Name() const override { return "tapal"; }

  IOStatus NewWritableFile(const std::string& path,
                           const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext* context) override {
    if (path.ends_with(".log")) {
      FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
      if (!file.is_open()) return io_error("make", path);
      state_.made(path);
      *result = std::make_unique<LogFile>(std::move(file), path, state_);
      return IOStatus::OK();
    }
    const IOStatus status = target()->NewWritableFile(path, options, result, context);
    return status.ok() ? owner_only(path) : status;
  }
  IOStatus Truncate(const std::string& path,
                    std::size_t size,
                    const IOOptions& /*options*/,
                    IODebugContext* /*context*/) override {
    const bool cut = ::truncate(path.c_str(), static_cast<off_t>(size)) == 0;
    if (!cut && errno == ENOENT) return IOStatus::PathNotFound(path);
    return cut ? IOStatus::OK() : io_error("cut", path);
  }
  IOStatus LockFile(const std::string& path,
                    const IOOptions& options,
                    rocksdb::FileLock** lock,
                    IODebugContext* context) override {
    const IOStatus status = target()->LockFile(path, options, lock, context);
    return status.ok() ? owner_only(path) : status;
  }

 private:
  static IOStatus owner_only(const std::string& path) {
    return ::chmod(path.c_str(), 0600) == 0 ? IOStatus::OK() : io_error("set the rights of", path);
  }

  WalState& state_;
};

}  // namespace

void WalState::made(std::string path) {
  const std::scoped_lock lock(mutex_);
  files_.push_back({.path = std::move(path)});
}

void WalState::written(const std::string& path, std::uint64_t bytes) {
  const std::scoped_lock lock(mutex_);
  if (const auto file = std::ranges::find(files_, path, &File::path); file != files_.end())
    file->written = bytes;
}

void WalState::keep() {
  const std::scoped_lock lock(mutex_);
  if (files_.empty()) return;
  files_.erase(files_.begin(), std::prev(files_.end()));
  files_.back().kept = files_.back().written;
}

std::vector<WalState::Cut> WalState::cuts() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Cut> cuts;
  cuts.reserve(files_.size());
  for (const File& file : files_) cuts.push_back({file.path, file.kept});
  return cuts;
}

void WalState::forget() {
  const std::scoped_lock lock(mutex_);
  files_.clear();
}

std::unique_ptr<rocksdb::Env> make_environment(WalState& state, const WrapFiles& wrap) {
  std::shared_ptr<rocksdb::FileSystem> files = std::make_shared<Files>(state);
  return rocksdb::NewCompositeEnv(wrap ? wrap(files) : files);
}

}  // namespace tapal::spool
