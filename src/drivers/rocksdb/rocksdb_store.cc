#include "drivers/rocksdb/rocksdb_store.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>

#include "drivers/rocksdb/body_folder.h"
#include "drivers/rocksdb/commit_thread.h"
#include "drivers/rocksdb/database.h"
#include "drivers/rocksdb/file.h"

namespace tapal {

using spool::FileDescriptor;
using spool::key_of;
using spool::Record;

namespace {

bool is_file(const spool::Pending::Added& added) { return added.large != nullptr; }

// What is left of a checkpoint keeps the room of what was delivered since.
void remove_checkpoint(const std::string& folder) {
  std::error_code ignored;  // what stays is in the way of the next, which then tells
  std::filesystem::remove_all(folder, ignored);
}

}  // namespace

std::string checkpoint_folder(const std::string& spool) { return spool + "/checkpoint/spool"; }

class RocksdbStore::Engine {
 public:
  Engine(RocksdbStoreOptions from, Log* to)
      : options(std::move(from)),
        log(to),
        database(options, log),
        bodies(options.folder + "/bodies"),
        commits(options, database, bodies, log) {}

  Result<void> open();
  Result<void> remove_orphans();
  Result<void> checkpoint_in(const std::string& folder);
  // co_await written(pending): by the commit thread, with pending.result.
  auto written(spool::Pending& pending) {
    struct Wait {
      spool::CommitThread& commits;
      spool::Pending& pending;
      bool await_ready() const noexcept { return false; }
      bool await_suspend(std::coroutine_handle<> waiter) {
        pending.waiter = waiter;
        return commits.enqueue(pending);
      }
      void await_resume() const noexcept {}
    };
    return Wait{commits, pending};
  }
  Task<Result<void>> keep_files(Loop& loop, const spool::Pending& pending);
  Result<void> keep_files_here(const spool::Pending& pending);
  void drop_files(const spool::Pending& pending);
  void tell(Level level, std::string_view event, QueueId id, std::string reason) const {
    if (log != nullptr) log->write(level, event, {{"queue_id", id.text()}, {"reason", reason}});
  }

  RocksdbStoreOptions options;
  Log* log;
  FileDescriptor lock;
  spool::Database database;
  spool::BodyFolder bodies;
  QueueIds ids;
  spool::CommitThread commits;  // last: it uses the others
};

Result<void> RocksdbStore::Engine::open() {
  TAPAL_CHECK(spool::make_folder(options.folder));
  const std::string path = options.folder + "/lock";
  lock = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock.is_open()) return spool::system_error("open", path);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return spool::system_error("lock", path);
    return fail(Code::denied, "another tapal uses the spool " + options.folder);
  }
  remove_checkpoint(checkpoint_folder(options.folder));
  TAPAL_CHECK(bodies.prepare());
  TAPAL_CHECK(database.open());
  TAPAL_TRY(const auto newest, database.newest());
  ids.continue_after(newest);
  TAPAL_CHECK(remove_orphans());
  commits.start();
  return {};
}

Result<void> RocksdbStore::Engine::remove_orphans() {
  TAPAL_TRY(const std::vector<QueueId> files, bodies.list());
  std::vector<QueueId> named;
  for (const QueueId id : files) {
    TAPAL_TRY(const auto record, database.get(key_of(Record::file, id)));
    if (record) {
      named.push_back(id);
      continue;
    }
    bodies.remove(id);
    tell(Level::info, "unused body removed", id, "no message names it");
  }
  commits.know_files(named);
  return {};
}

// A body is a file before a record names it, and stays one while removals wait: each that the
// records of this moment name gets its second name. Others' are removed when the copy is opened.
Result<void> RocksdbStore::Engine::checkpoint_in(const std::string& folder) {
  const auto nothing_removed = commits.put_off_removals();
  TAPAL_CHECK(database.checkpoint(folder + "/records"));
  return bodies.link_into(folder + "/bodies");
}

Task<Result<void>> RocksdbStore::Engine::keep_files(Loop& loop, const spool::Pending& pending) {
  if (std::ranges::none_of(pending.added, &is_file)) co_return Result<void>();
  if (options.workers == nullptr) co_return keep_files_here(pending);
  auto keep = [this, &pending] { return keep_files_here(pending); };
  auto kept = co_await run_on(*options.workers, loop, std::move(keep));
  if (!kept) co_return fail(Code::full, "too many bodies wait for the spool's disk");
  co_return *std::move(kept);
}

Result<void> RocksdbStore::Engine::keep_files_here(const spool::Pending& pending) {
  for (const auto& added : pending.added) {
    if (!is_file(added)) continue;
    TAPAL_CHECK(bodies.keep(*added.large, added.id));
  }
  return {};
}

