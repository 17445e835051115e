#include "drivers/rocksdb/database.h"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <mutex>

#include <rocksdb/cache.h>
#include <rocksdb/file_system.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include "drivers/rocksdb/file.h"

namespace tapal::spool {
namespace {

std::string big_endian(std::uint64_t number) {
  std::string bytes(8, '\0');
  for (std::size_t i = 8; i-- > 0; number >>= 8U) bytes[i] = static_cast<char>(number & 0xffU);
  return bytes;
}
std::uint64_t from_big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) number = number << 8U | static_cast<unsigned char>(c);
  return number;
}

std::unexpected<Error> database_error(const rocksdb::Status& status) {
  const bool is_full = status.IsNoSpace() || status.subcode() == rocksdb::Status::kNoSpace ||
                       status.subcode() == rocksdb::Status::kSpaceLimit;
  return fail(is_full ? Code::full : Code::internal, "the spool's database: " + status.ToString());
}

// RocksDB's own logger writes a file, and aborts the program at its second failing write (Debian
// builds the library with assertions). Its warnings go to our log instead.
class LogBridge final : public rocksdb::Logger {
 public:
  explicit LogBridge(Log* log) : Logger(rocksdb::InfoLogLevel::WARN_LEVEL), log_(log) {}
  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    std::array<char, 512> line{};
    if (log_ == nullptr) return;
    std::vsnprintf(line.data(), line.size(), format, arguments);
    // A checkpoint keeps files from being deleted, twice over, and is warned of that.
    if (std::string_view(line.data()).contains("File Deletions ")) return;
    log_->write(Level::warning, "spool database", {{"text", line.data()}});
  }

 private:
  Log* log_;
};

// Memory is written out before its log can go, so what new mail must leave free has to hold it:
// otherwise a full disk could not even be worked off. Two buffers exist.
std::size_t write_buffer_bytes(const RocksdbStoreOptions& from) {
  constexpr std::uint64_t least = 1024UL * 1024;
  const std::uint64_t room = std::max(from.min_free_bytes / 2, least);
  return static_cast<std::size_t>(std::min<std::uint64_t>(from.write_buffer_bytes, room));
}

rocksdb::Options database_options(const RocksdbStoreOptions& from, rocksdb::Env* environment) {
  const std::size_t buffer_bytes = write_buffer_bytes(from);
  rocksdb::Options options;
  options.env = environment;
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.avoid_flush_during_recovery = true;  // opening must work with little room on the disk
  options.max_total_wal_size = from.wal_bytes_max;
  options.write_buffer_size = buffer_bytes;
  options.max_write_buffer_number = 2;
  options.allow_concurrent_memtable_write = false;  // one thread writes
  options.enable_write_thread_adaptive_yield = false;
  // Records of a kind come in the order of their ids: each is looked for beside the one before.
  options.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(1));
  options.compression = rocksdb::kNoCompression;
  options.bytes_per_sync = 1024UL * 1024;
  options.target_file_size_base = buffer_bytes;
  options.max_bytes_for_level_base = 8 * buffer_bytes;
  options.max_background_jobs = 2;
  options.max_open_files = 256;
  options.skip_stats_update_on_db_open = true;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.max_bgerror_resume_count = 0;  // the commit thread reopens, see commit_thread.cc
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(from.block_cache_bytes, 2);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  // A file half of whose records are removals is compacted soon, and gives its room back.
  options.table_properties_collector_factories.push_back(
      rocksdb::NewCompactOnDeletionCollectorFactory(0, 0, 0.5));
  return options;
}

// About what compaction would leave of the tables: each removal takes a record along.
std::uint64_t bytes_left(const rocksdb::TablePropertiesCollection& tables) {
  std::uint64_t bytes = 0, entries = 0, removals = 0;
  for (const auto& [name, table] : tables) {
    bytes += table->raw_key_size + table->raw_value_size;
    entries += table->num_entries;
    removals += table->num_deletions;
  }
  if (entries <= 2 * removals) return 0;
  return bytes / (entries - removals) * (entries - 2 * removals);
}

}  // namespace

std::string key_of(Record record, QueueId id) {
  return static_cast<char>(record) + big_endian(id.value);
}

std::optional<QueueId> id_of(std::string_view key) {
  if (key.size() != 9) return {};
  return QueueId{from_big_endian(key.substr(1))};
}

std::string file_record(std::uint64_t bytes, std::string_view head) {
  return big_endian(bytes).append(head);
}

Result<std::pair<std::uint64_t, std::string>> read_file_record(std::string_view value) {
  if (value.size() < 8) return fail(Code::internal, "the spool has a damaged body record");
  return std::pair(from_big_endian(value.substr(0, 8)), std::string(value.substr(8)));
}

std::string key_of(RecordKind kind, std::string_view key) {
  return std::string{'r', static_cast<char>(kind)}.append(key);
}

Database::Database(const RocksdbStoreOptions& options, Log* log)
    : path_(options.folder + "/records"),
      environment_(make_environment(wal_, options.wrap_files)),
      options_(database_options(options, environment_.get())) {
  options_.info_log = std::make_shared<LogBridge>(log);
}

