#include "services/upkeep/key_keeper.h"

#include <gtest/gtest.h>

#include "protocols/mailauth/dkim_key_record.h"
#include "services/upkeep/test_key_world.h"
#include "values/crypto/test_keys.h"

namespace tapal::upkeep {
namespace {

using namespace std::chrono_literals;
using Order = KeyKeeper::Order;
using provision::KeyStage;
using std::chrono::days;

// Ed25519 throughout: made in no time.
struct KeyKeeperTest : testing::Test {
  KeyKeeperTest() {
    shelf.put("old", crypto::test_keys::ed25519, KeyStage::signing);
    shelf.kept.keys.front().state.since = loop.wall_now();
    zone.texts[name_of("old")] = {record_of("old")};
  }
  static std::string name_of(const std::string& selector) {
    return selector + "._domainkey.example.com";
  }
  std::string record_of(const std::string& selector) const {
    for (const auto& key : shelf.kept.keys)
      if (key.state.selector == selector)
        return mailauth::DkimKeyRecord::for_key(*key.key).value().text();
    return {};
  }
  KeyKeeper keeper(DnsAccount* account) {
    KeyKeeperWorld world{loop, loop, log, zone, workers, shelf, {}, {}, {}, {}};
    world.account = [account](std::string_view) { return account; };
    world.on_change = [this](const std::string& what) { changed.push_back(what); };
    return KeyKeeper(std::move(world));
  }
  KeyReport tend(KeyKeeper& keeper, Order order = Order::none) {
    auto report = loop.wait(keeper.tend("example.com", order));
    EXPECT_TRUE(report && *report);
    return **report;
  }
  KeyStage stage(const std::string& selector) const { return shelf.state(selector).stage; }

  VirtualLoop loop;
  RecordingLog log;
  InlineWorkers workers;
  TestZone zone;
  TestShelf shelf;
  std::vector<std::string> changed;
};

TEST_F(KeyKeeperTest, leaves_young_keys_alone_and_writes_nothing) {
  auto keeper = this->keeper(&zone);
  EXPECT_TRUE(tend(keeper).changes.empty());
  EXPECT_FALSE(shelf.kept.has_states);
  EXPECT_TRUE(changed.empty());
}

TEST_F(KeyKeeperTest, turns_an_old_key_over_in_one_round_where_it_can_write_dns) {
  auto keeper = this->keeper(&zone);
  loop.run_for(days(90));
  const auto report = tend(keeper);
  EXPECT_TRUE(report.troubles.empty());
  EXPECT_EQ(stage("new1"), KeyStage::signing);
  EXPECT_EQ(stage("old"), KeyStage::retiring);
  EXPECT_EQ(zone.texts[name_of("new1")], std::vector{record_of("new1")});
  EXPECT_EQ(changed, std::vector<std::string>{"DKIM keys of example.com"});

  loop.run_for(days(14));
  tend(keeper);
  EXPECT_EQ(zone.texts[name_of("old")], std::vector<std::string>{"v=DKIM1; p="});
  loop.run_for(days(7));
  tend(keeper);
  EXPECT_FALSE(zone.texts.contains(name_of("old")) && !zone.texts[name_of("old")].empty());
  EXPECT_EQ(shelf.kept.keys.size(), 1U);
}

TEST_F(KeyKeeperTest, asks_a_person_where_it_cannot_write_dns) {
  auto keeper = this->keeper(nullptr);
  loop.run_for(days(90));
  EXPECT_TRUE(tend(keeper).is_due);
  EXPECT_EQ(shelf.made, 0) << "only a person begins where a person must publish";

  const auto report = tend(keeper, Order::turn);
  ASSERT_EQ(report.requests.size(), 1U);
  EXPECT_EQ(report.requests[0].name, name_of("new1"));
  EXPECT_EQ(report.requests[0].text, record_of("new1"));
  EXPECT_EQ(stage("old"), KeyStage::signing);

  zone.texts[name_of("new1")] = {record_of("new1")};
  tend(keeper);
  EXPECT_EQ(stage("new1"), KeyStage::signing);

  loop.run_for(days(14));
  const auto open = tend(keeper, Order::look);
  ASSERT_EQ(open.requests.size(), 1U);
  EXPECT_EQ(open.requests[0].text, "v=DKIM1; p=");
  zone.texts.erase(name_of("old"));
  tend(keeper);
  EXPECT_EQ(stage("old"), KeyStage::revoked);
}

TEST_F(KeyKeeperTest, goes_on_with_a_rotation_that_was_begun) {
  auto keeper = this->keeper(nullptr);
  tend(keeper, Order::turn);
  tend(keeper, Order::turn);
  EXPECT_EQ(shelf.made, 1);
}

TEST_F(KeyKeeperTest, does_not_sign_with_a_key_that_is_not_the_published_one) {
  const auto other = crypto::PrivateKey::generate_ed25519().value();
  zone.texts[name_of("old")] = {mailauth::DkimKeyRecord::for_key(other).value().text()};
  auto keeper = this->keeper(nullptr);
  const auto report = tend(keeper);
  ASSERT_EQ(report.troubles.size(), 1U);
  EXPECT_TRUE(report.troubles[0].contains("nothing is signed with it")) << report.troubles[0];
  EXPECT_FALSE(provision::signs(shelf.state("old")));

  zone.texts[name_of("old")] = {record_of("old")};
  tend(keeper);
  EXPECT_TRUE(provision::signs(shelf.state("old"))) << "mended";
}

TEST_F(KeyKeeperTest, signs_on_while_dns_cannot_be_reached) {
  zone.resolver_failure = Error{Code::try_later, "no answer"};
  auto keeper = this->keeper(&zone);
  EXPECT_TRUE(tend(keeper).troubles.empty());
  EXPECT_TRUE(provision::signs(shelf.state("old")));
}

TEST_F(KeyKeeperTest, never_writes_over_a_record_of_others) {
  zone.texts[name_of("new1")] = {"v=DKIM1; p=c29tZWJvZHkgZWxzZQ=="};
  auto keeper = this->keeper(&zone);
  const auto report = tend(keeper, Order::turn);
  EXPECT_EQ(report.troubles.size(), 1U);
  EXPECT_EQ(zone.texts[name_of("new1")][0], "v=DKIM1; p=c29tZWJvZHkgZWxzZQ==");
  EXPECT_EQ(stage("old"), KeyStage::signing);
}

// Two servers that answer from the zone, the second late with what is new.
struct TwoServers {
  enum class Second : std::uint8_t { right, lags, silent } second = Second::lags;

