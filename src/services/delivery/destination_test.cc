#include "services/delivery/destination.h"

#include <random>

#include <gtest/gtest.h>

namespace tapal::delivery {
namespace {

using Status = DnsAnswer::Status;

// Answers from a table; anything else does not exist.
struct TableResolver : Resolver {
  std::map<std::pair<std::string, dns::Type>, Result<DnsAnswer>> answers;
  std::set<std::string> names;

  Task<Result<DnsAnswer>> resolve(Loop&, std::string name, dns::Type type) override {
    if (const auto found = answers.find({name, type}); found != answers.end())
      co_return found->second;
    DnsAnswer none;
    none.status = names.contains(name) ? Status::no_data : Status::no_such_name;
    co_return none;
  }
  void add(const std::string& name, dns::Type type, dns::Data data) {
    names.insert(name);
    auto& answer = answers[{name, type}];
    if (!answer) answer = DnsAnswer{};
    answer->status = Status::found;
    answer->records.push_back({name, type, std::chrono::seconds(60), std::move(data)});
  }
  void mx(const std::string& name, std::uint16_t preference, const std::string& exchange) {
    add(name, dns::Type::mx, dns::MailExchange{preference, exchange});
  }
  void address(const std::string& name, std::string_view text) {
    const auto ip = IpAddress::from_text(text).value();
    add(name, ip.is_v4() ? dns::Type::a : dns::Type::aaaa, ip);
  }
};

struct SeededRandom : Random {
  std::mt19937_64 engine{7};
  void fill(std::span<std::byte> bytes) override {
    for (auto& byte : bytes) byte = static_cast<std::byte>(engine());
  }
};

struct NoLoop : Loop {
  void post(std::move_only_function<void()>) override {}
  Instant now() const override { return {}; }
  std::unique_ptr<Timer> make_timer() override { return {}; }
};

struct World {
  TableResolver resolver;
  SeededRandom random;
  Options options;
  OwnNames own{"mx.own.example", {IpAddress::from_text("198.41.0.4").value()}};
  NoLoop loop;
  AddressFamily reach = AddressFamily::both;

