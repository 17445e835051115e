#include "drivers/rocksdb/commit_thread.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fcntl.h>
#include <pthread.h>
#include <sys/statvfs.h>

namespace tapal::spool {
namespace {

constexpr std::size_t batch_kept_bytes_max = 4UL * 1024 * 1024;  // between groups

// Opening the database writes several small files. While the disk takes none, the database stays as
// it is: it can still be read.
Result<void> try_disk(const std::string& path) {
  constexpr std::size_t probe_bytes = 1024UL * 1024;
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.is_open()) return system_error("make", path);
  Result<void> result = write_all(file.get(), std::string(probe_bytes, '\0'), path);
  if (result && ::fdatasync(file.get()) != 0) result = system_error("sync", path);
  ::unlink(path.c_str());
  return result;
}

bool is_fine(const Pending* pending) { return pending->result.has_value(); }

void add_records(Pending& pending, RecordKind kind, RecordsChange change) {
  for (auto& [key, value] : change.put) {
    key = key_of(kind, key);
    pending.bytes += key.size() + value.size();
  }
  for (auto& key : change.removed) {
    key = key_of(kind, key);
    pending.bytes += key.size();
  }
  pending.records = std::move(change);
}

}  // namespace

Pending encode(StoreChange change, Durability durability) {
  Pending pending;
  pending.durability = durability;
  for (StoreChange::NewMessage& each : change.added) {
    Pending::Added& added = pending.added.emplace_back();
    added.id = each.message.id;
    added.state = to_json(each.message);
    pending.bytes += added.state.size();
    // The store is only given writers that it made.
    std::unique_ptr<SpoolWriter> writer(static_cast<SpoolWriter*>(each.body.release()));
    if (writer->is_file()) {
      pending.bytes += writer->head().size();
      added.large = std::move(writer);
    } else {
      added.small = std::make_shared<MemoryBody>(writer->take_memory());
      pending.bytes += added.small->size();
    }
  }
  for (const queue::Message& message : change.updated) {
    pending.updated.push_back({message.id, to_json(message)});
    pending.bytes += pending.updated.back().state.size();
  }
  pending.removed = std::move(change.removed);
  // What takes another's place is asked for again under its name until it is kept.
  pending.files_stay = !pending.updated.empty() || !pending.removed.empty();
  add_records(pending, RecordKind::return_path, std::move(change.return_paths));
  return pending;
}

Pending encode(RecordKind kind, RecordsChange change) {
  Pending pending;
  pending.durability = Durability::relaxed;
  add_records(pending, kind, std::move(change));
  return pending;
}

CommitThread::CommitThread(const RocksdbStoreOptions& options,
                           Database& database,
                           BodyFolder& bodies,
                           Log* log)
    : options_(options), database_(database), bodies_(bodies), log_(log) {}

CommitThread::~CommitThread() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void CommitThread::start() {
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "spool-commit");
}

void CommitThread::know_files(std::span<const QueueId> ids) {
  const std::scoped_lock lock(files_mutex_);
  files_.insert(ids.begin(), ids.end());
}

bool CommitThread::has_file(QueueId id) const {
  const std::scoped_lock lock(files_mutex_);
  return files_.contains(id);
}

std::uint64_t CommitThread::disk_free_bytes() const {
  struct statvfs about{};
  if (::statvfs(options_.folder.c_str(), &about) != 0) return 0;
  return std::uint64_t{about.f_bavail} * about.f_frsize;
}

void CommitThread::add_counters(RocksdbCounters& counters) const {
  counters.commits += commits_;
  counters.groups += groups_;
  counters.messages_added += added_;
  counters.bytes += bytes_;
  counters.failures += failures_;
}

bool CommitThread::enqueue(Pending& pending) {
  bool notify = false;
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() >= options_.commits_waiting_max) {
      pending.result = fail(Code::full, "too many changes wait for the spool's disk");
      return false;
    }
    notify = waiting_.empty();
    waiting_.push_back(&pending);
    if (pending.durability == Durability::synced) {
      ++synced_waiting_;
      notify |= synced_waiting_ == 1 || synced_waiting_ == synced_expected_;
    }
  }
  if (notify) arrived_.notify_one();
  return true;
}

void CommitThread::run() {
  std::vector<Pending*> group;
  while (take(group)) {
    if (group.empty()) {
      sync_relaxed();
      continue;
    }
    write(group);
    wake(group);
  }
  if (unsynced_) sync_relaxed();
}

