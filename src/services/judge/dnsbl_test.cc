#include "services/judge/dnsbl.h"

#include "services/judge/test_mail.h"

namespace tapal::judge {
namespace {

IpAddress ip(std::string_view text) { return IpAddress::from_text(text).value(); }
DnsblZone zone(std::string_view text) { return DnsblZone::from_text(text).value(); }

TEST(DnsblZone, reads_zones_codes_and_weights_and_prints_them_again) {
  for (const std::string text : {"zen.spamhaus.org",
                                 "zen.spamhaus.org=127.0.0.[2..11]",
                                 "zen.spamhaus.org=127.0.0.[2..3;5;9..11]*2",
                                 "list.example=127.[0..1].0.2",
                                 "list.example*-3"}) {
    SCOPED_TRACE(text);
    const auto read = DnsblZone::from_text(text);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->text(), text);
  }
  EXPECT_EQ(zone("b\xc3\xbc.example").name, "xn--b-eha.example");
  EXPECT_EQ(zone("list.example=127.0.0.[4]").text(), "list.example=127.0.0.4");
}

TEST(DnsblZone, refuses_what_is_none) {
  for (const std::string text : {"",
                                 "org",
                                 "a b.example",
                                 "list.example*",
                                 "list.example*0",
                                 "list.example*101",
                                 "list.example*x",
                                 "list.example=",
                                 "list.example=127.0.0",
                                 "list.example=127.0.0.2.3",
                                 "list.example=127.0.0.256",
                                 "list.example=127.0.0.[2..",
                                 "list.example=127.0.0.[]",
                                 "list.example=127.0.0.[9..2]",
                                 "list.example=127.0.0.2..9",
                                 "list.example=127.0.0.[2]x"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(DnsblZone::from_text(text));
  }
}

struct CodeCase {
  const char* codes;
  const char* answer;
  bool listed;
};

TEST(DnsblCodes, tell_a_listing_from_everything_else) {
  const std::vector<CodeCase> cases = {
      {"", "127.0.0.2", true},
      {"", "127.0.0.11", true},
      {"", "127.0.1.2", true},
      {"", "127.0.0.1", false},
      {"", "127.0.0.0", false},
      {"", "127.255.255.252", false},
      {"", "127.255.255.254", false},
      {"", "127.255.0.1", true},
      {"", "192.0.2.1", false},
      {"", "0.0.0.0", false},
      {"", "2001:db8::2", false},
      {"=127.0.0.[2..3;9]", "127.0.0.2", true},
      {"=127.0.0.[2..3;9]", "127.0.0.3", true},
      {"=127.0.0.[2..3;9]", "127.0.0.4", false},
      {"=127.0.0.[2..3;9]", "127.0.0.9", true},
      {"=127.0.0.[2..3;9]", "127.0.1.2", false},
      {"=127.255.255.254", "127.255.255.254", false},
      {"=192.0.2.1", "192.0.2.1", false},
      {"=127.0.0.1", "127.0.0.1", true},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.codes) + " " + c.answer);
    EXPECT_EQ(zone(std::string("list.example") + c.codes).codes.match(ip(c.answer)), c.listed);
  }
}

struct DnsblTest : testing::Test {
  Opinion look(std::vector<DnsblZone> zones, std::string_view peer = "8.8.4.4", int threshold = 1) {
    DnsblJudge judge(std::move(zones), threshold, {loop, names, log});
    auto mail = test_mail();
    mail.peer = ip(peer);
    return loop.wait(judge.look_at(mail)).value().value();
  }
  void list(const std::string& name, std::string_view code, const std::string& text = "") {
    names.address(name, code);
    if (!text.empty()) names.add(name, dns::Type::txt, dns::Text{text});
  }
  std::string trouble() const {
    return log.entries.empty() ? "" : log.entries.back().fields.at("reason");
  }

  VirtualLoop loop;
  TableOfNames names;
  RecordingLog log;
};

TEST_F(DnsblTest, refuses_a_listed_peer_with_the_lists_words) {
  list("4.4.8.8.a.example", "127.0.0.4", "see https://a.example/?ip=8.8.4.4\n");
  const auto opinion = look({zone("b.example"), zone("a.example")});
  EXPECT_EQ(opinion.action, Action::refuse);
  EXPECT_EQ(smtp::one_line(opinion.reply),
            "554 5.7.1 8.8.4.4 is listed by a.example: see https://a.example/?ip=8.8.4.4\\\\x0A");
  EXPECT_EQ(opinion.reason, "a.example (127.0.0.4)");
  EXPECT_TRUE(log.entries.empty());
}