Database::~Database() {
  if (!db_) return;
  // What the log holds is safe without this; a clean end just makes the next start short.
  db_->Flush(rocksdb::FlushOptions()).PermitUncheckedError();
  db_->Close().PermitUncheckedError();
}

Result<void> Database::open() {
  TAPAL_CHECK(make_folder(path_));
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options_, path_, &db);
  if (!status.ok()) return database_error(status);
  db_.reset(db);
  return {};
}

Result<void> Database::reopen() {
  const std::unique_lock lock(mutex_);
  db_.reset();
  TAPAL_CHECK(cut_refused());
  TAPAL_CHECK(open());
  // What was read from the old log may not be on stable storage, and no later sync is of that log:
  // a power cut would lose it and keep what comes after it.
  const rocksdb::Status flushed = db_->Flush(rocksdb::FlushOptions());
  if (!flushed.ok()) return database_error(flushed);
  return {};
}

// No sync: after a power cut a refused change may be there, and is then there as a whole.
Result<void> Database::cut_refused() {
  for (const auto& [path, bytes_kept] : wal_.cuts()) {
    const auto status = environment_->GetFileSystem()->Truncate(path, bytes_kept, {}, nullptr);
    if (!status.ok() && !status.IsPathNotFound()) return database_error(status);
  }
  wal_.forget();
  return {};
}

Result<void> Database::write(rocksdb::WriteBatch& batch, Durability durability) {
  rocksdb::WriteOptions options;
  options.sync = durability == Durability::synced;
  const std::shared_lock lock(mutex_);
  if (!db_) return fail(Code::internal, "the spool's database is closed after an error");
  const rocksdb::Status status = db_->Write(options, &batch);
  if (!status.ok()) return database_error(status);
  wal_.keep();
  return {};
}

Result<void> Database::sync_log() {
  const std::shared_lock lock(mutex_);
  if (!db_) return fail(Code::internal, "the spool's database is closed after an error");
  const rocksdb::Status status = db_->SyncWAL();
  if (!status.ok()) return database_error(status);
  return {};
}

Result<void> Database::reclaim(std::uint64_t room_bytes) {
  const std::shared_lock lock(mutex_);
  if (!db_) return fail(Code::internal, "the spool's database is closed after an error");
  rocksdb::Status status = db_->Flush(rocksdb::FlushOptions());
  rocksdb::TablePropertiesCollection tables;
  if (status.ok()) status = db_->GetPropertiesOfAllTables(&tables);
  if (status.ok() && bytes_left(tables) <= room_bytes)
    status = db_->CompactRange(rocksdb::CompactRangeOptions(), nullptr, nullptr);
  if (!status.ok()) return database_error(status);
  return {};
}

Result<void> Database::checkpoint(const std::string& folder) const {
  const std::shared_lock lock(mutex_);
  if (!db_) return fail(Code::try_later, "the spool's database is closed after an error");
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(db_.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> maker(made);
  if (status.ok()) status = maker->CreateCheckpoint(folder);
  if (!status.ok()) return database_error(status);
  return make_folder(folder);  // its rights
}

Result<std::optional<std::string>> Database::get(const std::string& key) const {
  const std::shared_lock lock(mutex_);
  if (!db_) return fail(Code::try_later, "the spool's database is closed after an error");
  std::string value;
  const rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), key, &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  if (!status.ok()) return database_error(status);
  return std::optional<std::string>(std::move(value));
}

Result<void> Database::scan(QueueId after,
                            std::move_only_function<bool(QueueId, std::string_view)> each) const {
  const std::shared_lock lock(mutex_);
  if (!db_) return fail(Code::try_later, "the spool's database is closed after an error");
  const std::string end(1, static_cast<char>(Record::state) + 1);
  const rocksdb::Slice upper(end);
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options));
  for (at->Seek(key_of(Record::state, after)); at->Valid(); at->Next()) {
    const auto id = id_of(at->key().ToStringView());
    if (id && *id != after && !each(*id, at->value().ToStringView())) break;
  }
  if (!at->status().ok()) return database_error(at->status());
  return {};
}

Result<QueueId> Database::newest() const {
  const std::shared_lock lock(mutex_);
  if (!db_) return fail(Code::try_later, "the spool's database is closed after an error");
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(rocksdb::ReadOptions()));
  at->SeekForPrev(key_of(Record::state, QueueId{UINT64_MAX}));
  if (!at->status().ok()) return database_error(at->status());
  const std::string state(1, static_cast<char>(Record::state));
  if (!at->Valid() || !at->key().starts_with(state)) return QueueId{};
  return id_of(at->key().ToStringView()).value_or(QueueId{});
}

Result<void> Database::scan_prefix(
    const std::string& prefix,
    std::move_only_function<void(std::string_view key, std::string_view value)> each) const {
  const std::shared_lock lock(mutex_);
  if (!db_) return fail(Code::try_later, "the spool's database is closed after an error");
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options));
  for (at->Seek(prefix); at->Valid() && at->key().starts_with(prefix); at->Next())
    each(at->key().ToStringView(), at->value().ToStringView());
  if (!at->status().ok()) return database_error(at->status());
  return {};
}

}  // namespace tapal::spool
