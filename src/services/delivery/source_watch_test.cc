#include "services/delivery/source_watch.h"

#include <gtest/gtest.h>

#include "ports/test_fakes.h"
#include "ports/test_loop.h"
#include "values/dns/name.h"

namespace tapal::delivery {
namespace {

IpAddress ip(std::string_view text) { return IpAddress::from_text(text).value(); }

struct World {
  VirtualLoop loop;
  RecordingLog log;
  TableOfNames names;
  Options options;
  std::vector<IpAddress> on_machine{ip("9.9.9.9"), ip("2620:fe::9")};
  std::map<bool, std::string> usual{{true, "9.9.9.9"}, {false, "2620:fe::9"}};  // is it IPv4?
  std::optional<shaping::Sources> sources;
  std::optional<SourceTable> table;
  std::optional<SourceWatch> watch;
  TaskGroup tasks;

  void points_back(const std::string& address, const std::string& name) {
    names.add(dns::reverse_name(ip(address)), dns::Type::ptr, dns::NameTarget{name});
    names.address(name, address);
  }
  void start() {
    sources.emplace(sources_of(options));
    table.emplace(options);
    watch.emplace(SourceWatchWorld{
        loop,
        loop,
        log,
        names,
        options,
        *sources,
        *table,
        [this] { return on_machine; },
        [this](const IpAddress& to) { return IpAddress::from_text(usual[to.is_v4()]); }});
    tasks.spawn(watch->run());
    loop.run();
  }
  void wait_for_look() { loop.run_for(SourceWatch::look_every); }
  // "4 6 why"
  std::string usable(std::string_view source = "") const {
    const auto& [ipv4, ipv6, why] = sources->usability(source);
    return fmt::format("{}{}{}", ipv4 ? "4 " : "", ipv6 ? "6 " : "", why);
  }
  bool is_new(std::string_view source = "") const {
    return sources->warm_up().today({source, "gmail"}, loop.wall_now()).has_value();
  }
  ~World() {
    watch->stop();
    loop.run_until([this] { return tasks.running() == 0; }, std::chrono::hours(1));
  }
};

TEST(SourceWatch, uses_what_has_a_name_that_leads_back) {
  World w;
  w.points_back("9.9.9.9", "mx.own.example");
  w.points_back("2620:fe::9", "mx.own.example");
  w.start();
  EXPECT_EQ(w.usable(), "4 6 ");
  EXPECT_TRUE(w.log.entries.empty());
}

TEST(SourceWatch, leaves_out_ipv6_that_has_no_name) {
  World w;
  w.points_back("9.9.9.9", "mx.own.example");
  w.start();
  EXPECT_EQ(w.usable(), "4 2620:fe::9 has no name (PTR)");
  EXPECT_EQ(w.table->exit_of({}).reach(), AddressFamily::ipv4);
  ASSERT_EQ(w.log.entries.size(), 1U);
  EXPECT_EQ(w.log.entries[0].level, Level::warning);
  EXPECT_EQ(w.log.entries[0].event, "mail leaves from this source");
  EXPECT_EQ(w.log.entries[0].fields.at("ipv6"), "not used");
}

TEST(SourceWatch, takes_a_source_up_again_and_tells_each_change_once) {
  World w;
  w.start();
  EXPECT_EQ(w.usable(), "9.9.9.9 has no name (PTR); 2620:fe::9 has no name (PTR)");
  w.wait_for_look();
  w.wait_for_look();
  EXPECT_EQ(w.log.count("no mail leaves from this source"), 1U);
  w.points_back("9.9.9.9", "mx.own.example");
  w.points_back("2620:fe::9", "mx.own.example");
  w.watch->look_again();
  w.loop.run();
  EXPECT_EQ(w.usable(), "4 6 ");
  EXPECT_EQ(w.log.count("mail leaves from this source"), 1U);
  EXPECT_EQ(w.table->exit_of({}).reach(), AddressFamily::both);
}

TEST(SourceWatch, keeps_to_what_dns_said_last_when_it_says_nothing) {
  World w;
  w.names.failure = Error{Code::try_later, "SERVFAIL"};
  w.start();
  EXPECT_EQ(w.usable(), "4 6 ") << "nothing is known against it";
  w.names.failure.reset();
  w.points_back("9.9.9.9", "mx.own.example");
  w.wait_for_look();
  EXPECT_EQ(w.usable(), "4 2620:fe::9 has no name (PTR)");
  w.names.failure = Error{Code::try_later, "SERVFAIL"};
  w.wait_for_look();
  EXPECT_EQ(w.usable(), "4 2620:fe::9 has no name (PTR)");
}

TEST(SourceWatch, judges_nobody_where_that_makes_no_sense) {
  struct Case {
    const char* name;
    std::function<void(World&)> arrange;
    std::string_view usable;
  };
  for (const auto& c : {
           Case{"not wanted", [](World& w) { w.options.reverse_dns_required = false; }, "4 6 "},
           Case{"on a test network",
                [](World& w) { w.options.allow_private_addresses = true; },
                "4 6 "},
           Case{"behind NAT",
                [](World& w) { w.usual = {{true, "10.0.0.7"}, {false, "fd00::7"}}; },
                "4 6 "},
           Case{"no way out", [](World& w) { w.usual = {}; }, "4 6 "},
           Case{"IPv4 alone is wanted",
                [](World& w) {
                  w.options.family = AddressFamily::ipv4;
                  w.points_back("9.9.9.9", "mx.own.example");
                },
                "4 "},
       }) {
    World w;
    c.arrange(w);
    w.start();
    EXPECT_EQ(w.usable(), c.usable) << c.name;
  }
}

TEST(SourceWatch, leaves_out_addresses_of_another_machine) {
  World w;
  w.options.reverse_dns_required = false;
  w.options.sources.sources = {{.name = "here", .ipv4 = ip("9.9.9.9")},
                               {.name = "gone", .ipv4 = ip("9.9.9.8"), .ipv6 = ip("2620:fe::9")},
                               {.name = "loop", .ipv4 = ip("127.0.0.77")}};
  w.start();
  EXPECT_EQ(w.usable("here"), "4 ");
  EXPECT_EQ(w.usable("gone"), "6 9.9.9.8 is not an address of this machine");
  EXPECT_EQ(w.usable("loop"), "4 ");
  w.on_machine = {ip("9.9.9.8")};
  w.wait_for_look();
  EXPECT_EQ(w.usable("here"), "9.9.9.9 is not an address of this machine");
  EXPECT_EQ(w.usable("gone"), "4 2620:fe::9 is not an address of this machine");
}

TEST(SourceWatch, sees_how_old_public_addresses_are) {
  World w;
  w.points_back("9.9.9.9", "mx.own.example");
  w.options.sources.sources = {
      {.name = "public", .ipv4 = ip("9.9.9.9")},
      {.name = "private", .ipv4 = ip("127.0.0.1")},
      {.name = "told", .ipv4 = ip("127.0.0.1"), .new_since = w.loop.wall_now()}};
  w.start();
  EXPECT_TRUE(w.is_new("public"));
  EXPECT_FALSE(w.is_new("private"));
  EXPECT_TRUE(w.is_new("told"));
}

TEST(SourceWatch, finds_nothing_new_on_a_test_network) {
  World w;
  w.options.allow_private_addresses = true;
  w.start();
  EXPECT_FALSE(w.is_new());
}

}  // namespace
}  // namespace tapal::delivery
