#include "drivers/rocksdb/wal_files.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

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
  LogFile(FileDescriptor file, std::string path, std::atomic<std::uint64_t>& syncs)
      : file_(std::move(file)), path_(std::move(path)), syncs_(syncs) {}

  using FSWritableFile::Append;
  IOStatus Append(const rocksdb::Slice& data,
                  const IOOptions& /*options*/,
                  IODebugContext* /*context*/) override {
    const std::uint64_t end = size_ + data.size();
    if (end > ready_) write_ahead(end);
    const IOStatus written = write_at(size_, {data.data(), data.size()});
    if (written.ok()) size_ = end;
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
    ++syncs_;
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
  std::atomic<std::uint64_t>& syncs_;
  std::uint64_t size_ = 0;   // of the log's records
  std::uint64_t ready_ = 0;  // bytes allocated and initialised
};

class Files final : public rocksdb::FileSystemWrapper {
 public:
  explicit Files(std::atomic<std::uint64_t>& syncs)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), syncs_(syncs) {}
  const char* Name() const override { return "tapal"; }

  IOStatus NewWritableFile(const std::string& path,
                           const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext* context) override {
    if (path.ends_with(".log")) {
      FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
      if (!file.is_open()) return io_error("make", path);
      *result = std::make_unique<LogFile>(std::move(file), path, syncs_);
      return IOStatus::OK();
    }
    const IOStatus status = target()->NewWritableFile(path, options, result, context);
    return status.ok() ? owner_only(path) : status;
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

  std::atomic<std::uint64_t>& syncs_;
};

}  // namespace

std::unique_ptr<rocksdb::Env> make_environment(std::atomic<std::uint64_t>& syncs,
                                               const WrapFiles& wrap) {
  std::shared_ptr<rocksdb::FileSystem> files = std::make_shared<Files>(syncs);
  return rocksdb::NewCompositeEnv(wrap ? wrap(files) : files);
}

}  // namespace tapal::spool
