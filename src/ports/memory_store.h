// A Store that keeps everything in memory, for tests and the simulator: same answers and order as a
// real one, nothing survives it. fail_with() plays a full or broken disk.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ports/memory_body.h"
#include "ports/store.h"
#include "ports/test_fakes.h"

namespace tapal {

class MemoryStore final : public Store {
 public:
  QueueId new_id(WallTime now) override { return ids_.next(now); }
  std::unique_ptr<BodyWriter> new_body() override { return std::make_unique<Writer>(*this); }

  Task<Result<std::vector<BodyPtr>>> commit(Loop& loop,
                                            StoreChange change,
                                            Durability durability) override {
    Result<std::vector<BodyPtr>> result = apply(std::move(change), durability);
    co_await switch_to(loop);
    co_return result;
  }

  Result<BodyPtr> load_body(QueueId id) override {
    const std::scoped_lock lock(mutex_);
    const auto found = messages_.find(id);
    if (found == messages_.end()) return missing(id);
    return found->second.body;
  }
  Result<queue::Message> load(QueueId id) override {
    const std::scoped_lock lock(mutex_);
    const auto found = messages_.find(id);
    if (found == messages_.end()) return missing(id);
    return found->second.message;
  }
  Result<void> scan(QueueId after, std::move_only_function<bool(queue::Message)> each) override {
    const std::scoped_lock lock(mutex_);
    for (auto at = messages_.upper_bound(after); at != messages_.end(); ++at)
      if (!each(at->second.message)) break;
    return {};
  }
  std::uint64_t free_bytes() const override {
    const std::scoped_lock lock(mutex_);
    return error_ ? 0 : free_bytes_;
  }

  MemoryRecords records;  // the return paths

  // Every commit and append answers this error until it is called with nothing.
  void fail_with(std::optional<Error> error) {
    const std::scoped_lock lock(mutex_);
    error_ = std::move(error);
  }
  std::size_t size() const {
    const std::scoped_lock lock(mutex_);
    return messages_.size();
  }
  std::uint64_t synced_commits() const {
    const std::scoped_lock lock(mutex_);
    return synced_commits_;
  }

 private:
  static constexpr std::uint64_t free_bytes_ = 1ULL << 40U;

  struct Kept {
    queue::Message message;
    BodyPtr body;
  };

  class Writer final : public BodyWriter {
   public:
    explicit Writer(MemoryStore& store) : store_(store) {}
    Result<void> append(std::string_view bytes) override {
      if (std::optional<Error> error = store_.error()) return std::unexpected(*std::move(error));
      bytes_ += bytes;
      return {};
    }
    void set_head(std::string head) override { bytes_.insert(0, head); }
    std::uint64_t size() const override { return bytes_.size(); }
    Result<std::size_t> read(std::uint64_t offset, std::span<char> into) const override {
      return offset < bytes_.size() ? bytes_.copy(into.data(), into.size(), offset) : 0;
    }
    BodyPtr take() { return std::make_shared<MemoryBody>(std::move(bytes_)); }

   private:
    MemoryStore& store_;
    std::string bytes_;
  };

  static std::unexpected<Error> missing(QueueId id) {
    return fail(Code::not_found, "no message " + id.text() + " in the spool");
  }
  std::optional<Error> error() const {
    const std::scoped_lock lock(mutex_);
    return error_;
  }

  Result<std::vector<BodyPtr>> apply(StoreChange change, Durability durability) {
    const std::scoped_lock lock(mutex_);
    if (error_) return std::unexpected(*error_);
    std::vector<BodyPtr> bodies;
    for (StoreChange::NewMessage& added : change.added) {
      const QueueId id = added.message.id;
      auto writer = std::unique_ptr<Writer>(static_cast<Writer*>(added.body.release()));
      bodies.push_back(writer->take());
      ids_.continue_after(id);
      messages_.insert_or_assign(id, Kept{std::move(added.message), bodies.back()});
    }
    for (queue::Message& message : change.updated) {
      const auto found = messages_.find(message.id);
      if (found != messages_.end()) found->second.message = std::move(message);
    }
    for (const QueueId id : change.removed) messages_.erase(id);
    records.apply(change.return_paths);
    if (durability == Durability::synced) ++synced_commits_;
    return bodies;
  }

  mutable std::mutex mutex_;
  QueueIds ids_;
  std::map<QueueId, Kept> messages_;
  std::optional<Error> error_;
  std::uint64_t synced_commits_ = 0;
};

}  // namespace tapal
