// Mail from outside, from its header to what the spool is given.
#include <optional>

#include <gtest/gtest.h>

#include "ports/memory_body.h"
#include "ports/memory_store.h"
#include "ports/test_fakes.h"
#include "ports/test_loop.h"
#include "services/intake/incoming_message.h"
#include "services/intake/test_domains.h"

namespace tapal::intake {
namespace {

using queue::Origin;

std::string text_of(const Body& body) {
  std::string text(static_cast<std::size_t>(body.size()), '\0');
  EXPECT_EQ(body.read(0, text).value_or(0), text.size());
  return text;
}

// Says what the test tells it to.
struct ToldJudge final : judge::Judge {
  judge::Opinion opinion;
  explicit ToldJudge(judge::Opinion told) : opinion(std::move(told)) {}
  std::string_view name() const override { return "told"; }
  Task<Result<judge::Opinion>> look_at(const judge::Mail&) override { co_return opinion; }
};

struct Taken {
  queue::Message message;
  std::string text;
};

struct World {
  VirtualLoop loop;
  MemoryStore store;
  ReturnPaths return_paths{store.records};
  SeededRandom random;
  RecordingLog log;
  TableOfNames names;
  judge::Judges judges{log};
  Options options{.host_name = "mx.own.example"};
  std::shared_ptr<Domains> domains = std::make_shared<Domains>(test_domains());
  std::vector<Taken> taken;
  RecordsChange kept_paths;
  std::string refusal;
  bool one_forward = false;

  World() {
    const std::array<alias::DomainInput, 1> inputs{
        alias::DomainInput{.domain = "own.example",
                           .users = {"alice", "bob", "carol"},
                           .aliases_text = "out: me@far.example\nboth: alice, me@far.example\n"
                                           "two: me@far.example, you@far.example\n",
                           .aliases_file = "aliases"}};
    domains->aliases = alias::build_alias_table(inputs).table;
    domains->srs.emplace(forward::SrsKeys{std::string(32, 'k'), {}});
    add_signer(*domains, "own.example", crypto::PrivateKey::generate_ed25519().value());
    // SPF alone speaks for these.
    for (const std::string name : {"bank.example", "club.example"})
      names.add(name, dns::Type::txt, dns::Text{"v=spf1 ip4:192.0.2.7 -all"});
    names.add("_dmarc.bank.example", dns::Type::txt, dns::Text{"v=DMARC1; p=reject"});
    names.add("_dmarc.doubt.example", dns::Type::txt, dns::Text{"v=DMARC1; p=quarantine"});
  }

