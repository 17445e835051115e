#include "drivers/resolver/unbound_resolver.h"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "drivers/resolver/test_dns_server.h"
#include "drivers/resolver/test_loop.h"

namespace tapal {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Status = DnsAnswer::Status;
using Answers = std::vector<Result<DnsAnswer>>;

ResolverOptions forward_to(const Endpoint& server) {
  ResolverOptions options;
  options.mode = ResolverOptions::Mode::forward;
  options.servers = {server};
  options.trust_anchor_file = "";
  return options;
}

std::unique_ptr<UnboundResolver> open(ResolverOptions options) {
  auto resolver = UnboundResolver::open(std::move(options));
  if (!resolver) throw std::runtime_error(resolver.error().what);
  return *std::move(resolver);
}

// Asks many questions from one loop, and gives the answers in the order they came.
class Asker {
 public:
  explicit Asker(Resolver& resolver) : resolver_(resolver) {}
  ~Asker() { EXPECT_EQ(tasks_.running(), 0U); }

  void ask(std::string name, dns::Type type) {
    tasks_.spawn(ask_one(resolver_, loop_, std::move(name), type, answers_));
  }
  Answers& wait() {
    EXPECT_TRUE(loop_.run_until([this] { return tasks_.running() == 0; }));
    return answers_;
  }
  Answers& answers() { return answers_; }
  TestLoop& loop() { return loop_; }

 private:
  static Task<void> ask_one(
      Resolver& resolver, Loop& loop, std::string name, dns::Type type, Answers& answers) {
    answers.push_back(co_await resolver.resolve(loop, std::move(name), type));
  }

