#include "rules/queue/message.h"

#include <random>

#include <gtest/gtest.h>

namespace tapal::queue {
namespace {

Message full_message() {
  Message message;
  message.id = QueueId{0x0123456789abcdef};
  message.arrived = WallTime(std::chrono::milliseconds(1'700'000'000'123));
  message.origin = {Origin::Kind::relayed, "ana@example.com", true};
  message.envelope.return_path = mail::Address{"ana \"x\"", "example.com"};
  message.envelope.body = mail::BodyType::binary_mime;
  message.envelope.smtputf8 = true;
  message.envelope.require_tls = true;
  message.envelope.return_content = mail::ReturnContent::headers;
  message.envelope.envelope_id = "QQ314159";
  message.body_bytes = UINT64_MAX;
  message.subject = "തപാൽ \x01 \xff broken";
  message.message_id = "<1@example.com>";
  RecipientState state;
  state.recipient = {
      {"josé", "xn--exmple-cua.com"}, {false, true, true, true}, "rfc822;j@e.com", {}};
  state.state = State::held;
  state.attempts = UINT32_MAX;
  state.next_attempt = WallTime(std::chrono::milliseconds(-5));
  state.last_attempt = message.arrived;
  state.last = {"4.7.1", "451 4.7.1 wait\r\n\tplease\\", "mx.example.com [2001:db8::1]:25"};
  state.sender_told = true;
  state.sender_told_of_delay = true;
  message.recipients.push_back(state);
  RecipientState plain;
  plain.recipient.address = {"b", "example.org"};
  plain.recipient.notify.never = true;
  message.recipients.push_back(plain);
  plain.recipient.handover = {mail::Handover::Kind::program, {}, {"/bin/tool", "", "\"a b\""}};
  message.recipients.push_back(plain);
  return message;
}

TEST(MessageRecord, comes_back_as_it_was_written) {
  for (const Message& message : {full_message(), Message()}) {
    const auto read = message_from_json(to_json(message));
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(*read, message);
  }
}

TEST(MessageRecord, null_return_path_is_kept_apart_from_an_address) {
  Message message = full_message();
  message.envelope.return_path.reset();
  EXPECT_EQ(message_from_json(to_json(message)).value().envelope.return_path, std::nullopt);
}

// As versions before handovers wrote it, and as they go on reading it.
TEST(MessageRecord, without_a_handover_is_what_it_always_was) {
  Message message = full_message();
  message.recipients.pop_back();
  const std::string json = to_json(message);
  EXPECT_TRUE(json.contains("\"version\":1,"));
  EXPECT_FALSE(json.contains("handover"));
  EXPECT_EQ(message_from_json(json).value(), message);
}

TEST(MessageRecord, keeps_every_kind_of_handover) {
  using Kind = mail::Handover::Kind;
  for (const auto kind :
       {Kind::usual, Kind::host, Kind::lmtp, Kind::maildir, Kind::program, Kind::http}) {
    Message message = full_message();
    message.recipients.back().recipient.handover = {kind, "somewhere", {}};
    EXPECT_EQ(message_from_json(to_json(message)).value(), message);
  }
}

TEST(MessageRecord, refuses_a_newer_version_and_says_so) {
  std::string json = to_json(full_message());
  json.replace(json.find("\"version\":2"), 11, "\"version\":3");
  const auto read = message_from_json(json);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::invalid);
  EXPECT_NE(read.error().what.find("version 3"), std::string::npos) << read.error().what;
}

TEST(MessageRecord, refuses_what_is_wrong_and_names_the_member) {
  const struct {
    std::string_view what, from, to, named;
  } cases[] = {
      {"id", R"("id":")", R"("id":"!)", "id"},
      {"state", R"("state":"held")", R"("state":"lost")", "state"},
      {"attempts too large", R"("attempts":4294967295)", R"("attempts":4294967296)", "attempts"},
      {"attempts negative", R"("attempts":4294967295)", R"("attempts":-1)", "attempts"},
      {"attempts a fraction", R"("attempts":4294967295)", R"("attempts":1.5)", "attempts"},
      {"notify", R"("success")", R"("sometimes")", "notify"},
      {"recipients missing", R"("recipients")", R"("reciients")", "recipients"},
      {"flag", R"("smtputf8":true)", R"("smtputf8":"yes")", "smtputf8"},
      {"address", R"("domain":"example.com")", R"("domain":5)", "domain"},
      {"kind", R"("kind":"program")", R"("kind":"pigeon")", "kind"},
      {"arguments", R"("/bin/tool","")", R"("/bin/tool",5)", "arguments"},
      {"arguments missing", R"("arguments")", R"("argument")", "arguments"},
      {"version missing", R"("version":2,)", "", "version"},
  };
  const std::string good = to_json(full_message());
  for (const auto& each : cases) {
    std::string json = good;
    const auto at = json.find(each.from);
    ASSERT_NE(at, std::string::npos) << each.what;
    json.replace(at, each.from.size(), each.to);
    const auto read = message_from_json(json);
    ASSERT_FALSE(read) << each.what;
    EXPECT_NE(read.error().what.find(each.named), std::string::npos)
        << each.what << ": " << read.error().what;
  }
}

TEST(MessageRecord, every_cut_and_many_damaged_records_are_refused_or_read_never_crash) {
  const std::string good = to_json(full_message());
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(message_from_json(std::string_view(good).substr(0, length))) << length;
  }
  const unsigned seed = 20'260;
  std::mt19937 random(seed);
  std::size_t refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string damaged = good;
    for (int i = 0; i < 3; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    const auto read = message_from_json(damaged);
    if (!read)
      ++refused;
    else
      EXPECT_EQ(message_from_json(to_json(*read)).value(), *read) << "seed " << seed;
  }
  EXPECT_GT(refused, 1'000U);
}

TEST(MessageRecord, deep_nesting_is_refused) {
  std::string json = R"({"version":1,"x":)" + std::string(100'000, '[');
  EXPECT_FALSE(message_from_json(json));
}

}  // namespace
}  // namespace tapal::queue
