#include "services/judge/greylist_memory.h"

#include <algorithm>

#include "ports/test_fakes.h"
#include "ports/test_loop.h"

namespace tapal::judge {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using Keys = std::vector<std::string>;

constexpr WallTime start{days(20'000)};

// A record is saved; which others go.
Keys forgotten(GreylistMemory& memory,
               std::string_view key,
               const GreylistRecord& record,
               WallTime now = start) {
  RecordsChange change;
  memory.save(key, record, now, change);
  EXPECT_EQ(change.put.size(), 1U);
  EXPECT_EQ(change.put.front().first, key);
  return change.removed;
}

TEST(GreylistMemory, forgets_the_oldest_of_those_who_wait_and_nobody_known) {
  GreylistMemory memory({}, 4);
  EXPECT_EQ(forgotten(memory, "known", {start, start}), Keys{});
  EXPECT_EQ(forgotten(memory, "a", {start, {}}), Keys{});
  EXPECT_EQ(forgotten(memory, "b", {start, {}}), Keys{});
  EXPECT_EQ(forgotten(memory, "c", {start, {}}), Keys{"a"});
  EXPECT_FALSE(memory.load("a"));
  EXPECT_EQ(memory.load("b"), (GreylistRecord{start, {}}));
  EXPECT_EQ(forgotten(memory, "b", {start, start}), Keys{});  // let in: it changes sides
  EXPECT_EQ(memory.load("b"), (GreylistRecord{start, start}));
  EXPECT_EQ(forgotten(memory, "d", {start, {}}), Keys{});
  EXPECT_EQ(forgotten(memory, "e", {start, start}), Keys{"known"});
}

TEST(GreylistMemory, lets_go_whose_time_is_over) {
  GreylistMemory memory;
  forgotten(memory, "known", {start, start});
  forgotten(memory, "tried once", {start, {}});
  EXPECT_EQ(forgotten(memory, "x", {start + days(1), {}}, start + days(1)), Keys{});
  const auto second_day = start + days(1) + seconds(1);
  EXPECT_EQ(forgotten(memory, "y", {second_day, {}}, second_day), Keys{"tried once"});
  const auto far = start + days(36) + seconds(1);
  auto gone = forgotten(memory, "z", {far, {}}, far);
  std::ranges::sort(gone);
  EXPECT_EQ(gone, (Keys{"known", "x", "y"}));
}

TEST(GreylistMemory, is_the_same_after_a_restart_and_loses_what_is_broken) {
  VirtualLoop loop;
  MemoryRecords records;
  GreylistMemory before({}, 4);
  const auto save = [&](GreylistMemory& memory, std::string_view key, GreylistRecord record) {
    RecordsChange change;
    memory.save(key, record, start + seconds(9), change);
    EXPECT_TRUE(loop.wait(records.change_records(loop, RecordKind::greylist, std::move(change))));
  };
  save(before, "z first", {start, {}});
  save(before, "a second", {start + seconds(1), {}});
  save(before, "known", {start, start + seconds(2)});
  records.records["broken"] = "1 x";

  GreylistMemory again({}, 4);
  ASSERT_TRUE(again.take_in(records));
  EXPECT_EQ(again.load("known"), (GreylistRecord{start, start + seconds(2)}));
  save(again, "third", {start + seconds(9), {}});
  // The oldest went, by time and not by key.
  EXPECT_FALSE(again.load("z first"));
  EXPECT_EQ(again.load("a second"), (GreylistRecord{start + seconds(1), {}}));
  EXPECT_EQ(records.records.size(), 3U);
  EXPECT_FALSE(records.records.contains("broken"));
  records.error = Error{Code::internal, "no disk"};
  EXPECT_EQ(GreylistMemory().take_in(records).error().what, "no disk");
}

}  // namespace
}  // namespace tapal::judge
