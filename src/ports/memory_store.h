// A Store that keeps everything in memory, for tests and the simulator: same answers and order as a
// real one, nothing survives it. fail_with() plays a full or broken disk.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "ports/store.h"

namespace tapal {

class MemoryBody final : public Body {
 public:
  explicit MemoryBody(std::string bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  Result<std::size_t> read(std::uint64_t offset, std::span<char> into) const override {
    if (offset >= bytes_.size()) return std::size_t{0};
    const std::size_t count = std::min(into.size(), bytes_.size() - std::size_t{offset});
    if (count != 0) std::memcpy(into.data(), bytes_.data() + offset, count);
    return count;
  }

 private:
  std::string bytes_;
};

class MemoryStore final : public Store {
 public:
  std::unique_ptr<BodyWriter> new_body() override { return std::make_unique<Writer>(*this); }

  Task<Result<void>> commit(Loop& loop, StoreChange change, Durability durability) override {
    Result<void> result = apply(std::move(change), durability);
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
  Result<void> scan(std::move_only_function<void(queue::Message)> each) override {
    const std::scoped_lock lock(mutex_);
    for (const auto& [id, kept] : messages_) each(kept.message);
    return {};
  }
  std::uint64_t free_bytes() const override {
    const std::scoped_lock lock(mutex_);
    return error_ ? 0 : free_bytes_;
  }

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
    std::uint64_t size() const override { return bytes_.size(); }
    BodyPtr view() const override { return std::make_shared<MemoryBody>(bytes_); }

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

  Result<void> apply(StoreChange change, Durability durability) {
    const std::scoped_lock lock(mutex_);
    if (error_) return std::unexpected(*error_);
    for (StoreChange::NewMessage& added : change.added) {
      const QueueId id = added.message.id;
      messages_.insert_or_assign(id, Kept{std::move(added.message), added.body->view()});
    }
    for (queue::Message& message : change.updated) {
      const auto found = messages_.find(message.id);
      if (found != messages_.end()) found->second.message = std::move(message);
    }
    for (const QueueId id : change.removed) messages_.erase(id);
    if (durability == Durability::synced) ++synced_commits_;
    return {};
  }

  mutable std::mutex mutex_;
  std::map<QueueId, Kept> messages_;
  std::optional<Error> error_;
  std::uint64_t synced_commits_ = 0;
};

}  // namespace tapal