void RocksdbStore::Engine::drop_files(const spool::Pending& pending) {
  for (const auto& added : pending.added)
    if (is_file(added)) bodies.remove(added.id);
}

RocksdbStore::RocksdbStore(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
RocksdbStore::~RocksdbStore() = default;

Result<std::unique_ptr<RocksdbStore>> RocksdbStore::open(RocksdbStoreOptions options, Log* log) {
  auto engine = std::make_unique<Engine>(std::move(options), log);
  TAPAL_CHECK(engine->open());
  return std::unique_ptr<RocksdbStore>(new RocksdbStore(std::move(engine)));
}

QueueId RocksdbStore::new_id(WallTime now) { return engine_->ids.next(now); }

std::unique_ptr<BodyWriter> RocksdbStore::new_body() {
  return engine_->bodies.writer(
      {engine_->options.body_in_record_bytes_max, engine_->options.bodies_in_memory_bytes_max});
}

Task<Result<std::vector<BodyPtr>>> RocksdbStore::commit(Loop& loop,
                                                        StoreChange change,
                                                        Durability durability) {
  spool::Pending pending = spool::encode(std::move(change), durability);
  pending.loop = &loop;
  auto kept = co_await engine_->keep_files(loop, pending);
  if (kept)
    co_await engine_->written(pending);
  else
    pending.result = std::unexpected(std::move(kept).error());
  if (!pending.result && !pending.files_stay) engine_->drop_files(pending);
  co_return std::move(pending.result);
}

Result<BodyPtr> RocksdbStore::load_body(QueueId id) {
  TAPAL_TRY(auto small, engine_->database.get(key_of(Record::body, id)));
  if (small) return std::make_shared<MemoryBody>(*std::move(small));
  TAPAL_TRY(const auto record, engine_->database.get(key_of(Record::file, id)));
  if (!record) return fail(Code::not_found, "no body of message " + id.text() + " in the spool");
  TAPAL_TRY(auto file, spool::read_file_record(*record));
  return engine_->bodies.load(id, std::move(file.second), file.first);
}

Result<queue::Message> RocksdbStore::load(QueueId id) {
  TAPAL_TRY(const auto state, engine_->database.get(key_of(Record::state, id)));
  if (!state) return fail(Code::not_found, "no message " + id.text() + " in the spool");
  return queue::message_from_json(*state);
}

Result<void> RocksdbStore::scan(QueueId after, std::move_only_function<bool(queue::Message)> each) {
  return engine_->database.scan(after, [&](QueueId id, std::string_view state) {
    Result<queue::Message> message = queue::message_from_json(state);
    if (!message) {  // it stays where it is, for a newer tapal or a person to read
      engine_->tell(Level::error, "message left in the spool", id, message.error().what);
      return true;
    }
    return each(*std::move(message));
  });
}

Result<std::optional<std::string>> RocksdbStore::read_record(RecordKind kind,
                                                             std::string_view key) {
  return engine_->database.get(key_of(kind, key));
}

Result<void> RocksdbStore::read_records(
    RecordKind kind, std::move_only_function<void(std::string_view, std::string_view)> each) {
  const auto prefix = key_of(kind, "");
  return engine_->database.scan_prefix(prefix, [&](std::string_view key, std::string_view value) {
    each(key.substr(prefix.size()), value);
  });
}

Task<Result<void>> RocksdbStore::change_records(Loop& loop, RecordKind kind, RecordsChange change) {
  spool::Pending pending = spool::encode(kind, std::move(change));
  pending.loop = &loop;
  co_await engine_->written(pending);
  if (!pending.result) co_return std::unexpected(std::move(pending.result).error());
  co_return Result<void>();
}

std::uint64_t RocksdbStore::free_bytes() const {
  const std::uint64_t free = engine_->commits.disk_free_bytes();
  return free > engine_->options.min_free_bytes ? free - engine_->options.min_free_bytes : 0;
}

Result<std::string> RocksdbStore::checkpoint() {
  auto folder = checkpoint_folder(engine_->options.folder);
  remove_checkpoint(folder);
  TAPAL_CHECK(spool::make_folder(std::filesystem::path(folder).parent_path()));
  TAPAL_CHECK(spool::make_folder(folder));
  if (auto made = engine_->checkpoint_in(folder); !made) {
    remove_checkpoint(folder);
    return std::unexpected(std::move(made).error());
  }
  return folder;
}

RocksdbCounters RocksdbStore::counters() const {
  RocksdbCounters counters;
  counters.syncs = engine_->database.log_syncs() + engine_->bodies.syncs();
  engine_->commits.add_counters(counters);
  return counters;
}

}  // namespace tapal