TEST_F(DnsblTest, looks_ipv6_up_by_nibbles) {
  list("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.8.4.6.0.6.2.a.example", "127.0.0.2");
  EXPECT_EQ(look({zone("a.example")}, "2606:4860::1").action, Action::refuse);
  EXPECT_EQ(look({zone("a.example")}, "2606:4860::2").action, Action::accept);
}

TEST_F(DnsblTest, asks_nothing_about_private_peers) {
  for (const auto* peer : {"127.0.0.1", "10.1.2.3", "::1", "fd00::1", "192.168.0.1"}) {
    SCOPED_TRACE(peer);
    EXPECT_EQ(look({zone("a.example")}, peer).action, Action::accept);
  }
  EXPECT_EQ(names.questions, 0U);
}

TEST_F(DnsblTest, adds_weights_up_to_the_threshold) {
  list("4.4.8.8.a.example", "127.0.0.2");
  list("4.4.8.8.b.example", "127.0.0.2");
  list("4.4.8.8.good.example", "127.0.0.2");
  EXPECT_EQ(look({zone("a.example")}, "8.8.4.4", 2).action, Action::accept);
  EXPECT_EQ(look({zone("a.example"), zone("b.example")}, "8.8.4.4", 2).action, Action::refuse);
  EXPECT_EQ(look({zone("a.example*2")}, "8.8.4.4", 2).action, Action::refuse);
  EXPECT_EQ(look({zone("a.example"), zone("good.example*-1")}).action, Action::accept);
  EXPECT_EQ(look({zone("a.example"), zone("good.example*-1")}).score, 0);
}

TEST_F(DnsblTest, never_takes_a_refusal_for_a_listing) {
  list("4.4.8.8.a.example", "127.255.255.254");
  EXPECT_EQ(look({zone("a.example")}).action, Action::accept);
  EXPECT_EQ(trouble(), "a.example refuses our questions (127.255.255.254)");
}

TEST_F(DnsblTest, never_believes_a_list_of_everybody) {
  list("4.4.8.8.a.example", "127.0.0.2");
  list("1.0.0.127.a.example", "127.0.0.2");
  EXPECT_EQ(look({zone("a.example")}).action, Action::accept);
  EXPECT_EQ(trouble(), "a.example lists everybody");
}

TEST_F(DnsblTest, ignores_a_resolver_that_invents_addresses) {
  list("4.4.8.8.a.example", "203.0.113.7");
  EXPECT_EQ(look({zone("a.example")}).action, Action::accept);
}

TEST_F(DnsblTest, accepts_when_no_list_answers) {
  names.failure = Error{Code::try_later, "no answer"};
  EXPECT_EQ(look({zone("a.example")}).action, Action::accept);
  EXPECT_EQ(trouble(), "a.example does not answer");
}

// Answers after a while.
class SlowNames final : public Resolver {
 public:
  explicit SlowNames(VirtualLoop& loop) : loop_(loop) {}
  Task<Result<DnsAnswer>> resolve(Loop&, std::string, dns::Type) override {
    ++questions;
    const auto timer = loop_.make_timer();
    co_await timer->wait_until(loop_.now() + std::chrono::seconds(9));
    co_return fail(Code::try_later, "no answer");
  }
  std::size_t questions = 0;

 private:
  VirtualLoop& loop_;
};

TEST_F(DnsblTest, does_not_wait_for_every_list_that_is_slow) {
  SlowNames slow(loop);
  DnsblJudge judge(std::vector(10, zone("a.example")), 1, {loop, slow, log});
  const auto mail = test_mail();
  EXPECT_EQ(loop.wait(judge.look_at(mail)).value().value().action, Action::accept);
  EXPECT_EQ(slow.questions, 3U);
}

TEST_F(DnsblTest, asks_a_bounded_number_of_lists) {
  std::vector<DnsblZone> zones(1000, zone("a.example"));
  look(std::move(zones));
  EXPECT_EQ(names.questions, DnsblCheck::zones_max);
}

}  // namespace
}  // namespace tapal::judge
