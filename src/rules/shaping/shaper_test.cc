#include "rules/shaping/shaper.h"

#include <map>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "rules/shaping/site_name.h"

namespace tapal::shaping {
namespace {

using namespace std::chrono_literals;
using queue::Obstacle;
using queue::Sender;
using queue::Urgency;
using Reason = Obstacle::Reason;
using Kind = Lesson::Kind;

const WallTime noon{std::chrono::milliseconds(1'700'000'000'000)};
const Sender ann{"ann@own.example", "own.example", false};
const Sender bob{"bob@other.example", "other.example", false};

constexpr std::string_view limited = R"(
[strict]
mx = ["strict.example"]
connections_per_source = 2
messages_per_connection = 7
recipients_per_transaction = 3
message_rate_per_source = "4/1m"
)";

struct World {
  explicit World(ShaperOptions options = {}, std::string_view toml = {})
      : providers(read_providers(toml, "providers.toml").value()), shaper(options, providers) {}

  bool enter(std::string_view site, const Sender& sender = ann, Urgency urgency = Urgency::usual) {
    return shaper.enter({site, sender, {}, urgency, now}).has_value();
  }
  std::size_t enter_all(std::string_view site, const Sender& sender = ann) {
    std::size_t entered = 0;
    while (entered < 1'000 && enter(site, sender)) ++entered;
    return entered;
  }
  void end(std::string_view site, Kind kind, const Sender& sender = ann) {
    queue::Permit permit;
    shaper.learn(site, sender, permit, {.kind = kind, .said = "451 later"}, now);
    shaper.leave(site, sender, permit);
  }
  std::optional<Obstacle> look(std::string_view site, const Sender& sender = ann) {
    return shaper.look({site, sender, {}, Urgency::usual, now});
  }

  ProviderTable providers;
  Shaper shaper;
  WallTime now = noon;
};

TEST(Shaper, begins_with_few_attempts_and_goes_on_to_as_many_as_are_allowed) {
  World w({.connections_per_site_max = 8, .connections_per_site_at_first = 3});
  EXPECT_EQ(w.enter_all("mx.example"), 3U);
  EXPECT_EQ(w.look("mx.example")->reason, Reason::site_connections);
  for (int i = 0; i < 200; ++i) {
    w.end("mx.example", Kind::went_well);
    w.enter_all("mx.example");
  }
  EXPECT_EQ(w.look("mx.example")->text,
            "8 attempts are under way at mx.example, as many as it bears now");
  EXPECT_TRUE(w.enter("other.example")) << "each site by itself";
}

TEST(Shaper, leaves_a_site_alone_after_a_round_of_failures_and_asks_with_one) {
  World w({.connections_per_site_at_first = 3, .down_at_first = 60s, .down_max = 100s});
  EXPECT_EQ(w.enter_all("dead.example"), 3U);
  for (int i = 0; i < 3; ++i) w.end("dead.example", Kind::no_answer);
  const auto down = w.look("dead.example");
  ASSERT_TRUE(down);
  EXPECT_EQ(down->reason, Reason::site_suspended);
  EXPECT_EQ(down->until, noon + 60s);
  EXPECT_EQ(down->text, "dead.example is left alone: attempts failed, the last with \"451 later\"");
  EXPECT_FALSE(w.enter("dead.example"));
  w.now += 60s;
  EXPECT_EQ(w.enter_all("dead.example"), 1U) << "one asks";
  EXPECT_EQ(w.look("dead.example")->text,
            "dead.example is asked with one message whether it is back");
  w.end("dead.example", Kind::no_answer);
  EXPECT_EQ(w.look("dead.example")->until, w.now + 100s) << "twice as long, and never too long";
  w.now += 100s;
  EXPECT_EQ(w.enter_all("dead.example"), 1U);
  w.end("dead.example", Kind::went_well);
  EXPECT_GE(w.enter_all("dead.example"), 1U);
  EXPECT_EQ(w.look("dead.example")->reason, Reason::site_connections);
}

TEST(Shaper, a_person_who_knows_better_ends_a_pause) {
  World w({.connections_per_site_at_first = 1});
  w.enter("dead.example");
  w.end("dead.example", Kind::no_answer);
  EXPECT_FALSE(w.enter("dead.example"));
  w.shaper.forgive("dead.example");
  EXPECT_TRUE(w.enter("dead.example"));
}

TEST(Shaper, mail_whose_time_is_over_gets_its_last_attempt_at_a_site_that_is_down) {
  World w({.connections_per_site_at_first = 1});
  w.enter("dead.example");
  w.end("dead.example", Kind::no_answer);
  EXPECT_TRUE(w.enter("dead.example", ann, Urgency::last));
  EXPECT_FALSE(w.enter("dead.example", ann, Urgency::last)) << "but one at a time";
}

TEST(Shaper, failures_that_are_only_about_a_recipient_teach_nothing) {
  World w({.connections_per_site_at_first = 2});
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(w.enter("mx.example"));
    w.end("mx.example", Kind::nothing);
  }
}

TEST(Shaper, keeps_to_the_table_of_providers) {
  World w({}, limited);
  const auto permit = w.shaper.enter({"strict", ann, {}, Urgency::usual, noon});
  ASSERT_TRUE(permit);
  EXPECT_EQ(permit->recipients_max, 3U);
  EXPECT_EQ(permit->messages_per_connection, 7U);
  EXPECT_EQ(w.enter_all("strict"), 1U) << "two at once";
  w.end("strict", Kind::went_well), w.end("strict", Kind::went_well);
  EXPECT_EQ(w.enter_all("strict"), 2U);
  w.end("strict", Kind::went_well), w.end("strict", Kind::went_well);
  const auto rate = w.look("strict");
  ASSERT_TRUE(rate);
  EXPECT_EQ(rate->reason, Reason::site_rate);
  EXPECT_EQ(rate->text, "strict takes 4/1m messages");
  EXPECT_GE(rate->until, noon + 60s);
  w.now = *rate->until;
  EXPECT_TRUE(w.enter("strict"));
  EXPECT_TRUE(w.enter("strict (forwarded)")) << "forwarded mail has its own";
}

TEST(Shaper, keeps_to_what_all_sources_together_may) {
  ProviderTable providers = read_providers(
                                "[strict]\nmx = [\"strict.example\"]\nconnections_per_source = 2\n"
                                "connections_per_site = 3\nmessage_rate_per_site = \"5/1m\"\n",
                                "providers.toml")
                                .value();
  const auto address = IpAddress::v4({9, 9, 9, 9});
  Sources sources({.sources = {{.name = "one", .ipv4 = address}, {.name = "two", .ipv4 = address}},
                   .warm_up = {.automatic = false}});
  Shaper shaper({}, providers, &sources);
  WallTime now = noon;
  std::uint64_t message = 0;
  const auto enter = [&] {
    return shaper.enter({"strict", ann, QueueId{++message}, Urgency::usual, now});
  };
  std::vector<queue::Permit> permits;
  for (int i = 0; i < 3; ++i) permits.push_back(enter().value());
  EXPECT_NE(permits.front().source, permits.back().source);
  EXPECT_EQ(enter().error().reason, Reason::site_connections);
  const queue::Crossing crossing{"strict", ann, QueueId{1}, Urgency::usual, now};
  EXPECT_EQ(shaper.look(crossing)->text,
            "3 attempts are under way at strict, as many as it bears now");
  for (int i = 0; i < 2; ++i) {
    for (auto& permit : permits) {
      shaper.learn("strict", ann, permit, {.kind = Kind::went_well}, now);
      shaper.leave("strict", ann, permit);
    }
    permits.clear();
    while (auto permit = enter()) permits.push_back(*std::move(permit));
    EXPECT_EQ(permits.size(), i == 0 ? 2U : 0U);
  }
  EXPECT_EQ(shaper.look(crossing)->text, "strict takes 5/1m messages");
  now = *enter().error().until;
  EXPECT_TRUE(enter());
}

TEST(Shaper, an_open_connection_does_not_count_as_a_new_one) {
  World w({}, "[strict]\nmx = [\"strict.example\"]\nconnection_rate_per_source = \"2/1m\"\n");
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(w.enter("strict")) << i;
    queue::Permit permit;
    const Lesson lesson{.kind = Kind::went_well, .connected_anew = i == 0};
    w.shaper.learn("strict", ann, permit, lesson, w.now);
    w.shaper.leave("strict", ann, permit);
  }
  ASSERT_TRUE(w.enter("strict"));
  w.end("strict", Kind::went_well);
  EXPECT_EQ(w.look("strict")->text, "strict takes 2/1m connections");
}

