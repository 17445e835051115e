#include "sim/unsynced_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

namespace tapal::sim {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

IOStatus no_power() { return IOStatus::IOError("there is no power"); }

}  // namespace

class UnsyncedFiles::File final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  File(std::unique_ptr<rocksdb::FSWritableFile> file, std::string path, UnsyncedFiles& owner)
      : FSWritableFileOwnerWrapper(std::move(file)), path_(std::move(path)), owner_(owner) {}

  IOStatus Append(const rocksdb::Slice& data,
                  const IOOptions& options,
                  IODebugContext* context) override {
    if (const IOStatus status = owner_.step(); !status.ok()) return status;
    const IOStatus status = target()->Append(data, options, context);
    const std::scoped_lock lock(owner_.mutex_);
    if (status.ok()) owner_.extents_[path_].written += data.size();
    return status;
  }
  IOStatus Append(const rocksdb::Slice& data,
                  const IOOptions& options,
                  const rocksdb::DataVerificationInfo&,
                  IODebugContext* context) override {
    return Append(data, options, context);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* context) override {
    if (const IOStatus status = owner_.step(); !status.ok()) return status;
    const IOStatus status = target()->Sync(options, context);
    const std::scoped_lock lock(owner_.mutex_);
    auto& extent = owner_.extents_[path_];
    if (status.ok()) extent.synced = extent.written;
    return status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* context) override {
    return Sync(options, context);
  }

 private:
  std::string path_;
  UnsyncedFiles& owner_;
};

bool UnsyncedFiles::has_power() const {
  const std::scoped_lock lock(mutex_);
  return power_;
}

void UnsyncedFiles::cut_power() {
  const std::scoped_lock lock(mutex_);
  power_ = false;
}

IOStatus UnsyncedFiles::step() {
  const std::scoped_lock lock(mutex_);
  if (power_ && weather_.power_goes_after-- == 0) power_ = false;
  if (!power_) return no_power();
  if (weather_.fails_one_in != 0 && dice_.one_in(weather_.fails_one_in))
    return dice_.one_in(2) ? IOStatus::NoSpace("no space left") : IOStatus::IOError("broken disk");
  return IOStatus::OK();
}

IOStatus UnsyncedFiles::NewWritableFile(const std::string& path,
                                        const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSWritableFile>* result,
                                        IODebugContext* context) {
  if (!has_power()) return no_power();
  const IOStatus status = target()->NewWritableFile(path, options, result, context);
  if (!status.ok()) return status;
  *result = std::make_unique<File>(std::move(*result), path, *this);
  const std::scoped_lock lock(mutex_);
  extents_[path] = {};
  return status;
}

IOStatus UnsyncedFiles::RenameFile(const std::string& from,
                                   const std::string& to,
                                   const IOOptions& options,
                                   IODebugContext* context) {
  if (!has_power()) return no_power();
  const IOStatus status = target()->RenameFile(from, to, options, context);
  const std::scoped_lock lock(mutex_);
  if (auto moved = extents_.extract(from); status.ok() && !moved.empty())
    extents_[to] = moved.mapped();
  return status;
}

IOStatus UnsyncedFiles::DeleteFile(const std::string& path,
                                   const IOOptions& options,
                                   IODebugContext* context) {
  if (!has_power()) return no_power();
  const std::scoped_lock lock(mutex_);
  extents_.erase(path);
  return target()->DeleteFile(path, options, context);
}

// Taken as done at once, as a removal is.
IOStatus UnsyncedFiles::Truncate(const std::string& path,
                                 std::size_t size,
                                 const IOOptions& options,
                                 IODebugContext* context) {
  if (const IOStatus status = step(); !status.ok()) return status;
  const IOStatus status = target()->Truncate(path, size, options, context);
  const std::scoped_lock lock(mutex_);
  if (status.ok()) {
    auto& extent = extents_[path];
    extent.written = size;
    extent.synced = std::min<std::uint64_t>(extent.synced, size);
  }
  return status;
}

void UnsyncedFiles::lose_unsynced() {
  const std::scoped_lock lock(mutex_);
  for (const auto& [path, extent] : extents_)
    if (extent.synced < extent.written && std::filesystem::exists(path)) lose(path, extent);
}

// Some of the unsynced bytes may have reached the platter; where they did not, the file ends, or,
// being a log, holds the zeros it was prepared with.
void UnsyncedFiles::lose(const std::string& path, const Extent& extent) {
  const std::uint64_t unsynced = extent.written - extent.synced;
  const std::uint64_t kept = extent.synced + (dice_.one_in(3) ? 0 : dice_.below(unsynced + 1));
  if (!path.ends_with(".log") || dice_.one_in(2)) return std::filesystem::resize_file(path, kept);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(kept));
  const std::string zeros(extent.written - kept, '\0');
  file.write(zeros.data(), static_cast<std::streamsize>(zeros.size()));
}

}  // namespace tapal::sim