// False when nothing came while relaxed changes waited to be synced.
bool CommitThread::await_work(std::unique_lock<std::mutex>& lock) {
  const auto something = [this] { return stopping_ || !waiting_.empty(); };
  if (!unsynced_)
    arrived_.wait(lock, something);
  else if (!arrived_.wait_for(lock, options_.relaxed_sync_after, something))
    return false;
  const auto one_to_sync = [this] { return stopping_ || synced_waiting_ > 0; };
  if (!arrived_.wait_for(lock, options_.relaxed_write_after, one_to_sync)) return true;
  const auto all_expected = [this] { return stopping_ || synced_waiting_ >= synced_expected_; };
  arrived_.wait_for(lock, options_.gather_max, all_expected);
  synced_expected_ = std::max<std::size_t>(1, synced_waiting_);
  return true;
}

// The next group; an empty one when relaxed changes have waited long enough. False: the end.
bool CommitThread::take(std::vector<Pending*>& group) {
  group.clear();
  if (taken_.empty()) {
    std::unique_lock lock(mutex_);
    if (!await_work(lock)) return true;
    if (waiting_.empty()) return false;
    taken_.swap(waiting_);
    synced_waiting_ = 0;
  }
  std::size_t bytes = 0;
  auto end = taken_.begin();
  do {
    bytes += (*end)->bytes;
    ++end;
  } while (end != taken_.end() && bytes + (*end)->bytes <= options_.group_bytes_max);
  group.assign(taken_.begin(), end);
  taken_.erase(taken_.begin(), end);
  return true;
}

void CommitThread::write(std::span<Pending*> group) {
  if (broken_) {
    if (const Result<void> recovered = recover(); !recovered) {
      failed(group, recovered.error());
      return;
    }
  }
  check_room(group);
  if (writes_.Data().capacity() > batch_kept_bytes_max) writes_ = rocksdb::WriteBatch();
  writes_.Clear();
  Batch batch{writes_, {}, {}, {}};
  for (Pending* pending : group) {
    if (!is_fine(pending)) continue;
    put(batch, *pending);
    put(batch, pending->records);
    if (pending->durability == Durability::synced) batch.durability = Durability::synced;
  }
  if (batch.writes.Count() != 0) {
    const Result<void> result = database_.write(batch.writes, batch.durability);
    if (!result) {
      broken_ = true;
      complain("the spool cannot write", result.error());
      refused_in_log(group);
      failed(group, result.error());
      return;
    }
    ++groups_;
    bytes_ += batch.writes.GetDataSize();
  }
  written(group, batch);
}

// New mail and records leave min_free_bytes alone; working the queue off may use them.
void CommitThread::check_room(std::span<Pending*> group) {
  std::uint64_t left = disk_free_bytes();
  for (Pending* pending : group) {
    if (pending->added.empty() && pending->records.empty()) continue;
    if (left < options_.min_free_bytes + pending->bytes) left = reclaim_room(left);
    if (left < options_.min_free_bytes + pending->bytes) {
      pending->result = fail(Code::full, "the spool's disk is full, but for its reserve");
    } else {
      left -= pending->bytes;
    }
  }
}

// What there is to reclaim fits into the room, which is little: this takes a moment.
std::uint64_t CommitThread::reclaim_room(std::uint64_t room_bytes) {
  if (std::exchange(removed_since_reclaim_, 0) == 0) return room_bytes;
  if (const Result<void> reclaimed = database_.reclaim(room_bytes); !reclaimed) {
    broken_ = true;
    complain("the spool cannot compact", reclaimed.error());
  }
  return disk_free_bytes();
}

bool CommitThread::is_there(const Batch& batch, QueueId id) const {
  if (batch.removed.contains(id)) return false;
  if (batch.added.contains(id)) return true;
  const auto found = database_.get(key_of(Record::state, id));
  return !found || found->has_value();
}

