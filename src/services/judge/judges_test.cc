#include "services/judge/judges.h"

#include "services/judge/test_mail.h"

namespace tapal::judge {
namespace {

using Kind = mail::HeaderEdit::Kind;

// Says what it was told to, and remembers what it saw.
class FakeJudge final : public Judge {
 public:
  FakeJudge(std::string name, Result<Opinion> opinion, std::vector<Mail>* seen = nullptr)
      : name_(std::move(name)), opinion_(std::move(opinion)), seen_(seen) {}
  std::string_view name() const override { return name_; }
  Task<Result<Opinion>> look_at(const Mail& mail) override {
    if (seen_ != nullptr) seen_->push_back(mail);
    co_return opinion_;
  }

 private:
  std::string name_;
  Result<Opinion> opinion_;
  std::vector<Mail>* seen_;
};

struct JudgesTest : testing::Test {
  void add(std::string name, Result<Opinion> opinion, WhenDown when_down = WhenDown::accept) {
    judges.add(std::make_unique<FakeJudge>(std::move(name), std::move(opinion), &seen), when_down);
  }
  Verdict verdict() { return loop.wait(judges.look_at(test_mail())).value(); }

  VirtualLoop loop;
  RecordingLog log;
  Judges judges{log};
  std::vector<Mail> seen;
};

Opinion opinion_of(Action action, smtp::Reply reply = {}) {
  Opinion opinion;
  opinion.action = action;
  opinion.reply = std::move(reply);
  return opinion;
}

TEST_F(JudgesTest, accept_where_nobody_objects) {
  EXPECT_TRUE(judges.empty());
  EXPECT_EQ(verdict().action, Action::accept);
  add("one", Opinion());
  EXPECT_FALSE(judges.empty());
  const auto said = verdict();
  EXPECT_EQ(said.action, Action::accept);
  EXPECT_EQ(said.by, "");
  EXPECT_FALSE(said.header_changed || said.body_changed || said.envelope_changed);
}

TEST_F(JudgesTest, stop_at_the_first_that_refuses_defers_or_discards) {
  for (const auto action : {Action::refuse, Action::defer, Action::discard}) {
    SCOPED_TRACE(action_text(action));
    Judges chain(log);
    seen.clear();
    const smtp::Reply no{550, "5.7.1", {"no"}};
    chain.add(std::make_unique<FakeJudge>("one", opinion_of(Action::keep_aside)), WhenDown::accept);
    chain.add(std::make_unique<FakeJudge>("two", opinion_of(action, no)), WhenDown::accept);
    chain.add(std::make_unique<FakeJudge>("three", Opinion(), &seen), WhenDown::accept);
    const auto said = loop.wait(chain.look_at(test_mail())).value();
    EXPECT_EQ(said.action, action);
    EXPECT_EQ(said.by, "two");
    EXPECT_EQ(said.reply, no);
    EXPECT_TRUE(seen.empty());
  }
}

TEST_F(JudgesTest, keep_aside_what_one_finds_odd_and_ask_the_others) {
  add("one", opinion_of(Action::keep_aside));
  add("two", Opinion());
  const auto said = verdict();
  EXPECT_EQ(said.action, Action::keep_aside);
  EXPECT_EQ(said.by, "one");
  EXPECT_EQ(seen.size(), 2U);
}

TEST_F(JudgesTest, hand_on_what_the_one_before_changed) {
  Opinion changes;
  changes.edits = {{Kind::append, "X", " y", 0}};
  changes.body = "New\r\n";
  changes.removed_recipients = {address("EVE@rcpt.example"), address("nobody@rcpt.example")};
  changes.added_recipients = {address("new@rcpt.example"), address("bob@rcpt.example")};
  changes.return_path.emplace(std::nullopt);
  add("one", changes);
  add("two", Opinion());
  const auto said = verdict();
  EXPECT_TRUE(said.header_changed && said.body_changed && said.envelope_changed);
  EXPECT_EQ(said.mail.header, "From: ann\r\nSubject: hi\r\nX: y\r\n");
  EXPECT_EQ(text_of(said.mail.body), "New\r\n");
  EXPECT_EQ(said.mail.recipients,
            (std::vector{address("bob@rcpt.example"), address("new@rcpt.example")}));
  EXPECT_FALSE(said.mail.return_path);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[1].header, said.mail.header);
  EXPECT_EQ(seen[1].recipients, said.mail.recipients);
}

TEST_F(JudgesTest, discard_a_message_that_has_lost_all_recipients) {
  Opinion changes;
  changes.removed_recipients = test_mail().recipients;
  add("one", changes);
  const auto said = verdict();
  EXPECT_EQ(said.action, Action::discard);
  EXPECT_EQ(said.by, "one");
}

TEST_F(JudgesTest, do_as_told_when_one_is_down) {
  add("calm", fail(Code::closed, "gone\n"), WhenDown::accept);
  EXPECT_EQ(verdict().action, Action::accept);
  add("strict", fail(Code::closed, "gone"), WhenDown::defer);
  add("after", Opinion());
  const auto said = verdict();
  EXPECT_EQ(said.action, Action::defer);
  EXPECT_EQ(said.reply.code, 451);
  EXPECT_EQ(said.by, "strict");
  EXPECT_EQ(seen.size(), 3U);  // "after" was not asked
  ASSERT_EQ(log.count("a filter cannot judge"), 3U);
  EXPECT_EQ(log.entries[0].fields.at("filter"), "calm");
  EXPECT_EQ(log.entries[0].fields.at("reason"), "gone\\x0A");
  EXPECT_EQ(log.entries[2].fields.at("outcome"), "defer");
}

TEST_F(JudgesTest, hold_one_that_breaks_the_header_for_down) {
  Opinion odd;
  odd.edits = {{Kind::append, "a b", " y", 0}};
  add("odd", odd, WhenDown::defer);
  EXPECT_EQ(verdict().action, Action::defer);
  EXPECT_EQ(log.count("a filter cannot judge"), 1U);
}

}  // namespace
}  // namespace tapal::judge