  Resolver& resolver_;
  TestLoop loop_;
  TaskGroup tasks_;
  Answers answers_;
};

Result<DnsAnswer> ask(Resolver& resolver, std::string name, dns::Type type) {
  Asker asker(resolver);
  asker.ask(std::move(name), type);
  return asker.wait().at(0);
}

std::vector<dns::Zone> small_zone() {
  std::string text =
      "@ 300 SOA ns hostmaster 1 2 3 4 60\n@ NS ns\nns A 192.0.2.53\n"
      "@ MX 10 mail\nmail A 192.0.2.25\nwww CNAME web\nweb CNAME mail\n"
      "loop1 CNAME loop2\nloop2 CNAME loop1\n* TXT any\nbrief 1 A 192.0.2.1\n"
      "sixteen.kib TXT";
  for (int i = 0; i < 64; ++i) text += " \"" + std::string(255, 'x') + "\"";
  return {dns::Zone::from_text(text + "\n", "small.example").value()};
}

TEST(UnboundResolver, answers_from_the_server_it_forwards_to) {
  TestDnsServer server(small_zone());
  const auto resolver = open(forward_to(server.endpoint()));
  EXPECT_FALSE(resolver->validates());
  EXPECT_EQ(resolver->servers(), std::vector{server.endpoint()});

  const auto mx = ask(*resolver, "Small.EXAMPLE.", dns::Type::mx).value();
  EXPECT_EQ(mx.status, Status::found);
  EXPECT_EQ(mx.security, DnsAnswer::Security::insecure);
  EXPECT_EQ(mx.canonical_name, "small.example");
  EXPECT_EQ(mx.records.at(0).data, dns::Data(dns::MailExchange{10, "mail.small.example"}));
  EXPECT_GT(mx.ttl, seconds(3590));

  const auto alias = ask(*resolver, "www.small.example", dns::Type::a).value();
  EXPECT_EQ(alias.canonical_name, "mail.small.example");
  EXPECT_EQ(alias.records.at(0).data, dns::Data(*IpAddress::from_text("192.0.2.25")));

  const auto no_data = ask(*resolver, "mail.small.example", dns::Type::aaaa).value();
  EXPECT_EQ(no_data.status, Status::no_data);
  EXPECT_TRUE(no_data.records.empty());
  EXPECT_LE(no_data.ttl, seconds(60));
  EXPECT_EQ(ask(*resolver, "a.mail.small.example", dns::Type::a).value().status,
            Status::no_such_name);
}

TEST(UnboundResolver, takes_long_answers_over_tcp) {
  TestDnsServer server(small_zone());
  const auto resolver = open(forward_to(server.endpoint()));
  const auto answer = ask(*resolver, "sixteen.kib.small.example", dns::Type::txt).value();
  EXPECT_EQ(std::get<dns::Text>(answer.records.at(0).data).value, std::string(64 * 255, 'x'));
  EXPECT_GE(server.times_asked_over_tcp(), 1U);
}

TEST(UnboundResolver, tells_what_cannot_be_a_name) {
  TestDnsServer server(small_zone());
  const auto resolver = open(forward_to(server.endpoint()));
  for (const std::string_view name : {"a..b", "a b", "b\xc3\xbc.example"})
    EXPECT_EQ(ask(*resolver, std::string(name), dns::Type::a).error().code, Code::invalid) << name;
  EXPECT_EQ(resolver->counts().asked, 0U);
}

TEST(UnboundResolver, asks_once_for_ten_thousand_messages_to_one_domain) {
  TestDnsServer server(small_zone());
  const auto resolver = open(forward_to(server.endpoint()));
  Asker asker(*resolver);
  for (int i = 0; i < 10'000; ++i) asker.ask("small.example", dns::Type::mx);
  EXPECT_EQ(asker.wait().size(), 10'000U);
  for (const auto& answer : asker.answers()) ASSERT_EQ(answer.value().records.size(), 1U);
  EXPECT_EQ(server.times_asked("small.example", dns::Type::mx), 1U);
  const ResolverCounts counts = resolver->counts();
  EXPECT_EQ(counts.asked, 10'000U);
  EXPECT_EQ(counts.questions, 1U);
  EXPECT_EQ(counts.cached + counts.joined, 9'999U);
  EXPECT_EQ(counts.failed, 0U);
}

TEST(UnboundResolver, keeps_other_questions_waiting_at_its_limit) {
  TestDnsServer server(small_zone());
  ResolverOptions options = forward_to(server.endpoint());
  options.queries_at_once_max = 2;
  const auto resolver = open(options);
  Asker asker(*resolver);
  for (int i = 0; i < 500; ++i) asker.ask(fmt::format("n{}.small.example", i), dns::Type::txt);
  for (const auto& answer : asker.wait()) EXPECT_EQ(answer.value().status, Status::found);
  EXPECT_EQ(resolver->counts().questions, 500U);
}

TEST(UnboundResolver, refuses_questions_over_its_waiting_limit) {
  TestDnsServer server(small_zone());
  server.set_silent(true);
  ResolverOptions options = forward_to(server.endpoint());
  options.queries_at_once_max = 1;
  options.queries_waiting_max = 2;
  const auto resolver = open(options);
  Asker asker(*resolver);
  for (int i = 0; i < 5; ++i) asker.ask(fmt::format("n{}.small.example", i), dns::Type::txt);
  EXPECT_EQ(asker.answers().size(), 2U);  // at once
  resolver->close();
  asker.wait();
  for (std::size_t i = 0; i < 5; ++i)
    EXPECT_EQ(asker.answers().at(i).error().code, i < 2 ? Code::try_later : Code::closed);
}

TEST(UnboundResolver, gives_up_on_a_dead_server_in_time_and_names_it) {
  TestDnsServer server(small_zone());
  server.set_silent(true);
  ResolverOptions options = forward_to(server.endpoint());
  options.question_timeout = milliseconds(300);
  options.queries_at_once_max = 1;
  options.failure_ttl = seconds(0);
  const auto resolver = open(options);
  Asker asker(*resolver);
  const Instant begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) asker.ask(fmt::format("n{}.small.example", i % 10), dns::Type::txt);
  for (const auto& answer : asker.wait()) {
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Code::try_later);
    EXPECT_NE(answer.error().what.find(server.endpoint().text()), std::string::npos);
    EXPECT_NE(answer.error().what.find("within 0.3 s"), std::string::npos) << answer.error().what;
  }
  const auto taken = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(taken, milliseconds(300));
  EXPECT_LT(taken, seconds(10));
  EXPECT_EQ(resolver->counts().failed, 10U);
}

TEST(UnboundResolver, is_well_again_when_the_server_is) {
  TestDnsServer server(small_zone());
  server.set_silent(true);
  ResolverOptions options = forward_to(server.endpoint());
  options.question_timeout = milliseconds(200);
  options.failure_ttl = seconds(0);
  const auto resolver = open(options);
  EXPECT_EQ(ask(*resolver, "small.example", dns::Type::mx).error().code, Code::try_later);
  server.set_silent(false);
  bool is_answered = false;
  for (int i = 0; i < 50 && !is_answered; ++i)
    is_answered = ask(*resolver, "small.example", dns::Type::mx).has_value();
  EXPECT_TRUE(is_answered);
}

TEST(UnboundResolver, tells_refusing_servers_and_keeps_failures_briefly) {
  TestDnsServer server(small_zone());
  const auto resolver = open(forward_to(server.endpoint()));
  const auto first = ask(*resolver, "other.example", dns::Type::a);
  EXPECT_EQ(first.error().code, Code::try_later);
  EXPECT_NE(first.error().what.find("other.example A from 127.0.0.1"), std::string::npos)
      << first.error().what;
  EXPECT_EQ(ask(*resolver, "other.example", dns::Type::a).error().code, Code::try_later);
  EXPECT_EQ(resolver->counts().cached, 1U);
  EXPECT_EQ(resolver->counts().questions, 1U);
}

TEST(UnboundResolver, fails_when_nobody_listens) {
  const Endpoint nobody = listen_on({IpAddress::v4({127, 0, 0, 1}), 0}).value().endpoint;
  ResolverOptions options = forward_to(nobody);
  options.question_timeout = milliseconds(500);
  const auto resolver = open(options);
  EXPECT_EQ(ask(*resolver, "small.example", dns::Type::a).error().code, Code::try_later);
}

TEST(UnboundResolver, leaves_a_loop_of_aliases) {
  TestDnsServer server(small_zone());
  ResolverOptions options = forward_to(server.endpoint());
  options.question_timeout = seconds(5);
  const auto resolver = open(options);
  const auto answer = ask(*resolver, "loop1.small.example", dns::Type::a);
  EXPECT_TRUE(!answer || answer->records.empty());
}

TEST(UnboundResolver, ends_outstanding_questions_when_it_is_destroyed) {
  TestDnsServer server(small_zone());
  server.set_silent(true);
  auto resolver = open(forward_to(server.endpoint()));
  Asker asker(*resolver);
  for (int i = 0; i < 300; ++i) asker.ask(fmt::format("n{}.small.example", i), dns::Type::txt);
  // Some are with libunbound by the time the server has seen one.
  EXPECT_TRUE(asker.loop().run_until([&] {
    asker.loop().post([] {});
    return server.times_asked("n0.small.example", dns::Type::txt) > 0;
  }));
  resolver.reset();
  EXPECT_EQ(asker.wait().size(), 300U);
  for (const auto& answer : asker.answers()) EXPECT_EQ(answer.error().code, Code::closed);
}

TEST(UnboundResolver, answers_closed_once_it_is_closed) {
  TestDnsServer server(small_zone());
  const auto resolver = open(forward_to(server.endpoint()));
  EXPECT_TRUE(ask(*resolver, "small.example", dns::Type::mx));
  resolver->close();
  resolver->close();
  EXPECT_EQ(ask(*resolver, "small.example", dns::Type::mx).error().code, Code::closed);
}

TEST(UnboundResolver, serves_several_loops) {
  TestDnsServer server(small_zone());
  const auto resolver = open(forward_to(server.endpoint()));
  std::atomic<int> found = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&resolver, &found] {
        Asker asker(*resolver);
        for (int i = 0; i < 2000; ++i)
          asker.ask(fmt::format("n{}.small.example", i % 100), dns::Type::txt);
        for (const auto& answer : asker.wait()) found += answer.has_value() ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(found, 8000);
  EXPECT_EQ(resolver->counts().questions, 100U);
}

TEST(UnboundResolver, refuses_options_that_cannot_work) {
  const Endpoint server{IpAddress::v4({127, 0, 0, 1}), 53};
  ResolverOptions no_servers = forward_to(server);
  no_servers.servers.clear();
  ResolverOptions no_file = forward_to(server);
  no_file.trust_anchor_file = "/nonexistent/root.key";
  ResolverOptions no_anchor = forward_to(server);
  no_anchor.trust_anchors = {"example. A 192.0.2.1"};
  ResolverOptions broken_anchor = forward_to(server);
  broken_anchor.trust_anchors = {"example. DS nonsense"};
  ResolverOptions no_hints;
  no_hints.mode = ResolverOptions::Mode::recursion;
  no_hints.root_hints_file = "/nonexistent/root.hints";
  ResolverOptions no_time = forward_to(server);
  no_time.question_timeout = milliseconds(0);
  const std::pair<std::string_view, ResolverOptions> cases[] = {
      {"no server", no_servers},
      {"no trust anchor file", no_file},
      {"an A as trust anchor", no_anchor},
      {"a broken trust anchor", broken_anchor},
      {"no root hints file", no_hints},
      {"no time", no_time},
  };
  for (const auto& [what, options] : cases) {
    const auto resolver = UnboundResolver::open(options);
    ASSERT_FALSE(resolver) << what;
    EXPECT_EQ(resolver.error().code, Code::invalid) << what;
  }
}

TEST(UnboundResolver, reads_the_system_servers) {
  TestDnsServer server(small_zone());
  const auto file =
      std::filesystem::temp_directory_path() / fmt::format("tapal-resolv-{}.conf", ::getpid());
  std::ofstream(file) << "search example\nnameserver " << server.endpoint().text() << "\n";
  ResolverOptions options;
  options.resolv_conf_file = file;
  options.trust_anchor_file = "";
  const auto resolver = open(options);
  std::filesystem::remove(file);
  EXPECT_EQ(resolver->servers(), std::vector{server.endpoint()});
  EXPECT_TRUE(ask(*resolver, "small.example", dns::Type::mx));
}

TEST(UnboundResolver, asks_from_the_root_down) {
  // Authorities are always on port 53, so this needs it, on a loopback address nobody else has.
  const IpAddress address = IpAddress::v4({127, 83, 109, 53});
  if (!listen_on({address, 53})) GTEST_SKIP() << "port 53 needs root (CAP_NET_BIND_SERVICE)";
  auto zones = small_zone();
  zones.push_back(
      dns::Zone::from_text("@ SOA ns.r h.r 1 2 3 4 60\n@ NS ns.r.\nns.r. A 127.83.109.53\n"
                           "small.example. NS ns.r.\n",
                           "")
          .value());
  TestDnsServer server(std::move(zones), {address, 53});
  const auto file =
      std::filesystem::temp_directory_path() / fmt::format("tapal-hints-{}.zone", ::getpid());
  std::ofstream(file) << ". 3600 IN NS ns.r.\nns.r. 3600 IN A 127.83.109.53\n";
  ResolverOptions options;
  options.mode = ResolverOptions::Mode::recursion;
  options.root_hints_file = file;
  options.trust_anchor_file = "";
  const auto resolver = open(options);
  const auto answer = ask(*resolver, "www.small.example", dns::Type::a);
  std::filesystem::remove(file);
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->canonical_name, "mail.small.example");
}

}  // namespace
}  // namespace tapal