TEST(Shaper, limits_of_a_user_and_of_a_sender_domain_hold_up_nobody_else) {
  World w({.messages_per_sender_domain = Rate{3, 60s},
           .messages_per_user = Rate{2, 60s},
           .connections_per_user_max = 1});
  EXPECT_TRUE(w.enter("a.example"));
  EXPECT_EQ(w.look("b.example")->reason, Reason::user_connections);
  EXPECT_EQ(w.look("b.example")->scope, Obstacle::Scope::sender);
  w.end("a.example", Kind::went_well);
  EXPECT_TRUE(w.enter("b.example"));
  w.end("b.example", Kind::went_well);
  EXPECT_EQ(w.look("c.example")->text, "ann@own.example may send 2/1m messages");
  const Sender colleague{"eve@own.example", "own.example", false};
  EXPECT_TRUE(w.enter("a.example", colleague));
  w.end("a.example", Kind::went_well, colleague);
  EXPECT_EQ(w.look("a.example", colleague)->text, "own.example may send 3/1m messages");
  EXPECT_TRUE(w.enter("a.example", bob));
}

TEST(Shaper, does_what_a_rule_says_and_tells_the_first_time) {
  World w({.connections_per_site_at_first = 8});
  ReplyRule rule{.name = "x/rate",
                 .patterns = {},
                 .reaction = Reaction::slow_down,
                 .time = 10min,
                 .note = "it is too much for them"};
  const auto learn = [&](const Sender& sender = ann) {
    queue::Permit permit;
    const Lesson lesson{.kind = Kind::nothing, .rule = &rule};
    return w.shaper.learn("mx.example", sender, permit, lesson, w.now);
  };
  EXPECT_EQ(w.enter_all("mx.example"), 8U);
  EXPECT_FALSE(learn()) << "slower is no pause";
  EXPECT_FALSE(learn()) << "and what comes at the same time does not halve it again";
  for (int i = 0; i < 8; ++i) w.end("mx.example", Kind::went_well);
  EXPECT_EQ(w.enter_all("mx.example"), 3U);
  for (int i = 0; i < 3; ++i) w.end("mx.example", Kind::went_well);
  EXPECT_EQ(w.enter_all("mx.example"), 3U) << "it does not grow before the time is over";
  for (int i = 0; i < 3; ++i) w.end("mx.example", Kind::went_well);

  rule.reaction = Reaction::suspend_sender;
  const auto pause = learn();
  ASSERT_TRUE(pause);
  EXPECT_EQ(pause->sender, "own.example");
  EXPECT_EQ(pause->until, noon + 10min);
  EXPECT_FALSE(learn());
  EXPECT_EQ(w.look("mx.example")->text,
            "mx.example is left alone with mail from own.example: it is too much for them");
  EXPECT_TRUE(w.enter("mx.example", bob));
  w.end("mx.example", Kind::went_well, bob);

  rule.reaction = Reaction::suspend_site;
  EXPECT_EQ(learn(bob)->reason, "it is too much for them");
  EXPECT_EQ(w.look("mx.example", bob)->reason, Reason::site_suspended);
  w.now += 10min;
  EXPECT_TRUE(w.enter("mx.example", bob));
}

