#include "services/intake/return_paths.h"

#include <gtest/gtest.h>

#include "ports/test_fakes.h"

namespace tapal::intake {
namespace {

using std::chrono::days;
using std::chrono::hours;

const WallTime start{days(20'000)};

mail::Address address(std::string_view text) { return mail::parse_address(text).value(); }

struct World {
  MemoryRecords records;
  std::uint32_t number = 0;

  QueueId keep(ReturnPaths& paths, std::string_view sender, WallTime now) {
    const auto name = QueueId::make(now, ++number);
    RecordsChange change;
    paths.keep(name, address(sender), now, change);
    EXPECT_EQ(change.put.size(), 1U);
    records.apply(change);
    return name;
  }
};

TEST(ReturnPaths, are_found_by_their_names_also_after_a_restart) {
  World w;
  ReturnPaths paths(w.records);
  const auto name = w.keep(paths, "\"a b\"@Far.example", start);
  EXPECT_EQ(paths.find(name).value(), address("\"a b\"@far.example"));
  EXPECT_EQ(paths.find(QueueId{1}).value(), std::nullopt);
  ReturnPaths again(w.records);
  ASSERT_TRUE(again.take_in());
  EXPECT_EQ(again.find(name).value(), address("\"a b\"@far.example"));
  w.records.error = Error{Code::internal, "no disk"};
  EXPECT_EQ(again.find(name).error().what, "no disk");
  EXPECT_EQ(ReturnPaths(w.records).take_in().error().what, "no disk");
}

TEST(ReturnPaths, are_forgotten_when_they_have_expired) {
  World w;
  ReturnPaths before(w.records);
  const auto old = w.keep(before, "a@far.example", start);
  const auto later = w.keep(before, "b@far.example", start + hours(1));
  ReturnPaths paths(w.records);
  ASSERT_TRUE(paths.take_in());
  w.keep(paths, "c@far.example", start + days(22));  // of the last day of the first
  EXPECT_EQ(w.records.records.size(), 3U);
  w.keep(paths, "d@far.example", start + days(23) + std::chrono::milliseconds(1));
  EXPECT_EQ(paths.find(old).value(), std::nullopt);
  EXPECT_TRUE(paths.find(later).value());
  EXPECT_EQ(w.records.records.size(), 3U);
}

TEST(ReturnPaths, are_bounded_and_the_oldest_go_first) {
  World w;
  ReturnPaths before(w.records);
  const auto first = w.keep(before, "first@far.example", start);
  for (int i = 0; i < 249; ++i) w.keep(before, "x@far.example", start);
  ReturnPaths paths(w.records, 3);
  ASSERT_TRUE(paths.take_in());
  for (const std::size_t left : {151U, 52U, 3U, 3U}) {  // a hundred at once, for each one more
    w.keep(paths, "y@far.example", start);
    EXPECT_EQ(w.records.records.size(), left);
  }
  EXPECT_EQ(paths.find(first).value(), std::nullopt);
}

}  // namespace
}  // namespace tapal::intake