  void receive(const std::vector<std::string>& to,
               const std::string& from,
               const std::string& more = {}) {
    taken.clear();
    refusal.clear();
    const auto author = mail::parse_address(from).value();
    const Passage passage{author, loop.wall_now()};
    std::vector<Placed> placed;
    for (const auto& one : to)
      for (auto& each :
           place_recipient(*domains, {}, passage, {.address = mail::parse_address(one).value()})
               .value())
        placed.push_back(std::move(each));
    const InspectionWorld inspection{loop, log, names, judges, nullptr};
    IncomingMessage incoming({options, loop, random, store, return_paths, &inspection},
                             domains,
                             {{}, Endpoint::from_text("192.0.2.7:4000").value(), "mx.else", author},
                             std::move(placed));
    const auto text = more + "From: <" + from + ">\r\nSubject: x\r\n\r\nhello\r\n";
    EXPECT_FALSE(incoming.on_bytes(text));
    auto completed =
        loop.wait(incoming.complete({.return_path = author}, {"ESMTPS", "TLSv1.3 X"})).value();
    one_forward = incoming.is_one_forward();
    if (!completed) {
      refusal = smtp::one_line(completed.error());
      return;
    }
    kept_paths = std::move(completed->return_paths);
    for (auto& one : completed->added) taken.push_back({one.message, text_of(*one.body)});
  }
};

TEST(IncomingForward, leaves_under_a_return_path_of_ours_and_sealed) {
  World w;
  w.receive({"out@own.example"}, "info@club.example");
  ASSERT_EQ(w.taken.size(), 1U) << w.refusal;
  const auto& [message, text] = w.taken[0];
  EXPECT_TRUE(w.one_forward);
  EXPECT_EQ(message.origin.kind, Origin::Kind::forwarded);
  EXPECT_TRUE(message.origin.authenticated);  // SPF passed: a bounce may go back
  ASSERT_TRUE(message.envelope.return_path);
  EXPECT_EQ(message.envelope.return_path->domain, "own.example");
  EXPECT_TRUE(message.envelope.return_path->local.starts_with("SRS0="));
  EXPECT_EQ(message.recipients[0].recipient.address.text(), "me@far.example");
  EXPECT_TRUE(text.starts_with("ARC-Seal:")) << text;
  EXPECT_TRUE(text.contains("Authentication-Results: mx.own.example;"));
  EXPECT_TRUE(text.contains("X-Forwarded-To: me@far.example\r\n"));
  EXPECT_TRUE(text.ends_with("From: <info@club.example>\r\nSubject: x\r\n\r\nhello\r\n"));
}

TEST(IncomingForward, keeps_a_sender_that_is_too_long_to_be_read_back_with_the_message) {
  World w;
  const std::string longest = "a-newsletter-with-many-readers";  // 42 octets with its domain
  w.receive({"out@own.example"}, longest + "@club.example");
  ASSERT_EQ(w.taken.size(), 1U) << w.refusal;
  EXPECT_TRUE(w.taken[0].message.envelope.return_path->local.ends_with("=club.example=" + longest));
  EXPECT_TRUE(w.kept_paths.empty());
  // One path for each message: the aliases' domains may differ, and each names its own.
  w.receive({"out@own.example", "both@own.example"}, longest + "1@club.example");
  ASSERT_EQ(w.taken.size(), 3U) << w.refusal;
  EXPECT_EQ(w.taken[0].message.envelope.return_path->text(), longest + "1@club.example");
  ASSERT_EQ(w.kept_paths.put.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& message = w.taken[i + 1].message;
    const auto& [name, sender] = w.kept_paths.put[i];
    EXPECT_EQ(name, message.id.text());
    EXPECT_EQ(sender, longest + "1@club.example");
    EXPECT_TRUE(message.envelope.return_path->local.ends_with("==" + name));
    EXPECT_EQ(message.envelope.return_path->domain, "own.example");
    EXPECT_TRUE(message.origin.authenticated);
  }
}

TEST(IncomingForward, is_a_message_of_its_own_beside_what_stays) {
  World w;
  w.receive({"both@own.example", "two@own.example", "bob@own.example"}, "info@club.example");
  ASSERT_EQ(w.taken.size(), 3U) << w.refusal;
  EXPECT_FALSE(w.one_forward);
  EXPECT_EQ(w.taken[0].message.recipients.size(), 2U);  // alice and bob
  EXPECT_EQ(w.taken[0].message.origin.kind, Origin::Kind::received);
  EXPECT_EQ(w.taken[0].message.envelope.return_path->text(), "info@club.example");
  EXPECT_EQ(w.taken[1].message.recipients.size(), 1U);
  EXPECT_EQ(w.taken[2].message.recipients.size(), 2U);
  std::set<QueueId> ids;
  for (const auto& [message, text] : w.taken) {
    ids.insert(message.id);
    EXPECT_TRUE(text.contains("\tid " + message.id.text()) || text.contains(message.id.text()));
    EXPECT_TRUE(text.ends_with("\r\n\r\nhello\r\n"));
  }
  EXPECT_EQ(ids.size(), 3U);
}

TEST(IncomingForward, is_refused_where_the_target_would_refuse_it_and_nobody_else_gets_it) {
  World w;
  w.receive({"out@own.example"}, "info@bank.example");
  EXPECT_TRUE(w.refusal.starts_with("550 5.7.1 out@own.example is passed on")) << w.refusal;
  w.receive({"both@own.example"}, "info@bank.example");
  ASSERT_EQ(w.taken.size(), 2U) << w.refusal;
  EXPECT_TRUE(w.taken[1].text.contains("Content-Type: message/rfc822\r\n"));
  EXPECT_TRUE(w.taken[1].text.starts_with("DKIM-Signature:"));
  EXPECT_TRUE(w.taken[1].text.ends_with(
      "\r\n\r\nFrom: <info@bank.example>\r\nSubject: x\r\n\r\nhello\r\n"));
}

TEST(IncomingForward, is_rewritten_or_passed_on_where_the_settings_say_so) {
  World w;
  w.options.remedies.when_rejected = forward::Remedy::rewrite_from;
  w.receive({"out@own.example"}, "info@bank.example");
  ASSERT_EQ(w.taken.size(), 1U) << w.refusal;
  EXPECT_TRUE(w.taken[0].text.contains("Reply-To: <info@bank.example>\r\n"));
  EXPECT_TRUE(w.taken[0].text.starts_with("DKIM-Signature:"));
  w.options.remedies.when_rejected = forward::Remedy::pass_on;
  w.receive({"out@own.example"}, "info@bank.example");
  ASSERT_EQ(w.taken.size(), 1U) << w.refusal;
  EXPECT_TRUE(w.taken[0].text.contains("From: <info@bank.example>\r\n"));
}

TEST(IncomingForward, waits_to_be_released_when_the_message_looks_forged) {
  World w;
  w.receive({"both@own.example"}, "info@doubt.example");
  ASSERT_EQ(w.taken.size(), 2U) << w.refusal;
  EXPECT_EQ(w.taken[0].message.recipients[0].state, queue::State::waiting);
  EXPECT_TRUE(w.taken[0].text.contains("X-Spam-Flag: YES\r\n"));
  EXPECT_EQ(w.taken[0].message.recipients[0].recipient.handover.target, junk_folder);
  EXPECT_TRUE(w.taken[1].message.recipients[0].recipient.handover.target.empty());
  EXPECT_EQ(w.taken[1].message.recipients[0].state, queue::State::held);
  EXPECT_FALSE(w.taken[0].message.origin.authenticated);  // nobody vouches for its return path
  w.options.uses_junk_folder = false;
  w.receive({"alice@own.example"}, "info@doubt.example");
  ASSERT_EQ(w.taken.size(), 1U) << w.refusal;
  EXPECT_TRUE(w.taken[0].message.recipients[0].recipient.handover.target.empty());
}

std::string to_whom(const std::vector<Taken>& taken) {
  std::string text;
  for (const auto& [message, body] : taken) {
    for (const auto& state : message.recipients) text += state.recipient.address.text() + " ";
    text += "| ";
  }
  return text;
}

judge::Opinion change_of_recipients(const std::vector<std::string>& added,
                                    const std::vector<std::string>& removed = {}) {
  judge::Opinion opinion;
  for (const auto& one : added)
    opinion.added_recipients.push_back(mail::parse_address(one).value());
  for (const auto& one : removed)
    opinion.removed_recipients.push_back(mail::parse_address(one).value());
  return opinion;
}

TEST(IncomingForward, goes_to_whom_a_filter_adds_and_not_to_whom_it_takes_out) {
  World w;
  w.judges.add(
      std::make_unique<ToldJudge>(change_of_recipients(
          {"carol@own.example", "both@own.example", "BOB@own.example"}, {"alice@own.example"})),
      judge::WhenDown::defer);
  w.receive({"alice@own.example", "bob@own.example"}, "info@club.example");
  EXPECT_EQ(to_whom(w.taken),
            "bob@own.example carol@own.example alice@own.example | me@far.example | ")
      << w.refusal;
  for (const auto& [message, text] : w.taken)
    EXPECT_TRUE(text.ends_with("\r\n\r\nhello\r\n")) << text;
  EXPECT_TRUE(w.taken.at(1).text.starts_with("ARC-Seal:")) << w.taken.at(1).text;
  EXPECT_TRUE(w.taken[1].message.envelope.return_path->local.starts_with("SRS0="));
}

TEST(IncomingForward, goes_to_nobody_that_the_client_may_not_send_to) {
  World w;
  w.judges.add(std::make_unique<ToldJudge>(change_of_recipients(
                   {"nobody-here@own.example", "spy@far.example", "bob@own.example"})),
               judge::WhenDown::defer);
  w.receive({"alice@own.example"}, "info@club.example");
  EXPECT_EQ(to_whom(w.taken), "alice@own.example bob@own.example | ") << w.refusal;
  EXPECT_EQ(w.log.count("a filter's recipient is not taken"), 2U);
  w.options.limits.recipients = 1;
  w.receive({"alice@own.example"}, "info@club.example");
  EXPECT_EQ(to_whom(w.taken), "alice@own.example | ");
}

TEST(IncomingForward, is_thrown_away_where_all_are_taken_out_and_none_can_come_in) {
  World w;
  w.judges.add(
      std::make_unique<ToldJudge>(change_of_recipients({"spy@far.example"}, {"alice@own.example"})),
      judge::WhenDown::defer);
  w.receive({"alice@own.example"}, "info@club.example");
  EXPECT_TRUE(w.refusal.empty());
  EXPECT_TRUE(w.taken.empty());
}

TEST(IncomingForward, finds_that_it_was_here_before) {
  World w;
  w.receive({"out@own.example"}, "info@club.example", "Delivered-To: OUT@own.example\r\n");
  EXPECT_TRUE(w.refusal.starts_with("554 5.4.6")) << w.refusal;
}

TEST(IncomingForward, is_what_the_filters_made_of_it) {
  World w;
  judge::Opinion opinion;
  opinion.body = "another\r\n";
  opinion.edits.push_back({.name = "X-Filtered", .body = " yes"});
  opinion.removed_recipients.push_back(mail::parse_address("alice@own.example").value());
  w.judges.add(std::make_unique<ToldJudge>(opinion), judge::WhenDown::accept);
  w.receive({"both@own.example"}, "info@club.example");
  ASSERT_EQ(w.taken.size(), 1U) << w.refusal;
  EXPECT_EQ(w.taken[0].message.recipients[0].recipient.address.text(), "me@far.example");
  EXPECT_TRUE(w.taken[0].text.ends_with("X-Filtered: yes\r\n\r\nanother\r\n")) << w.taken[0].text;
}

TEST(IncomingForward, ends_where_a_filter_wants_it_to) {
  for (const auto& [action, reply] :
       {std::pair{judge::Action::refuse, "550"}, std::pair{judge::Action::defer, "451"}}) {
    World w;
    judge::Opinion opinion{.action = action};
    opinion.reply = smtp::make_reply(action == judge::Action::refuse ? 550 : 451, "", "no");
    w.judges.add(std::make_unique<ToldJudge>(opinion), judge::WhenDown::accept);
    w.receive({"out@own.example"}, "info@club.example");
    EXPECT_TRUE(w.refusal.starts_with(reply)) << w.refusal;
  }
  World w;
  w.judges.add(std::make_unique<ToldJudge>(judge::Opinion{.action = judge::Action::discard}),
               judge::WhenDown::accept);
  w.receive({"out@own.example"}, "info@club.example");
  EXPECT_EQ(w.refusal, "");
  EXPECT_TRUE(w.taken.empty());
  EXPECT_FALSE(w.one_forward);
}

}  // namespace
}  // namespace tapal::intake
