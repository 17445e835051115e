#include "services/judge/greylist.h"

#include "services/judge/test_mail.h"

namespace tapal::judge {
namespace {

using std::chrono::days;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr WallTime start{days(20'000)};
const GreylistTimes times;

struct GreylistTest : testing::Test {
  std::optional<seconds> wait(const Mail& mail, Duration after) {
    const auto now = start + std::chrono::duration_cast<std::chrono::milliseconds>(after);
    return greylist_wait(greylist_keys(mail), times, memory, now);
  }
  BoundedGreylistMemory memory;
};

TEST_F(GreylistTest, lets_in_who_tries_again_after_the_delay) {
  const auto mail = test_mail();
  EXPECT_EQ(wait(mail, seconds(0)), seconds(300));
  EXPECT_EQ(wait(mail, seconds(100)), seconds(200));
  EXPECT_EQ(wait(mail, seconds(299)), seconds(1));
  EXPECT_FALSE(wait(mail, seconds(300)));
  EXPECT_FALSE(wait(mail, seconds(301)));  // the next mail is not put off at all
}

TEST_F(GreylistTest, takes_a_try_after_the_window_for_the_first) {
  const auto mail = test_mail();
  EXPECT_TRUE(wait(mail, seconds(0)));
  EXPECT_EQ(wait(mail, days(1) + seconds(1)), seconds(300));
  EXPECT_FALSE(wait(mail, days(1) + seconds(301)));
}

TEST_F(GreylistTest, forgets_after_a_while_without_mail) {
  const auto mail = test_mail();
  wait(mail, seconds(0));
  EXPECT_FALSE(wait(mail, minutes(10)));
  EXPECT_FALSE(wait(mail, days(36)));
  EXPECT_FALSE(wait(mail, days(72)));  // each mail counts anew
  EXPECT_TRUE(wait(mail, days(109)));
}

TEST_F(GreylistTest, knows_neighbours_in_the_network_and_nobody_else) {
  const auto mail = test_mail();
  wait(mail, seconds(0));
  auto neighbour = mail;
  neighbour.peer = IpAddress::from_text("8.8.4.200").value();
  EXPECT_FALSE(wait(neighbour, minutes(10)));
  auto stranger = mail;
  stranger.peer = IpAddress::from_text("8.8.5.4").value();
  EXPECT_TRUE(wait(stranger, minutes(10)));
  auto other_sender = mail;
  other_sender.return_path = address("other@sender.example");
  EXPECT_TRUE(wait(other_sender, minutes(10)));
  auto no_sender = mail;
  no_sender.return_path.reset();
  EXPECT_TRUE(wait(no_sender, minutes(10)));
  auto other_recipient = mail;
  other_recipient.recipients = {address("new@rcpt.example")};
  EXPECT_TRUE(wait(other_recipient, minutes(10)));
  auto other_case = mail;
  other_case.recipients = {address("BOB@rcpt.example")};
  EXPECT_FALSE(wait(other_case, minutes(10)));
}

TEST_F(GreylistTest, knows_ipv6_by_its_first_64_bits) {
  auto mail = test_mail();
  mail.peer = IpAddress::from_text("2600:1::1").value();
  wait(mail, seconds(0));
  mail.peer = IpAddress::from_text("2600:1::ffff:1").value();
  EXPECT_FALSE(wait(mail, minutes(10)));
  mail.peer = IpAddress::from_text("2600:1:0:1::1").value();
  EXPECT_TRUE(wait(mail, minutes(10)));
}

TEST_F(GreylistTest, lets_one_known_recipient_vouch_for_new_ones) {
  auto mail = test_mail();
  mail.recipients.pop_back();
  wait(mail, seconds(0));
  EXPECT_FALSE(wait(test_mail(), minutes(10)));
  mail.recipients = {address("eve@rcpt.example")};
  EXPECT_FALSE(wait(mail, minutes(11)));
}

TEST_F(GreylistTest, knows_a_domain_that_spf_vouches_for_wherever_it_sends_from) {
  auto mail = test_mail();
  mail.spf_domain = "sender.example";
  EXPECT_TRUE(wait(mail, seconds(0)));
  mail.peer = IpAddress::from_text("9.9.9.9").value();
  mail.return_path = address("other@sender.example");
  mail.recipients = {address("new@rcpt.example")};
  EXPECT_FALSE(wait(mail, minutes(10)));
  mail.spf_domain = "other.example";
  EXPECT_TRUE(wait(mail, minutes(10)));
  mail.spf_domain = "";
  EXPECT_TRUE(wait(mail, minutes(10)));
}

TEST_F(GreylistTest, begins_anew_when_the_clock_has_jumped_back) {
  const auto mail = test_mail();
  wait(mail, days(2));
  EXPECT_EQ(wait(mail, seconds(0)), seconds(300));
  EXPECT_FALSE(wait(mail, seconds(300)));
}

TEST(GreylistMemory, forgets_what_was_touched_longest_ago) {
  BoundedGreylistMemory memory(2);
  memory.save("a", {start, {}});
  memory.save("b", {start, {}});
  EXPECT_TRUE(memory.load("a"));
  memory.save("c", {start, {}});
  EXPECT_TRUE(memory.load("a"));
  EXPECT_FALSE(memory.load("b"));
  memory.save("a", {start, start});
  EXPECT_EQ(memory.load("a"), (GreylistRecord{start, start}));
}

TEST(GreylistMemory, is_the_same_after_a_restart) {
  BoundedGreylistMemory memory(2);
  const std::string one(16, 'a');
  const std::string two(16, '\xFF');
  memory.save(one, {start, {}});
  memory.save(two, {start, start + seconds(1)});
  BoundedGreylistMemory again(2);
  again.take_in("broken\n00 1 2\n" + memory.text() + memory.text() + "zz");
  EXPECT_EQ(again.text(), memory.text());
  again.save(std::string(16, 'b'), {start, {}});
  EXPECT_FALSE(again.load(one));  // what was touched longest ago goes first, as before
  EXPECT_EQ(again.load(two), (GreylistRecord{start, start + seconds(1)}));
}

TEST(GreylistJudge, says_when_to_come_back) {
  VirtualLoop loop;
  BoundedGreylistMemory memory;
  Greylist judge({}, memory, loop);
  const auto mail = test_mail();
  const auto first = loop.wait(judge.look_at(mail)).value().value();
  EXPECT_EQ(first.action, Action::defer);
  EXPECT_EQ(smtp::one_line(first.reply), "451 4.7.1 greylisted, try again in 300 seconds");
  loop.run_for(minutes(5));
  EXPECT_EQ(loop.wait(judge.look_at(mail)).value().value().action, Action::accept);
}

}  // namespace
}  // namespace tapal::judge