// Whatever comes in whatever order: no limit is passed, and who is let in alone is let in.
TEST(Shaper, passes_no_limit_and_works_when_nothing_limits) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    World w({.connections_per_site_max = 5, .messages_per_user = Rate{40, 600s}}, limited);
    std::multiset<std::pair<std::string, std::string>> under_way;  // site, user
    std::map<std::string, std::vector<WallTime>> of_user, at_strict;
    for (int step = 0; step < 4'000; ++step) {
      const std::string site = random() % 2 == 0 ? "strict" : "mx.example";
      const Sender& sender = random() % 2 == 0 ? ann : bob;
      const auto within = [&w](std::vector<WallTime>& times, std::chrono::seconds span) {
        std::erase_if(times, [&](WallTime at) { return at <= w.now - span; });
        return times.size();
      };
      if (random() % 3 != 0 && w.enter(site, sender)) {
        under_way.emplace(site, sender.user);
        of_user[sender.user].push_back(w.now);
        if (site == "strict") at_strict[site].push_back(w.now);
      } else if (!under_way.empty()) {
        const auto [at, user] = *under_way.begin();
        under_way.erase(under_way.begin());
        w.end(at, static_cast<Kind>(random() % 4), user == ann.user ? ann : bob);
      }
      std::size_t strict = 0;
      for (const auto& [at, user] : under_way) strict += at == "strict";
      ASSERT_LE(strict, 2U);
      ASSERT_LE(under_way.size() - strict, 5U);
      ASSERT_LE(within(of_user[sender.user], 600s), 40U);
      ASSERT_LE(within(at_strict["strict"], 60s), 4U);
      w.now += std::chrono::milliseconds(random() % 5'000);
    }
    for (const auto& [at, user] : under_way) w.end(at, Kind::nothing, user == ann.user ? ann : bob);
    w.now += 2h;
    EXPECT_TRUE(w.enter("strict")) << "everything ends";
    EXPECT_TRUE(w.enter("mx.example", bob));
  }
}

TEST(Shaper, chooses_no_source_where_no_dns_leads) {
  const auto providers = read_providers({}, "providers.toml").value();
  Sources sources({});
  Shaper shaper({}, providers, &sources);
  sources.mark("", {false, false, "9.9.9.9 has no name (PTR)"});
  struct Case {
    std::string site;
    bool waits;
  };
  for (const auto& [site, waits] : {Case{"mx.far.example", true},
                                    Case{"mx.far.example,mx2.far.example", true},
                                    Case{forwarded_site("gmail"), true},
                                    Case{"[IPv6:2600::1]", true},
                                    Case{"our mailboxes", false},
                                    Case{"route:smarthost.example:587", false},
                                    Case{forwarded_site("route:smarthost.example:587"), false},
                                    Case{"program /bin/cat", false}})
    EXPECT_EQ(shaper.look({site, ann, {}, Urgency::usual, noon}).has_value(), waits) << site;
}

}  // namespace
}  // namespace tapal::shaping