  static Task<std::vector<AuthorityAnswer>> ask(const TwoServers& self,
                                                TestZone& zone,
                                                std::string name) {
    dns::LookupReply reply{dns::LookupReply::Status::no_data, {}};
    for (const auto& text : zone.texts[name]) {
      reply.status = dns::LookupReply::Status::found;
      reply.records.push_back({name, dns::Type::txt, 60s, dns::Text{text}});
    }
    std::vector<AuthorityAnswer> answers{{"ns1", reply}, {"ns2", reply}};
    if (name.starts_with("new") && self.second == Second::lags)
      answers[1].reply = dns::LookupReply{dns::LookupReply::Status::no_such_name, {}};
    if (self.second == Second::silent) answers[1].reply = fail(Code::try_later, "nobody there");
    co_return answers;
  }
};

struct KeyAuthoritiesTest : KeyKeeperTest {
  KeyAuthoritiesTest() {
    KeyKeeperWorld world{loop, loop, log, zone, workers, shelf, {}, {}, {}, {}};
    world.account = [this](std::string_view) { return &zone; };
    world.ask_authorities = [this](Loop&, std::string name) {
      return TwoServers::ask(servers, zone, std::move(name));
    };
    keeper.emplace(std::move(world));
  }
  TwoServers servers;
  std::optional<KeyKeeper> keeper;
};

TEST_F(KeyAuthoritiesTest, have_to_agree_and_the_one_that_lags_is_named) {
  const auto report = tend(*keeper, Order::turn);
  EXPECT_EQ(stage("new1"), KeyStage::published);
  EXPECT_EQ(stage("old"), KeyStage::signing);
  ASSERT_EQ(report.troubles.size(), 1U);
  EXPECT_TRUE(report.troubles[0].contains("ns1: ours, ns2: absent")) << report.troubles[0];
  servers.second = TwoServers::Second::right;
  tend(*keeper);
  EXPECT_EQ(stage("new1"), KeyStage::signing);
}

TEST_F(KeyAuthoritiesTest, hold_nothing_up_by_being_out_of_reach) {
  servers.second = TwoServers::Second::silent;
  tend(*keeper, Order::turn);
  EXPECT_EQ(stage("new1"), KeyStage::signing);
}

TEST_F(KeyKeeperTest, leaves_keys_alone_that_another_process_is_turning) {
  shelf.is_locked = true;
  auto keeper = this->keeper(&zone);
  const auto report = loop.wait(keeper.tend("example.com", Order::turn));
  ASSERT_TRUE(report);
  ASSERT_FALSE(*report);
  EXPECT_EQ(report->error().code, Code::try_later);
}

TEST_F(KeyKeeperTest, reminds_once_a_day_while_it_runs) {
  auto keeper = this->keeper(nullptr);
  loop.run_for(days(90));
  TaskGroup group;
  group.spawn(keeper.run());
  loop.run_for(days(3) - 1h);
  EXPECT_EQ(log.count("DKIM key is due to be changed"), 3U);
  keeper.stop();
  loop.run();
  EXPECT_EQ(group.running(), 0U);
}

}  // namespace
}  // namespace tapal::upkeep
