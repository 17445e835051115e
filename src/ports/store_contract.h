// What every Store keeps to, as typed tests. A store's test file names a fixture with
//   Store& store();      the store under test
//   void reopen();       closes and opens it again; does nothing for one that forgets
//   KeptRecords& records();  its records; a store that keeps messages only has none
//   static constexpr bool remembers;
// and says INSTANTIATE_TYPED_TEST_SUITE_P(Name, StoreContract, Fixture).
#pragma once

#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "ports/store.h"

namespace tapal::store_contract {

// One thread that runs what is posted.
class TestLoop final : public Loop {
 public:
  TestLoop() : thread_([this] { run(); }) {}
  ~TestLoop() override {
    post([this] { stopped_ = true; });
    thread_.join();
  }
  void post(std::move_only_function<void()> work) override {
    {
      const std::scoped_lock lock(mutex_);
      queue_.push_back(std::move(work));
    }
    arrived_.notify_one();
  }
  Instant now() const override { return {}; }
  std::unique_ptr<Timer> make_timer() override { std::abort(); }  // no store waits for time
  std::thread::id thread_id() const { return thread_.get_id(); }

  // Runs a task on the loop and waits for its value.
  template <class T>
  T wait(std::move_only_function<Task<T>()> make) {
    std::promise<T> promise;
    std::future<T> future = promise.get_future();
    post([this, &promise, &make] { group_.spawn(keep(promise, make)); });
    return future.get();
  }

 private:
  template <class T>
  static Task<void> keep(std::promise<T>& promise, std::move_only_function<Task<T>()>& make) {
    T value = co_await make();
    promise.set_value(std::move(value));
  }
  void run() {
    while (!stopped_) {
      std::deque<std::move_only_function<void()>> work;
      {
        std::unique_lock lock(mutex_);
        arrived_.wait(lock, [this] { return !queue_.empty(); });
        work.swap(queue_);
      }
      for (auto& each : work) each();
    }
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::move_only_function<void()>> queue_;
  bool stopped_ = false;
  TaskGroup group_;
  std::thread thread_;
};

using Bodies = Result<std::vector<BodyPtr>>;

inline Bodies commit(TestLoop& loop,
                     Store& store,
                     StoreChange change,
                     Durability durability = Durability::synced) {
  return loop.wait<Bodies>([&] { return store.commit(loop, std::move(change), durability); });
}

inline queue::Message message(std::uint64_t id) {
  queue::Message out;
  out.id = QueueId{id};
  out.subject = "number " + std::to_string(id);
  queue::RecipientState& recipient = out.recipients.emplace_back();
  recipient.recipient.address = {"user", "example.com"};
  return out;
}

// Bytes that differ from message to message.
inline std::string body_text(std::uint64_t id, std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) {
    text[i] = static_cast<char>('a' + (i * 7 + i / 251 + id * 13) % 26);
  }
  return text;
}

inline StoreChange adding(Store& store, std::uint64_t id, std::string_view text) {
  StoreChange change;
  std::unique_ptr<BodyWriter> writer = store.new_body();
  EXPECT_TRUE(writer->append(text));
  change.added.push_back({message(id), std::move(writer)});
  return change;
}

inline std::string read_all(const Body& body) {
  std::string text(static_cast<std::size_t>(body.size()), '\0');
  EXPECT_EQ(body.read(0, text).value_or(0), text.size());
  return text;
}

inline std::vector<std::uint64_t> scanned(Store& store) {
  std::vector<std::uint64_t> ids;
  EXPECT_TRUE(store.scan({}, [&](const queue::Message& each) {
    ids.push_back(each.id.value);
    return true;
  }));
  return ids;
}

}  // namespace tapal::store_contract

