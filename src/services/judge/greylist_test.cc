#include "services/judge/greylist.h"

#include "services/judge/test_mail.h"

namespace tapal::judge {
namespace {

using std::chrono::days;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr WallTime start{days(20'000)};

struct GreylistTest : testing::Test {
  std::optional<seconds> wait(const Mail& mail, Duration after) {
    const auto now = start + std::chrono::duration_cast<std::chrono::milliseconds>(after);
    return ask_greylist(greylist_keys(mail), memory, now).wait;
  }
  GreylistMemory memory;
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

TEST(GreylistJudge, says_when_to_come_back_and_keeps_it_over_a_restart) {
  VirtualLoop loop;
  MemoryRecords records;
  const auto mail = test_mail();
  {
    GreylistMemory memory;
    Greylist judge({loop, loop, memory, &records});
    const auto first = loop.wait(judge.look_at(mail)).value().value();
    EXPECT_EQ(first.action, Action::defer);
    EXPECT_EQ(smtp::one_line(first.reply), "451 4.7.1 greylisted, try again in 300 seconds");
  }
  EXPECT_EQ(records.records.size(), mail.recipients.size());
  loop.run_for(minutes(5));
  GreylistMemory memory;
  ASSERT_TRUE(memory.take_in(records));
  Greylist judge({loop, loop, memory, &records});
  EXPECT_EQ(loop.wait(judge.look_at(mail)).value().value().action, Action::accept);
}

TEST(GreylistJudge, judges_where_nothing_is_kept) {
  VirtualLoop loop;
  GreylistMemory memory;
  MemoryRecords broken;
  broken.error = Error{Code::full, "full"};
  Greylist judge({loop, loop, memory, &broken});
  Greylist other({loop, loop, memory});
  EXPECT_EQ(loop.wait(judge.look_at(test_mail())).value().value().action, Action::defer);
  loop.run_for(minutes(5));
  EXPECT_EQ(loop.wait(other.look_at(test_mail())).value().value().action, Action::accept);
}

}  // namespace
}  // namespace tapal::judge
