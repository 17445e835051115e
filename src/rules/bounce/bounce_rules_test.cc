#include "rules/bounce/bounce_rules.h"

#include <set>

namespace tapal::bounce {
namespace {

BounceRules rules_with(std::string_view toml) {
  auto rules = BounceRules::read(toml, "bounce-rules.toml");
  EXPECT_TRUE(rules) << (rules ? "" : rules.error().what);
  return rules ? *std::move(rules) : BounceRules{};
}

struct ReplyCase {
  int code;
  std::string_view status, text;
  std::optional<Phase> phase;
  Category category;
  bool is_hard;
};

TEST(BounceRules, know_what_replies_mean) {
  using enum Category;
  const BounceRules rules = rules_with("");
  const ReplyCase cases[] = {
      {550, "5.1.1", "<a@x.example>: User unknown", Phase::recipient, no_such_user, true},
      {450, "4.1.1", "User unknown in virtual alias table", Phase::recipient, no_such_user, false},
      {550, "", "no", Phase::recipient, no_such_user, true},
      {550, "", "no", Phase::end, other, false},
      {550, "", "no", {}, other, false},
      {550, "5.4.1", "Recipient address rejected: Access denied", {}, no_such_user, true},
      {550,
       "5.2.1",
       "The email account that you tried to reach is disabled",
       {},
       user_disabled,
       true},
      {552, "5.2.2", "<spam@x.example>: user is over quota", {}, mailbox_full, false},
      {552, "", "sorry", Phase::recipient, mailbox_full, false},
      {552, "", "sorry", Phase::end, size, false},
      {552, "5.3.4", "Message size exceeds fixed limit", {}, size, false},
      {554, "5.7.1", "Relay access denied", {}, relay_denied, false},
      {554,
       "5.7.1",
       "Client host [192.0.2.1] blocked using zen.spamhaus.org",
       {},
       block_listed,
       false},
      {550, "5.7.1", "Fix reverse DNS for 203.0.113.2", {}, reverse_dns, false},
      {550,
       "5.7.26",
       "Unauthenticated email from x.example is not accepted",
       {},
       authentication,
       false},
      {451, "4.7.1", "Greylisted, try again in 300 seconds", {}, greylisted, false},
      {421, "4.7.28", "unusual rate of unsolicited mail", {}, rate, false},
      {421, "4.7.0", "[TSS04] Messages from 192.0.2.1 temporarily deferred", {}, rate, false},
      {554, "5.7.1", "This message is spam", {}, spam, false},
      {550, "5.6.0", "Virus found", {}, content, false},
      {553, "5.1.8", "Domain of sender address does not exist", {}, bad_sender, false},
      {550, "", "x.example does not exist", Phase::mail, bad_sender, false},
      {556, "5.1.10", "Recipient address has null MX", {}, no_such_domain, true},
      {521, "", "Server does not accept mail", {}, no_such_domain, true},
      {530, "5.7.10", "Encryption needed", {}, tls, false},
      {554, "5.4.6", "Too many hops", {}, loop, false},
      {0, "4.4.7", "", {}, expired, false},
      {0, "", "connect to x.example[192.0.2.79]:25: Connection timed out", {}, network, false},
      {451, "4.3.0", "Internal server error", {}, server, false},
      {503, "5.5.1", "Bad sequence of commands", {}, protocol, false},
      {554, "5.7.0", "Denied by policy", {}, policy, false},
      {550, "5.7.133", "Sender not in allowed list", {}, not_allowed, false},
      {554, "", "Access denied", Phase::greeting, block_listed, false},
      {250, "2.0.0", "Ok", {}, other, false},
      // An address and an IP address that look like something else.
      {550, "", "<mailbox.full@x.example> 5.2.2.1", {}, other, false},
  };
  for (const ReplyCase& one : cases) {
    const auto found = rules.diagnose({one.code, one.status, one.text, one.phase});
    EXPECT_EQ(row_of(found.category).name, row_of(one.category).name)
        << one.code << ' ' << one.text << " by " << found.rule;
    EXPECT_EQ(found.is_hard, one.is_hard) << one.code << ' ' << one.text;
  }
}

TEST(BounceRules, know_our_own_troubles) {
  using enum Category;
  const BounceRules rules = rules_with("");
  const std::pair<Failure, Category> cases[] = {
      {Failure::unreachable, network},
      {Failure::connection_lost, network},
      {Failure::timed_out, network},
      {Failure::unreadable_reply, protocol},
      {Failure::tls_failed, tls},
      {Failure::tls_not_offered, tls},
      {Failure::require_tls_lacking, tls},
      {Failure::dns_failed, network},
      {Failure::no_such_domain, no_such_domain},
      {Failure::no_mail_host, no_such_domain},
      {Failure::null_mx, no_such_domain},
      {Failure::loops_to_us, loop},
      {Failure::too_many_hops, loop},
      {Failure::expired, expired},
      {Failure::too_large, size},
      {Failure::needs_8bit, content},
      {Failure::local_disk_full, server},
      {Failure::program_died, server},
      {Failure::no_such_user, no_such_user},
  };
  for (const auto& [failure, category] : cases) {
    const auto judgement = classify(failure);
    const auto found =
        rules.diagnose(queue::Outcome{judgement.status, std::string(judgement.reason), {}});
    EXPECT_EQ(row_of(found.category).name, row_of(category).name)
        << judgement.reason << " by " << found.rule;
  }
  EXPECT_EQ(rules.diagnose(queue::Outcome{"4.1.1", "450 4.1.1 User unknown", "mx"}).is_hard, false);
  EXPECT_EQ(rules.diagnose(queue::Outcome{"5.1.1", "550 5.1.1 User unknown", "mx"}).is_hard, true);
}

TEST(BounceRules, find_the_status_that_says_most) {
  const BounceRules rules = rules_with("");
  const auto status = [&](int code, std::string_view told, std::string_view text) {
    return rules.diagnose({code, told, text, {}}).status;
  };
  EXPECT_EQ(status(550, "5.1.1", "5.2.2 full"), "5.1.1");
  EXPECT_EQ(status(550, "5.0.0", "550-5.2.2 full"), "5.2.2");
  EXPECT_EQ(status(0, "", "no mailbox here by that name. (#5.1.1)"), "5.1.1");
  EXPECT_EQ(status(550, "", "user unknown at 5.1.1.1"), "5.1.1");  // of the category
  EXPECT_EQ(status(452, "", "mailbox full"), "4.2.2");
  EXPECT_EQ(status(550, "", "?"), "5.0.0");
}

TEST(BounceRules, of_the_user_come_first_and_replace_by_name) {
  const BounceRules rules = rules_with(
      "[club]\ncategory = \"rate\"\npatterns = ['user unknown']\ncodes = [599]\n"
      "[mailbox_full]\ncategory = \"policy\"\npatterns = ['mailbox full']\n");
  EXPECT_EQ(rules.diagnose({550, "", "User unknown", {}}).rule, "club");
  EXPECT_EQ(rules.diagnose({599, "", "x", {}}).category, Category::rate);
  EXPECT_EQ(rules.diagnose({552, "", "mailbox full", {}}).category, Category::policy);
  EXPECT_NE(rules.diagnose({552, "", "over quota", {}}).category, Category::policy);
}

struct WrongCase {
  std::string_view toml, what;
};

TEST(BounceRules, tell_what_is_wrong) {
  const WrongCase cases[] = {
      {"x = 1\n", "b:1: x: expected a table of a rule, as [example]"},
      {"[a]\ncategory = \"mailbox_ful\"\npatterns = ['x']\n",
       "b:2: a.category: unknown category mailbox_ful; did you mean mailbox_full?"},
      {"[a]\ncategory = \"spam\"\n", "b:2: a: expected patterns, statuses or codes"},
      {"[a]\npatterns = ['x']\n", "b:2: a: category is missing"},
      {"[a]\ncategory = \"spam\"\npaterns = ['x']\n", "did you mean patterns?"},
      {"[a]\ncategory = \"spam\"\npatterns = ['(']\n", "b:3: a.patterns: no pattern: missing"},
      {"[a]\ncategory = \"spam\"\nstatuses = [\"5.1\"]\n", "b:3: a.statuses: expected a list"},
      {"[a]\ncategory = \"spam\"\ncodes = [250]\n", "b:3: a.codes: expected a list of codes"},
      {"[a]\ncategory = \"spam\"\npatterns = ['x']\nstages = [\"rcpt\"]\n",
       "b:4: a.stages: expected a list of greeting, hello"},
      {"[a\n", "b:1: this is not TOML"},
  };
  for (const WrongCase& one : cases) {
    const auto rules = BounceRules::read(one.toml, "b");
    ASSERT_FALSE(rules) << one.toml;
    EXPECT_TRUE(rules.error().what.contains(one.what)) << one.toml << rules.error().what;
  }
}

TEST(Categories, stand_in_their_order_under_their_own_names) {
  std::set<std::string_view> names;
  for (const CategoryRow& row : categories()) {
    EXPECT_EQ(&row_of(row.category), &row);
    EXPECT_EQ(category_named(row.name), row.category);
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
  }
  EXPECT_EQ(category_named("mailbox"), std::nullopt);
}

}  // namespace
}  // namespace tapal::bounce
