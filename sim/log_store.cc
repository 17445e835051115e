#include "sim/log_store.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace tapal::sim {
namespace {

constexpr std::uint64_t free_bytes_of_a_well_disk = 1ULL << 30U;

std::string log_name(std::uint64_t number) { return fmt::format("log.{:08}", number); }

std::unexpected<Error> missing(QueueId id) {
  return fail(Code::not_found, "no message " + id.text() + " in the spool");
}

}  // namespace

struct LogStore::Counter {
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<std::uint64_t> bodies = 0;
};

class LogStore::Writer final : public BodyWriter {
 public:
  Writer(Mount mount, std::shared_ptr<Counter> counter)
      : mount_(mount), counter_(std::move(counter)) {}
  ~Writer() override { counter_->bytes -= bytes_.size(); }
  Result<void> append(std::string_view bytes) override {
    if (mount_.is_full()) return fail(Code::full, "no space left on the disk");
    bytes_ += bytes;
    counter_->bytes += bytes.size();
    return {};
  }
  void set_head(std::string head) override {
    counter_->bytes += head.size();
    bytes_.insert(0, head);
  }
  std::uint64_t size() const override { return bytes_.size(); }
  Result<std::size_t> read(std::uint64_t offset, std::span<char> into) const override {
    return offset < bytes_.size() ? bytes_.copy(into.data(), into.size(), offset) : 0;
  }
  std::shared_ptr<const std::string> share_bytes() const {
    return std::make_shared<const std::string>(bytes_);
  }

 private:
  Mount mount_;
  std::shared_ptr<Counter> counter_;
  std::string bytes_;
};

class LogStore::HandedBody final : public Body {
 public:
  HandedBody(std::shared_ptr<const std::string> bytes,
             std::shared_ptr<Counter> counter,
             bool garbled)
      : bytes_(std::move(bytes)), counter_(std::move(counter)), garbled_(garbled) {
    counter_->bytes += bytes_->size();
    ++counter_->bodies;
  }
  ~HandedBody() override {
    counter_->bytes -= bytes_->size();
    --counter_->bodies;
  }
  HandedBody(const HandedBody&) = delete;
  HandedBody& operator=(const HandedBody&) = delete;
  std::uint64_t size() const override { return bytes_->size(); }
  Result<std::size_t> read(std::uint64_t offset, std::span<char> into) const override {
    if (offset >= bytes_->size()) return std::size_t{0};
    const std::size_t count = bytes_->copy(into.data(), into.size(), offset);
    if (garbled_ && count > 0) into[count / 2] = into[count / 2] == 'x' ? 'y' : 'x';
    return count;
  }

 private:
  std::shared_ptr<const std::string> bytes_;
  std::shared_ptr<Counter> counter_;
  bool garbled_;
};

LogStore::LogStore(Mount mount, Options options)
    : mount_(mount), options_(std::move(options)), counter_(std::make_shared<Counter>()) {}

Result<std::unique_ptr<LogStore>> LogStore::open(Mount mount, Options options) {
  auto store = std::unique_ptr<LogStore>(new LogStore(mount, std::move(options)));
  store->recover();
  // On a disk in trouble the new log comes with the first commit.
  static_cast<void>(store->begin_log());
  return store;
}

// The newest log that begins with its snapshot, up to its first record that is not whole.
void LogStore::recover() {
  const auto checksum =
      options_.fault == Fault::half_recovery ? Checksum::ignored : Checksum::required;
  const std::vector<std::string> names = mount_.list();
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    const std::uint64_t there = std::stoull(name->substr(name->find('.') + 1));
    log_number_ = std::max(log_number_, there);
    const std::string log = mount_.read(*name);
    std::string_view rest = log;
    auto first = decode(rest);
    if (!first || first->kind != LogRecord::Kind::snapshot) continue;
    std::uint64_t number = first->number;
    apply(*std::move(first));
    while (auto record = decode(rest, checksum)) {
      if (record->number != ++number) break;
      apply(*std::move(record));
    }
    break;
  }
  if (options_.fault == Fault::forgetful_recovery && !messages_.empty())
    messages_.erase(messages_.begin());
}

std::unique_ptr<BodyWriter> LogStore::new_body() {
  return std::make_unique<Writer>(mount_, counter_);
}

LogStore::Pending LogStore::encode_change(StoreChange change, Durability durability) {
  Pending pending;
  pending.durability = durability;
  for (const StoreChange::NewMessage& added : change.added) {
    const auto& writer = static_cast<const Writer&>(*added.body);
    pending.record.puts.push_back(
        {added.message.id, queue::to_json(added.message), writer.share_bytes()});
  }
  for (const queue::Message& message : change.updated)
    pending.record.puts.push_back({message.id, queue::to_json(message), {}});
  pending.record.removed = std::move(change.removed);
  return pending;
}

Task<Result<std::vector<BodyPtr>>> LogStore::commit(Loop& loop,
                                                    StoreChange change,
                                                    Durability durability) {
  struct Wait {
    LogStore& store;
    Pending& pending;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
      pending.waiter = waiter;
      store.enqueue(pending);
    }
    void await_resume() const noexcept {}
  };
  Pending pending = encode_change(std::move(change), durability);
  pending.loop = &loop;
  Wait wait{*this, pending};
  co_await wait;
  co_return std::move(pending.result);
}

