#include "ports/look_up.h"

#include <gtest/gtest.h>

#include "ports/test_fakes.h"
#include "ports/test_loop.h"

namespace tapal {
namespace {

// Wants to know two things.
struct TwoQuestions {
  std::optional<dns::Lookup> next_lookup() const {
    if (is_over || replies.size() == 2) return {};
    return dns::Lookup{replies.empty() ? "a.example" : "b.example", dns::Type::txt};
  }
  void on_reply(dns::LookupReply reply) { replies.push_back(std::move(reply)); }
  void on_time() { is_over = true; }

  std::vector<dns::LookupReply> replies;
  bool is_over = false;
};

TwoQuestions answered_until(Duration from_now) {
  VirtualLoop loop;
  TableOfNames names;
  names.add("b.example", dns::Type::txt, dns::Text{"words"});
  TwoQuestions core;
  const Instant deadline = loop.now() + from_now;
  TaskGroup group;
  group.spawn(answer_lookups(names, loop, core, deadline));
  loop.run();
  return core;
}

TEST(AnswerLookups, asks_all_that_is_wanted) {
  const auto core = answered_until(std::chrono::seconds(1));
  EXPECT_FALSE(core.is_over);
  ASSERT_EQ(core.replies.size(), 2U);
  EXPECT_EQ(core.replies[0].status, dns::LookupReply::Status::no_such_name);
  EXPECT_EQ(std::get<dns::Text>(core.replies[1].records.at(0).data).value, "words");
}

TEST(AnswerLookups, asks_nothing_more_when_time_is_up) {
  const auto core = answered_until(Duration(0));
  EXPECT_TRUE(core.is_over);
  EXPECT_TRUE(core.replies.empty());
}

}  // namespace
}  // namespace tapal
