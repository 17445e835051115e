#include "rules/bounce/notice.h"

#include <functional>

namespace tapal::bounce {
namespace {

using namespace std::chrono_literals;
using queue::State;

constexpr WallTime start{std::chrono::milliseconds(1'795'316'640'000)};

queue::RecipientState recipient(std::string_view address, State state) {
  queue::RecipientState one;
  one.recipient.address = mail::parse_address(address).value();
  one.state = state;
  return one;
}

queue::Message message_with(std::vector<queue::RecipientState> recipients) {
  queue::Message message;
  message.id = QueueId{1};
  message.arrived = start;
  message.origin.authenticated = true;
  message.origin.user = "asha@sender.example";
  message.envelope.return_path = mail::parse_address("asha@sender.example").value();
  message.recipients = std::move(recipients);
  message.body_bytes = 1000;
  message.subject = "Monsoon";
  message.message_id = "<1@sender.example>";
  return message;
}

struct DueCase {
  std::string_view name;
  State state;
  std::chrono::minutes age;
  std::function<void(queue::Message&, queue::RecipientState&)> change;
  std::string_view wanted;  // "outcome", "delay", "untold" or nothing
};

std::string shown(const DueNotices& due) {
  std::string text;
  for ([[maybe_unused]] const auto i : due.outcomes) text += "outcome";
  for ([[maybe_unused]] const auto i : due.delays) text += "delay";
  for ([[maybe_unused]] const auto& i : due.untold) text += "untold";
  return text;
}

TEST(DueNotices, follow_state_time_and_wishes) {
  const auto nothing = [](queue::Message&, queue::RecipientState&) {};
  const auto notify = [](mail::Notify wish) {
    return [wish](queue::Message&, queue::RecipientState& one) { one.recipient.notify = wish; };
  };
  const auto null_sender = [](queue::Message& message, queue::RecipientState&) {
    message.envelope.return_path.reset();
  };
  const auto stranger = [](queue::Message& message, queue::RecipientState&) {
    message.origin.authenticated = false;
  };
  const DueCase cases[] = {
      {"failed", State::failed, 0min, nothing, "outcome"},
      {"failed, wish for failure", State::failed, 0min, notify({.failure = true}), "outcome"},
      {"failed, NEVER", State::failed, 0min, notify({.never = true}), "untold"},
      {"failed, only SUCCESS wished", State::failed, 0min, notify({.success = true}), "untold"},
      {"failed, null sender", State::failed, 0min, null_sender, "untold"},
      {"failed, nobody authenticated", State::failed, 0min, stranger, "untold"},
      {"failed, told before",
       State::failed,
       0min,
       [](queue::Message&, queue::RecipientState& one) { one.sender_told = true; },
       ""},
      {"waiting, young", State::waiting, 239min, nothing, ""},
      {"waiting, four hours", State::waiting, 240min, nothing, "delay"},
      {"waiting, NEVER", State::waiting, 300min, notify({.never = true}), ""},
      {"waiting, only FAILURE wished", State::waiting, 300min, notify({.failure = true}), ""},
      {"waiting, DELAY wished", State::waiting, 300min, notify({.delay = true}), "delay"},
      {"waiting, told of it",
       State::waiting,
       300min,
       [](queue::Message&, queue::RecipientState& one) { one.sender_told_of_delay = true; },
       ""},
      {"waiting, null sender", State::waiting, 300min, null_sender, ""},
      {"waiting, nobody authenticated", State::waiting, 300min, stranger, ""},
      {"held", State::held, 300min, nothing, ""},
      {"delivered", State::delivered, 0min, nothing, ""},
      {"delivered, SUCCESS wished", State::delivered, 0min, notify({.success = true}), "outcome"},
      {"delivered, null sender",
       State::delivered,
       0min,
       [](queue::Message& message, queue::RecipientState& one) {
         one.recipient.notify.success = true;
         message.envelope.return_path.reset();
       },
       ""},
      {"delivered, the peer reports",
       State::delivered,
       0min,
       [](queue::Message&, queue::RecipientState& one) {
         one.recipient.notify.success = true;
         one.sender_told = true;
       },
       ""},
      {"failed after a delay notice",
       State::failed,
       300min,
       [](queue::Message&, queue::RecipientState& one) { one.sender_told_of_delay = true; },
       "outcome"},
  };
  for (const DueCase& one : cases) {
    queue::Message message = message_with({recipient("ravi@inbox.example", one.state)});
    one.change(message, message.recipients[0]);
    const DueNotices due = due_notices(message, start + one.age, {});
    EXPECT_EQ(shown(due), one.wanted) << one.name;
    for (const Untold& untold : due.untold) EXPECT_FALSE(untold.reason.empty());
  }
}

TEST(DueNotices, can_do_without_delays) {
  const auto message = message_with({recipient("ravi@inbox.example", State::waiting)});
  EXPECT_EQ(due_notices(message, start + 1000h, {.delay_notice = 0s}), DueNotices{});
}

TEST(DueNotices, keep_recipients_apart) {
  auto message = message_with({recipient("a@x.example", State::failed),
                               recipient("b@x.example", State::waiting),
                               recipient("c@x.example", State::delivered),
                               recipient("d@x.example", State::failed)});
  message.recipients[3].recipient.notify.never = true;
  const DueNotices due = due_notices(message, start + 5h, {});
  EXPECT_EQ(due.outcomes, std::vector<std::size_t>{0});
  EXPECT_EQ(due.delays, std::vector<std::size_t>{1});
  ASSERT_EQ(due.untold.size(), 1U);
  EXPECT_EQ(due.untold[0].recipient, 3U);
}

TEST(ContentToReturn, is_whole_only_for_failures_and_small_messages) {
  using mail::ReturnContent;
  auto message = message_with(
      {recipient("a@x.example", State::failed), recipient("b@x.example", State::waiting)});
  EXPECT_EQ(content_to_return(message, {0}, {}), ReturnContent::headers);
  message.envelope.return_content = ReturnContent::full;
  EXPECT_EQ(content_to_return(message, {0}, {}), ReturnContent::full);
  EXPECT_EQ(content_to_return(message, {1}, {}), ReturnContent::headers);
  message.body_bytes = 64 * 1024 + 1;
  EXPECT_EQ(content_to_return(message, {0}, {}), ReturnContent::headers);
}

Notice notice_for(const queue::Message& message, std::vector<std::size_t> recipients) {
  NoticeInput input;
  input.host = "mail.sender.example";
  input.id = QueueId{2};
  input.now = start + 5h;
  input.random_bytes = "0123456789abcdef";
  input.recipients = std::move(recipients);
  input.original = "Subject: Monsoon\r\n";
  return make_notice(message, input, {});
}

TEST(Notice, goes_to_the_sender_from_nobody) {
  auto message = message_with({recipient("a@x.example", State::failed)});
  message.envelope.require_tls = true;
  message.recipients[0].last = {"5.1.1", "550 5.1.1 no such user", "mx.x.example [192.0.2.1]:25"};
  const Notice notice = notice_for(message, {0});
  EXPECT_EQ(notice.message.id, QueueId{2});
  EXPECT_FALSE(notice.message.envelope.return_path);
  EXPECT_EQ(notice.message.origin.kind, queue::Origin::Kind::notice);
  EXPECT_FALSE(notice.message.origin.authenticated);
  EXPECT_TRUE(notice.message.envelope.require_tls);
  ASSERT_EQ(notice.message.recipients.size(), 1U);
  EXPECT_EQ(notice.message.recipients[0].recipient.address.text(), "asha@sender.example");
  EXPECT_EQ(notice.message.recipients[0].next_attempt, start + 5h);
  EXPECT_EQ(notice.message.body_bytes, notice.text.size());
  EXPECT_EQ(notice.message.subject, "Not delivered: Monsoon");
  EXPECT_EQ(notice.message.message_id, "<30313233343536373839616263646566@mail.sender.example>");
  for (const std::string_view line : {"Remote-MTA: dns; mx.x.example\r\n",
                                      "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n",
                                      "Status: 5.1.1\r\n",
                                      "Action: failed\r\n",
                                      "In-Reply-To: <1@sender.example>\r\n"}) {
    EXPECT_TRUE(notice.text.contains(line)) << line << notice.text;
  }
  // A notice that fails is told to nobody: no loop can start.
  queue::Message failed = notice.message;
  failed.recipients[0].state = State::failed;
  EXPECT_EQ(shown(due_notices(failed, start + 5h, {})), "untold");
}

struct StatusCase {
  std::string_view name;
  State state;
  queue::Outcome last;
  std::string_view status, action;
};

TEST(Notice, gives_each_recipient_status_and_action) {
  const StatusCase cases[] = {
      {"given up", State::failed, {"4.4.1", "connection refused", ""}, "5.4.7", "failed"},
      {"given up on TLS", State::failed, {"4.7.5", "bad certificate", ""}, "5.7.5", "failed"},
      {"no status", State::failed, {"", "", ""}, "5.0.0", "failed"},
      {"broken status", State::failed, {"x", "", ""}, "5.0.0", "failed"},
      {"delayed", State::waiting, {"4.2.2", "450 full", "mx.x.example"}, "4.2.2", "delayed"},
      {"delayed before any attempt", State::waiting, {"", "", ""}, "4.0.0", "delayed"},
      {"delivered here", State::delivered, {"2.0.0", "in the mailbox", ""}, "2.0.0", "delivered"},
      {"passed on",
       State::delivered,
       {"2.6.0", "250 ok", "mx.x.example [192.0.2.1]:25"},
       "2.6.0",
       "relayed"},
  };
  for (const StatusCase& one : cases) {
    auto message = message_with({recipient("a@x.example", one.state)});
    message.recipients[0].last = one.last;
    const std::string text = notice_for(message, {0}).text;
    EXPECT_TRUE(text.contains(fmt::format("Status: {}\r\n", one.status))) << one.name << text;
    EXPECT_TRUE(text.contains(fmt::format("Action: {}\r\n", one.action))) << one.name << text;
    EXPECT_EQ(text.contains("Will-Retry-Until: "), one.state == State::waiting) << one.name;
  }
}

TEST(Notice, carries_what_the_sender_asked_to_see_again) {
  auto message = message_with({recipient("a@x.example", State::failed)});
  message.envelope.envelope_id = "QQ314159";
  message.recipients[0].recipient.original = "rfc822;first@x.example";
  const std::string text = notice_for(message, {0}).text;
  EXPECT_TRUE(text.contains("Original-Envelope-Id: QQ314159\r\n"));
  EXPECT_TRUE(text.contains("Original-Recipient: rfc822; first@x.example\r\n"));
}

}  // namespace
}  // namespace tapal::bounce