QueueId LogStore::new_id(WallTime now) {
  const std::scoped_lock lock(mutex_);
  if (options_.fault != Fault::repeated_name || last_given_ == QueueId{})
    return last_given_ = ids_.next(now);
  return std::exchange(last_given_, {});
}

void LogStore::apply(LogRecord record) {
  for (LogRecord::Put& put : record.puts) {
    if (put.body) {
      ids_.continue_after(put.id);
      messages_.insert_or_assign(put.id, Kept{std::move(put.state), std::move(put.body)});
    } else if (const auto found = messages_.find(put.id); found != messages_.end()) {
      found->second.state = std::move(put.state);
    }
  }
  if (options_.fault == Fault::removal_forgotten && record.kind == LogRecord::Kind::change) return;
  for (const QueueId id : record.removed) messages_.erase(id);
}

LogRecord LogStore::snapshot() const {
  LogRecord record;
  record.kind = LogRecord::Kind::snapshot;
  for (const auto& [id, kept] : messages_) record.puts.push_back({id, kept.state, kept.body});
  return record;
}

// The old logs go when the new one is on the platter for certain.
Result<void> LogStore::begin_log() {
  const std::vector<std::string> old = mount_.list();
  log_ = log_name(++log_number_);
  next_record_ = 1;
  if (const auto written = write_snapshot(); !written) {
    mount_.remove(log_);
    return written;
  }
  for (const std::string& name : old) mount_.remove(name);
  broken_ = false;
  return {};
}

Result<void> LogStore::write_snapshot() {
  TAPAL_CHECK(mount_.append(log_, encode(snapshot())));
  TAPAL_CHECK(mount_.sync(log_));
  return mount_.sync_folder();
}

void LogStore::enqueue(Pending& pending) {
  const std::scoped_lock lock(mutex_);
  waiting_.push_back(&pending);
  while (!busy_ && !waiting_.empty()) begin_group();
}

// All that wait share one write and, when any of them asks for it, one sync.
void LogStore::begin_group() {
  busy_ = true;
  group_.swap(waiting_);
  group_result_ = write_group();
  const bool sync = std::ranges::any_of(
      group_, [](const Pending* one) { return one->durability == Durability::synced; });
  if (!sync || !group_result_ || options_.fault == Fault::ack_before_sync) return end_group();
  auto finish = [this] {
    const std::scoped_lock lock(mutex_);
    ++syncs_;
    group_result_ = mount_.sync(log_);
    end_group();
    while (!busy_ && !waiting_.empty()) begin_group();
  };
  if (options_.after_disk_time)
    options_.after_disk_time(std::move(finish));
  else
    finish();
}

Result<void> LogStore::write_group() {
  if (mount_.is_full()) return fail(Code::full, "no space left on the disk");
  if (broken_) {
    TAPAL_CHECK(begin_log());
  }
  for (Pending* pending : group_) {
    pending->record.number = next_record_++;
    TAPAL_CHECK(mount_.append(log_, encode(pending->record)));
  }
  return {};
}

void LogStore::end_group() {
  if (!group_result_) broken_ = true;
  for (Pending* pending : std::exchange(group_, {})) {
    if (group_result_) {
      for (const LogRecord::Put& put : pending->record.puts)
        if (put.body) pending->result->push_back(hand_out(put.body));
      apply(std::move(pending->record));
    } else {
      pending->result = std::unexpected(group_result_.error());
    }
    pending->loop->post([waiter = pending->waiter] { waiter.resume(); });
  }
  busy_ = false;
}

BodyPtr LogStore::hand_out(const std::shared_ptr<const std::string>& bytes) const {
  return std::make_shared<HandedBody>(bytes, counter_, options_.fault == Fault::garbled_body);
}

Result<BodyPtr> LogStore::load_body(QueueId id) {
  const std::scoped_lock lock(mutex_);
  if (!mount_.has_power()) return fail(Code::internal, "there is no power");
  const auto found = messages_.find(id);
  if (found == messages_.end()) return missing(id);
  return hand_out(found->second.body);
}

Result<queue::Message> LogStore::load(QueueId id) {
  const std::scoped_lock lock(mutex_);
  const auto found = messages_.find(id);
  if (found == messages_.end()) return missing(id);
  return queue::message_from_json(found->second.state);
}

Result<void> LogStore::scan(QueueId after, std::move_only_function<bool(queue::Message)> each) {
  const std::scoped_lock lock(mutex_);
  for (auto at = messages_.upper_bound(after); at != messages_.end(); ++at) {
    TAPAL_TRY(auto message, queue::message_from_json(at->second.state));
    if (!each(std::move(message))) break;
  }
  return {};
}

std::uint64_t LogStore::free_bytes() const {
  return mount_.is_full() ? 0 : free_bytes_of_a_well_disk;
}

BodyCount LogStore::bodies_out() const { return {counter_->bytes, counter_->bodies}; }

std::size_t LogStore::size() const {
  const std::scoped_lock lock(mutex_);
  return messages_.size();
}

}  // namespace tapal::sim