namespace tapal {

template <class Fixture>
class StoreContract : public testing::Test {
 public:
  Store& store() { return fixture.store(); }
  Fixture fixture;
  store_contract::TestLoop loop;
};
TYPED_TEST_SUITE_P(StoreContract);

TYPED_TEST_P(StoreContract, gives_back_message_and_body_small_and_large) {
  namespace contract = store_contract;
  const std::size_t sizes[] = {0, 1, 4'096, 65'535, 65'536, 65'537, 3'000'000};
  std::uint64_t id = 0;
  for (const std::size_t size : sizes) {
    const std::string text = contract::body_text(++id, size);
    const auto bodies =
        contract::commit(this->loop, this->store(), contract::adding(this->store(), id, text));
    ASSERT_TRUE(bodies) << size << " bytes: " << bodies.error().what;
    ASSERT_EQ(bodies->size(), 1U);
    EXPECT_TRUE(contract::read_all(*bodies->front()) == text) << size << " bytes, from commit";
  }
  this->fixture.reopen();
  if (!TypeParam::remembers) return;
  id = 0;
  for (const std::size_t size : sizes) {
    const auto body = this->store().load_body(QueueId{++id});
    ASSERT_TRUE(body) << size << " bytes: " << body.error().what;
    EXPECT_TRUE(contract::read_all(**body) == contract::body_text(id, size)) << size << " bytes";
    EXPECT_EQ(this->store().load(QueueId{id}).value(), contract::message(id));
  }
}

TYPED_TEST_P(StoreContract, the_head_stands_before_what_was_appended) {
  namespace contract = store_contract;
  std::uint64_t id = 0;
  for (const std::size_t size : {std::size_t{10}, std::size_t{500'000}}) {
    const std::string text = contract::body_text(7, size);
    StoreChange change = contract::adding(this->store(), ++id, text);
    BodyWriter& writer = *change.added[0].body;
    writer.set_head("DKIM-Signature: x\r\n");
    EXPECT_EQ(writer.size(), text.size() + 19);
    ASSERT_TRUE(contract::commit(this->loop, this->store(), std::move(change)));
    const BodyPtr body = this->store().load_body(QueueId{id}).value();
    EXPECT_TRUE(contract::read_all(*body) == "DKIM-Signature: x\r\n" + text) << size;
    // Across the seam, past the end, and nothing.
    char piece[8];
    ASSERT_EQ(body->read(14, piece).value(), 8U);
    EXPECT_EQ(std::string(piece, 8), ": x\r\n" + text.substr(0, 3));
    EXPECT_EQ(body->read(body->size() - 3, piece).value(), 3U);
    EXPECT_EQ(body->read(body->size(), piece).value(), 0U);
    EXPECT_EQ(body->read(UINT64_MAX, piece).value(), 0U);
    EXPECT_EQ(body->read(3, {}).value(), 0U);
  }
}

TYPED_TEST_P(StoreContract, scans_all_messages_oldest_first) {
  namespace contract = store_contract;
  for (const std::uint64_t id :
       {std::uint64_t{300}, std::uint64_t{2}, UINT64_MAX, std::uint64_t{65'536}}) {
    ASSERT_TRUE(
        contract::commit(this->loop, this->store(), contract::adding(this->store(), id, "text")));
  }
  this->fixture.reopen();
  if (!TypeParam::remembers) return;
  EXPECT_EQ(contract::scanned(this->store()),
            (std::vector<std::uint64_t>{2, 300, 65'536, UINT64_MAX}));
  std::vector<std::uint64_t> two;
  ASSERT_TRUE(this->store().scan(QueueId{2}, [&two](const queue::Message& each) {
    two.push_back(each.id.value);
    return two.size() < 2;
  }));
  EXPECT_EQ(two, (std::vector<std::uint64_t>{300, 65'536}));
  const auto unexpected = [](const queue::Message& each) {
    ADD_FAILURE() << each.id.value;
    return true;
  };
  EXPECT_TRUE(this->store().scan(QueueId{UINT64_MAX}, unexpected));
}

TYPED_TEST_P(StoreContract, updates_the_state_and_leaves_the_body) {
  namespace contract = store_contract;
  ASSERT_TRUE(
      contract::commit(this->loop, this->store(), contract::adding(this->store(), 5, "text")));
  StoreChange change;
  change.updated.push_back(contract::message(5));
  change.updated[0].recipients[0].attempts = 3;
  ASSERT_TRUE(contract::commit(this->loop, this->store(), std::move(change)));
  EXPECT_EQ(this->store().load(QueueId{5}).value().recipients[0].attempts, 3U);
  EXPECT_EQ(contract::read_all(*this->store().load_body(QueueId{5}).value()), "text");
}

TYPED_TEST_P(StoreContract, removes_message_and_body_while_a_reader_keeps_its_own) {
  namespace contract = store_contract;
  for (const std::size_t size : {std::size_t{10}, std::size_t{200'000}}) {
    const std::string text = contract::body_text(1, size);
    ASSERT_TRUE(
        contract::commit(this->loop, this->store(), contract::adding(this->store(), size, text)));
    const BodyPtr body = this->store().load_body(QueueId{size}).value();
    StoreChange change;
    change.removed.push_back(QueueId{size});
    ASSERT_TRUE(contract::commit(this->loop, this->store(), std::move(change)));
    EXPECT_EQ(this->store().load(QueueId{size}).error().code, Code::not_found);
    EXPECT_EQ(this->store().load_body(QueueId{size}).error().code, Code::not_found);
    EXPECT_TRUE(contract::read_all(*body) == text);
  }
  EXPECT_TRUE(contract::scanned(this->store()).empty());
}

TYPED_TEST_P(StoreContract, a_removed_message_does_not_come_back_by_a_late_update) {
  namespace contract = store_contract;
  ASSERT_TRUE(
      contract::commit(this->loop, this->store(), contract::adding(this->store(), 5, "text")));
  StoreChange removal;
  removal.removed = {QueueId{5}, QueueId{5}, QueueId{6}};
  ASSERT_TRUE(contract::commit(this->loop, this->store(), std::move(removal)));
  StoreChange update;
  update.updated.push_back(contract::message(5));
  EXPECT_TRUE(contract::commit(this->loop, this->store(), std::move(update)));
  EXPECT_EQ(this->store().load(QueueId{5}).error().code, Code::not_found);
  EXPECT_TRUE(contract::scanned(this->store()).empty());
}

TYPED_TEST_P(StoreContract, one_change_is_applied_in_the_order_added_updated_removed) {
  namespace contract = store_contract;
  StoreChange change = contract::adding(this->store(), 1, "one");
  std::unique_ptr<BodyWriter> second = this->store().new_body();
  ASSERT_TRUE(second->append("two"));
  change.added.push_back({contract::message(2), std::move(second)});
  change.updated.push_back(contract::message(1));
  change.updated[0].subject = "changed";
  change.removed.push_back(QueueId{2});
  const auto bodies = contract::commit(this->loop, this->store(), std::move(change));
  ASSERT_TRUE(bodies);
  ASSERT_EQ(bodies->size(), 2U);
  EXPECT_EQ(contract::read_all(*(*bodies)[1]), "two");
  EXPECT_EQ(this->store().load(QueueId{1}).value().subject, "changed");
  EXPECT_EQ(contract::scanned(this->store()), std::vector<std::uint64_t>{1});
}

TYPED_TEST_P(StoreContract, a_body_can_be_read_while_it_is_written) {
  namespace contract = store_contract;
  for (const std::size_t bytes : {std::size_t{10}, std::size_t{1'000'000}}) {
    const std::unique_ptr<BodyWriter> writer = this->store().new_body();
    const auto text = contract::body_text(1, bytes);
    ASSERT_TRUE(writer->append(text.substr(0, bytes / 2)));
    EXPECT_EQ(contract::read_all(*writer), text.substr(0, bytes / 2));
    ASSERT_TRUE(writer->append(text.substr(bytes / 2)));
    EXPECT_EQ(contract::read_all(*writer), text);
    writer->set_head("head");
    EXPECT_EQ(contract::read_all(*writer), "head" + text);
    std::string tail(8, '\0');
    EXPECT_EQ(writer->read(bytes, tail).value_or(0), 4U);
    EXPECT_EQ(tail.substr(0, 4), text.substr(bytes - 4));
    EXPECT_EQ(writer->read(bytes + 4, tail).value_or(9), 0U);
  }
}

TYPED_TEST_P(StoreContract, a_dropped_writer_leaves_nothing) {
  namespace contract = store_contract;
  {
    const std::unique_ptr<BodyWriter> small = this->store().new_body();
    const std::unique_ptr<BodyWriter> large = this->store().new_body();
    ASSERT_TRUE(small->append("text"));
    ASSERT_TRUE(large->append(contract::body_text(1, 1'000'000)));
  }
  EXPECT_TRUE(contract::scanned(this->store()).empty());
}

TYPED_TEST_P(StoreContract, relaxed_changes_are_seen_at_once_and_keep_their_order) {
  namespace contract = store_contract;
  ASSERT_TRUE(contract::commit(this->loop, this->store(), contract::adding(this->store(), 9, "x")));
  for (std::uint32_t attempts = 1; attempts <= 20; ++attempts) {
    StoreChange change;
    change.updated.push_back(contract::message(9));
    change.updated[0].recipients[0].attempts = attempts;
    const auto durability = attempts % 5 == 0 ? Durability::synced : Durability::relaxed;
    ASSERT_TRUE(contract::commit(this->loop, this->store(), std::move(change), durability));
    EXPECT_EQ(this->store().load(QueueId{9}).value().recipients[0].attempts, attempts);
  }
  this->fixture.reopen();
  if (!TypeParam::remembers) return;
  EXPECT_EQ(this->store().load(QueueId{9}).value().recipients[0].attempts, 20U);
}

TYPED_TEST_P(StoreContract, an_empty_change_is_answered) {
  namespace contract = store_contract;
  const auto bodies = contract::commit(this->loop, this->store(), {});
  ASSERT_TRUE(bodies);
  EXPECT_TRUE(bodies->empty());
}

TYPED_TEST_P(StoreContract, commits_of_many_loops_come_back_to_their_own) {
  namespace contract = store_contract;
  constexpr std::uint64_t tasks = 20, each_commits = 25, loops = 3;
  static constexpr auto commit_many =
      [](contract::TestLoop& loop, Store& store, std::uint64_t first) -> Task<std::uint64_t> {
    std::uint64_t right = 0;
    for (std::uint64_t id = first; id < first + each_commits; ++id) {
      StoreChange change = contract::adding(store, id, contract::body_text(id, 100));
      const auto bodies = co_await store.commit(loop, std::move(change), Durability::synced);
      const bool here = std::this_thread::get_id() == loop.thread_id();
      if (bodies && here && contract::read_all(*bodies->at(0)) == contract::body_text(id, 100)) {
        ++right;
      }
    }
    co_return right;
  };
  contract::TestLoop all[loops];
  std::vector<std::future<std::uint64_t>> results;
  for (std::uint64_t task = 0; task < tasks; ++task) {
    contract::TestLoop& loop = all[task % loops];
    results.push_back(std::async(std::launch::async, [&loop, task, this] {
      return loop.wait<std::uint64_t>([&loop, task, this] {
        return commit_many(loop, this->store(), 1 + task * each_commits);
      });
    }));
  }
  for (auto& result : results) EXPECT_EQ(result.get(), each_commits);
  EXPECT_EQ(contract::scanned(this->store()).size(), tasks * each_commits);
}

TYPED_TEST_P(StoreContract, gives_each_message_a_name_of_its_own_also_after_it_is_opened_again) {
  namespace contract = store_contract;
  using std::chrono::milliseconds;
  const WallTime now(milliseconds(1'700'000'000'000));
  const auto first = this->store().new_id(now);
  const auto second = this->store().new_id(now);
  EXPECT_LT(first, second);
  ASSERT_TRUE(contract::commit(
      this->loop, this->store(), contract::adding(this->store(), second.value, "text")));
  this->fixture.reopen();
  const auto clock_back = this->store().new_id(now - milliseconds(60'000));
  EXPECT_GT(clock_back, second);
}

TYPED_TEST_P(StoreContract, keeps_return_paths_with_the_messages_that_leave_under_them) {
  namespace contract = store_contract;
  if constexpr (requires { this->fixture.records(); }) {
    const auto sender_of = [this](const char* name) {
      return this->fixture.records().read_record(RecordKind::return_path, name).value();
    };
    StoreChange first = contract::adding(this->store(), 1, "small");
    first.return_paths.put = {{"one", "a@far.example"}, {"two", "b@far.example"}};
    ASSERT_TRUE(contract::commit(this->loop, this->store(), std::move(first)));
    StoreChange second = contract::adding(this->store(), 2, contract::body_text(2, 1'000'000));
    second.return_paths = {{{"three", "c@far.example"}}, {"one", "never there"}};
    ASSERT_TRUE(contract::commit(this->loop, this->store(), std::move(second)));
    StoreChange removal;
    removal.removed.push_back(QueueId{1});  // the path outlives its message
    ASSERT_TRUE(contract::commit(this->loop, this->store(), std::move(removal)));
    for (int opened = 0; opened < 2; ++opened) {
      EXPECT_EQ(sender_of("one"), std::nullopt);
      EXPECT_EQ(sender_of("two"), "b@far.example");
      EXPECT_EQ(sender_of("three"), "c@far.example");
      if (TypeParam::remembers) this->fixture.reopen();
    }
  }
}

REGISTER_TYPED_TEST_SUITE_P(StoreContract,
                            keeps_return_paths_with_the_messages_that_leave_under_them,
                            gives_each_message_a_name_of_its_own_also_after_it_is_opened_again,
                            gives_back_message_and_body_small_and_large,
                            the_head_stands_before_what_was_appended,
                            scans_all_messages_oldest_first,
                            updates_the_state_and_leaves_the_body,
                            removes_message_and_body_while_a_reader_keeps_its_own,
                            a_removed_message_does_not_come_back_by_a_late_update,
                            one_change_is_applied_in_the_order_added_updated_removed,
                            a_body_can_be_read_while_it_is_written,
                            a_dropped_writer_leaves_nothing,
                            relaxed_changes_are_seen_at_once_and_keep_their_order,
                            an_empty_change_is_answered,
                            commits_of_many_loops_come_back_to_their_own);

}  // namespace tapal