  Destination find(Way way) {
    Destination result;
    TaskGroup group;
    const auto run = [](World& w, Way to, Destination& out) -> Task<void> {
      const FindHosts find{w.loop, w.resolver, w.random, w.options, w.own, w.reach};
      out = co_await find_hosts(find, std::move(to));
    };
    group.spawn(run(*this, std::move(way), result));
    return result;
  }
  Destination find(const std::string& domain) {
    return find(way_of(options, {.address = {"x", domain}}).value());
  }
  std::vector<std::string> hosts(const std::string& domain) {
    std::vector<std::string> out;
    const auto found = find(domain);
    if (const auto* hosts = std::get_if<Hosts>(&found))
      for (const auto& host : hosts->hosts) out.push_back(host.name + " " + host.endpoint.text());
    return out;
  }
  std::string status(const std::string& domain) {
    const auto found = find(domain);
    const auto* none = std::get_if<NoHost>(&found);
    return none == nullptr ? "found" : none->status;
  }
};

using Lines = std::vector<std::string>;

TEST(FindHosts, tries_the_lowest_preference_first_and_ipv6_before_ipv4) {
  World w;
  w.resolver.mx("a.example", 20, "second.a.example");
  w.resolver.mx("a.example", 10, "first.a.example");
  w.resolver.address("first.a.example", "9.9.9.1");
  w.resolver.address("first.a.example", "2600::1");
  w.resolver.address("second.a.example", "9.9.9.2");
  EXPECT_EQ(w.hosts("a.example"),
            (Lines{"first.a.example [2600::1]:25",
                   "first.a.example 9.9.9.1:25",
                   "second.a.example 9.9.9.2:25"}));
  w.options.family = AddressFamily::ipv4;
  EXPECT_EQ(w.hosts("a.example").front(), "first.a.example 9.9.9.1:25");
}

TEST(FindHosts, leaves_out_what_the_source_cannot_reach) {
  World w;
  w.reach = AddressFamily::ipv4;
  w.options.hosts_per_attempt_max = 2;
  w.resolver.mx("a.example", 10, "first.a.example");
  for (const auto* address : {"2600::1", "2600::2", "2600::3", "9.9.9.1"})
    w.resolver.address("first.a.example", address);
  w.resolver.mx("six.example", 10, "first.six.example");
  w.resolver.address("first.six.example", "2600::1");
  w.resolver.mx("none.example", 10, "first.none.example");
  w.options.routes["route.example"] = {.host = "2600::9"};
  EXPECT_EQ(w.hosts("a.example"), Lines{"first.a.example 9.9.9.1:25"});
  EXPECT_EQ(w.status("six.example"), "4.4.1") << "it may be able to later";
  EXPECT_EQ(w.status("none.example"), "5.4.4");
  EXPECT_EQ(w.status("[IPv6:2600::1]"), "4.4.1");
  EXPECT_EQ(w.hosts("route.example").size(), 1U) << "a route is the owner's word";
}

TEST(FindHosts, shuffles_equal_preferences) {
  World w;
  for (const auto* name : {"x.a.example", "y.a.example", "z.a.example"}) {
    w.resolver.mx("a.example", 10, name);
    w.resolver.address(name, "9.9.9.9");
  }
  std::set<std::string> firsts;
  for (int i = 0; i < 30; ++i) firsts.insert(w.hosts("a.example").front());
  EXPECT_EQ(firsts.size(), 3U);
}

TEST(FindHosts, falls_back_to_the_domain_itself_without_mx) {
  World w;
  w.resolver.address("a.example", "9.9.9.1");
  EXPECT_EQ(w.hosts("a.example"), (Lines{"a.example 9.9.9.1:25"}));
}

TEST(FindHosts, says_for_good_or_for_now) {
  World w;
  w.resolver.mx("null.example", 0, "");
  w.resolver.mx("private.example", 10, "in.private.example");
  w.resolver.address("in.private.example", "10.0.0.1");
  w.resolver.mx("me.example", 10, "mx.own.example");
  w.resolver.address("mine.example", "198.41.0.4");
  w.resolver.mx("bare.example", 10, "gone.bare.example");
  w.resolver.answers[{"lame.example", dns::Type::mx}] = fail(Code::try_later, "SERVFAIL");
  w.resolver.answers[{"forged.example", dns::Type::mx}] = fail(Code::denied, "bad signature");
  struct Case {
    const char* domain;
    const char* status;
  };
  for (const auto& [domain, status] : {Case{"missing.example", "5.1.2"},
                                       Case{"null.example", "5.1.10"},
                                       Case{"private.example", "5.4.4"},
                                       Case{"me.example", "5.4.6"},
                                       Case{"mine.example", "5.4.4"},
                                       Case{"bare.example", "5.4.4"},
                                       Case{"lame.example", "4.4.3"},
                                       Case{"forged.example", "4.7.5"},
                                       Case{"[127.0.0.1]", "5.4.4"}})
    EXPECT_EQ(w.status(domain), status) << domain;
}

TEST(FindHosts, tries_only_better_hosts_than_itself) {
  World w;
  w.resolver.mx("a.example", 10, "primary.example");
  w.resolver.mx("a.example", 20, "mx.own.example");
  w.resolver.mx("a.example", 30, "later.example");
  for (const auto* name : {"primary.example", "mx.own.example", "later.example"})
    w.resolver.address(name, "9.9.9.9");
  EXPECT_EQ(w.hosts("a.example"), (Lines{"primary.example 9.9.9.9:25"}));
}

TEST(FindHosts, allows_private_addresses_by_configuration_only) {
  World w;
  w.resolver.mx("a.example", 10, "mx.a.example");
  w.resolver.address("mx.a.example", "::1");
  w.options.port = 2525;
  w.options.allow_private_addresses = true;
  EXPECT_EQ(w.hosts("a.example"), (Lines{"mx.a.example [::1]:2525"}));
  EXPECT_EQ(w.hosts("[127.0.0.1]"), (Lines{"[127.0.0.1] 127.0.0.1:2525"}));
}

TEST(FindHosts, follows_the_most_exact_route) {
  World w;
  w.resolver.address("relay.example", "192.168.1.1");
  w.options.routes["*"] = Route{.host = "relay.example", .port = 587};
  w.options.routes["*.b.example"] = Route{.host = "127.0.0.1", .port = 24};
  w.options.routes["c.example"] = Route{.host = "::1", .port = 26};
  EXPECT_EQ(w.hosts("any.example"), (Lines{"relay.example 192.168.1.1:587"}));
  EXPECT_EQ(w.hosts("x.b.example"), (Lines{"[127.0.0.1] 127.0.0.1:24"}));
  EXPECT_EQ(w.hosts("c.example"), (Lines{"[IPv6:::1] [::1]:26"}));
}

TEST(WayOf, a_handover_leads_before_routes_and_the_domain) {
  using Kind = mail::Handover::Kind;
  Options options{.port = 2500};
  options.routes["*"] = Route{.host = "relay.example", .port = 587};
  const struct {
    Kind kind;
    std::string_view target;
    std::string_view place;  // "protocol host port socket"; empty: it makes no sense
  } cases[] = {
      {Kind::usual, "", "smtp relay.example 587"},
      {Kind::host, "mx.b.example", "smtp mx.b.example 2500"},
      {Kind::host, "mx.b.example:26", "smtp mx.b.example 26"},
      {Kind::host, "192.0.2.1", "smtp 192.0.2.1 2500"},
      {Kind::host, "192.0.2.1:26", "smtp 192.0.2.1 26"},
      {Kind::host, "[2001:db8::1]:26", "smtp 2001:db8::1 26"},
      {Kind::host, "[2001:db8::1]", "smtp 2001:db8::1 2500"},
      {Kind::host, "2001:db8::1", "smtp 2001:db8::1 2500"},
      {Kind::host, "", ""},
      {Kind::host, "mx.b.example:", ""},
      {Kind::host, "mx.b.example:0", ""},
      {Kind::host, "mx.b.example:70000", ""},
      {Kind::host, "mx b.example", ""},
      {Kind::host, "unix:/run/x", ""},
      {Kind::lmtp, "unix:/run/x", "lmtp   24 /run/x"},
      {Kind::lmtp, "unix:run/x", ""},
      {Kind::lmtp, "box.example:24", "lmtp box.example 24"},
      {Kind::lmtp, "[::1]:24", "lmtp ::1 24"},
      {Kind::lmtp, "box.example", "lmtp box.example 24"},
      {Kind::lmtp, "box.example:x", ""},
  };
  for (const auto& c : cases) {
    mail::Recipient recipient{.address = {"x", "far.example"}};
    recipient.handover = {c.kind, std::string(c.target), {}};
    const auto way = way_of(options, recipient);
    if (c.place.empty()) {
      ASSERT_FALSE(way) << c.target;
      EXPECT_EQ(way.error().code, Code::invalid);
      continue;
    }
    ASSERT_TRUE(way && way->route) << c.target;
    const auto& route = *way->route;
    std::string place = route.protocol == Protocol::lmtp ? "lmtp " : "smtp ";
    place += route.host + (route.host.empty() ? "  " : " ") + std::to_string(route.port);
    if (!route.socket.empty()) place += " " + route.socket;
    EXPECT_EQ(place, c.place) << c.target;
  }
}

TEST(FindHosts, a_socket_is_a_host) {
  World w;
  mail::Recipient recipient{.address = {"x", "far.example"}};
  recipient.handover = {mail::Handover::Kind::lmtp, "unix:/run/x", {}};
  const auto way = way_of(w.options, recipient).value();
  EXPECT_EQ(way.route->tls, TlsMode::never);
  const auto found = w.find(way);
  ASSERT_TRUE(std::holds_alternative<Hosts>(found));
  EXPECT_EQ(std::get<Hosts>(found).hosts.front().text(), "unix:/run/x");
}

}  // namespace
}  // namespace tapal::delivery