void CommitThread::put(Batch& batch, Pending& pending) {
  for (Pending::Added& added : pending.added) {
    batch.added.insert(added.id);
    batch.writes.Put(key_of(Record::state, added.id), added.state);
    if (added.small) {
      const auto key = key_of(Record::body, added.id);
      const rocksdb::Slice key_slice(key);
      const auto& [head, rest] = added.small->parts();
      const std::array<rocksdb::Slice, 2> body{head, rest};
      batch.writes.Put(rocksdb::SliceParts(&key_slice, 1), rocksdb::SliceParts(body.data(), 2));
    } else {
      batch.files.insert(added.id);
      batch.writes.Put(key_of(Record::file, added.id),
                       file_record(added.large->file_bytes(), added.large->head()));
    }
  }
  for (const Pending::Updated& updated : pending.updated) {
    // A message removed meanwhile must not come back as a state without a body.
    if (!is_there(batch, updated.id)) continue;
    batch.writes.Put(key_of(Record::state, updated.id), updated.state);
  }
  for (const QueueId id : pending.removed) {
    if (!is_there(batch, id)) continue;
    batch.removed.insert(id);
    batch.writes.Delete(key_of(Record::state, id));
    // Body records are written once, so they may be removed by SingleDelete, which vanishes
    // together with what it removes when both meet in a flush.
    const bool is_file = batch.files.contains(id) || has_file(id);
    batch.writes.SingleDelete(key_of(is_file ? Record::file : Record::body, id));
  }
}

void CommitThread::put(Batch& batch, const RecordsChange& records) {
  for (const auto& [key, value] : records.put) batch.writes.Put(key, value);
  for (const auto& key : records.removed) batch.writes.Delete(key);
}

void CommitThread::written(std::span<Pending*> group, const Batch& batch) {
  {
    const std::scoped_lock lock(files_mutex_);
    files_.insert(batch.files.begin(), batch.files.end());
    for (const QueueId id : batch.removed) {
      if (files_.erase(id) != 0) files_to_remove_.push_back(id);
    }
  }
  removed_since_reclaim_ += batch.removed.size();
  if (batch.writes.Count() != 0) unsynced_ = batch.durability == Durability::relaxed;
  if (!unsynced_) forget_removed_files();
  for (Pending* pending : group) {
    if (!is_fine(pending)) {
      ++failures_;
      continue;
    }
    ++commits_;
    added_ += pending->added.size();
    std::vector<BodyPtr>& bodies = *pending->result;
    bodies.reserve(pending->added.size());
    for (Pending::Added& added : pending->added) {
      if (added.small) {
        bodies.push_back(std::move(added.small));
      } else {
        bytes_ += added.large->file_bytes();
        bodies.push_back(added.large->take_file());
      }
    }
  }
}

// Killed now, the log would be read with all of the group in it.
void CommitThread::refused_in_log(std::span<Pending*> group) {
  for (Pending* pending : group) {
    if (!is_fine(pending) || std::exchange(pending->files_stay, true)) continue;
    for (const Pending::Added& added : pending->added)
      if (added.large) refused_files_.push_back(added.id);
  }
}

void CommitThread::failed(std::span<Pending*> group, const Error& error) {
  for (Pending* pending : group) {
    if (is_fine(pending)) pending->result = std::unexpected(error);
    ++failures_;
  }
}

void CommitThread::forget_removed_files() {
  const std::unique_lock lock(removals_mutex_, std::try_to_lock);
  if (!lock) return;  // with the next sync, then
  for (const QueueId id : files_to_remove_) bodies_.remove(id);
  files_to_remove_.clear();
}

void CommitThread::sync_relaxed() {
  // A log that has failed is not to be synced any more (Debian's RocksDB aborts): it is opened
  // anew.
  if (broken_ && !recover()) return;
  unsynced_ = false;
  if (const Result<void> synced = database_.sync_log(); !synced) {
    broken_ = true;
    complain("the spool cannot sync", synced.error());
    return;
  }
  forget_removed_files();
}

Result<void> CommitThread::recover() {
  TAPAL_CHECK(try_disk(options_.folder + "/probe"));
  TAPAL_CHECK(database_.reopen());
  for (const QueueId id : std::exchange(refused_files_, {})) bodies_.remove(id);
  broken_ = false;
  if (log_ != nullptr) log_->write(Level::warning, "the spool writes again");
  return {};
}

void CommitThread::complain(std::string_view event, const Error& error) {
  if (log_ != nullptr) log_->write(Level::error, event, {{"reason", error.what}});
}

void CommitThread::wake(std::span<Pending*> group) {
  std::vector<std::pair<Loop*, std::vector<std::coroutine_handle<>>>> by_loop;
  for (const Pending* pending : group) {
    auto place = std::ranges::find(by_loop, pending->loop, [](const auto& p) { return p.first; });
    if (place == by_loop.end()) place = by_loop.insert(by_loop.end(), {pending->loop, {}});
    place->second.push_back(pending->waiter);
  }
  for (auto& [loop, waiters] : by_loop) {
    loop->post([resumed = std::move(waiters)] {
      for (const std::coroutine_handle<> waiter : resumed) waiter.resume();
    });
  }
}

}  // namespace tapal::spool
