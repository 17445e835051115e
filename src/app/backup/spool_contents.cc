#include "app/backup/spool_contents.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "app/backup/upgrade.h"
#include "app/cli/once.h"
#include "drivers/rocksdb/rocksdb_store.h"
#include "rules/queue/message_life.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t page_messages = 500;

// What the store says of messages that it cannot read.
class ProblemLog final : public Log {
 public:
  explicit ProblemLog(std::vector<std::string>& into) : problems_(into) {}
  void write(Level level, std::string_view event, LogFields fields) override {
    if (level != Level::error) return;
    auto text = std::string(event);
    for (const auto& [name, value] : fields) text += fmt::format(" {}={}", name, value);
    problems_.push_back(std::move(text));
  }

 private:
  std::vector<std::string>& problems_;
};

// `log` may be null.
Result<std::unique_ptr<RocksdbStore>> open_spool(const fs::path& spool, Log* log) {
  TAPAL_CHECK(upgrade_spool(spool, Before::is_elsewhere));  // in the backup
  RocksdbStoreOptions options;
  options.folder = spool.string();
  options.min_free_bytes = 0;
  return RocksdbStore::open(std::move(options), log);
}

Result<void> read_to_its_end(Store& store, QueueId id) {
  TAPAL_TRY(const auto body, store.load_body(id));
  const auto buffer = std::make_unique<std::array<char, 64UL * 1024>>();
  for (std::uint64_t offset = 0; offset < body->size();) {
    TAPAL_TRY(const auto count, body->read(offset, *buffer));
    if (count == 0) return fail(Code::internal, "the body ends too early");
    offset += count;
  }
  return {};
}

// The messages after this one; empty: there are no more.
Result<std::vector<queue::Message>> page_after(Store& store, QueueId after) {
  std::vector<queue::Message> page;
  TAPAL_CHECK(store.scan(after, [&page](queue::Message message) {
    page.push_back(std::move(message));
    return page.size() < page_messages;
  }));
  return page;
}

Task<Result<std::size_t>> hold_all(Loop& loop, Store& store) {
  std::size_t held = 0;
  QueueId after;
  for (;;) {
    TAPAL_CO_TRY(auto page, page_after(store, after));
    if (page.empty()) co_return held;
    after = page.back().id;
    StoreChange change;
    for (auto& message : page) {
      const auto changed = queue::hold(message);
      held += changed;
      if (changed > 0) change.updated.push_back(std::move(message));
    }
    TAPAL_CO_CHECK(co_await store.commit(loop, std::move(change), Durability::synced));
  }
}

}  // namespace

Result<SpoolContents> look_through_spool(const fs::path& spool) {
  SpoolContents contents;
  ProblemLog log(contents.problems);
  TAPAL_TRY(const auto store, open_spool(spool, &log));
  QueueId after;
  for (;;) {
    TAPAL_TRY(const auto page, page_after(*store, after));
    if (page.empty()) return contents;
    after = page.back().id;
    for (const auto& message : page) {
      ++contents.messages;
      contents.recipients_waiting += static_cast<std::size_t>(std::ranges::count(
          message.recipients, queue::State::waiting, &queue::RecipientState::state));
      if (const auto read = read_to_its_end(*store, message.id); !read)
        contents.problems.push_back(
            fmt::format("message {}: {}", message.id.text(), read.error().what));
    }
  }
}

Result<std::size_t> hold_spool(const fs::path& spool) {
  TAPAL_TRY(const auto store, open_spool(spool, nullptr));
  return run_once<Result<std::size_t>>([&](NetLoop& loop) { return hold_all(loop, *store); });
}

}  // namespace tapal::app
