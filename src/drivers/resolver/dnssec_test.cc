// Validation against a real authority: knotd signs the zones by itself.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "drivers/resolver/test_dns_server.h"
#include "drivers/resolver/test_loop.h"
#include "drivers/resolver/unbound_resolver.h"

namespace tapal {
namespace {

using Status = DnsAnswer::Status;
using Security = DnsAnswer::Security;

constexpr std::string_view zone_text =
    "@ 3600 SOA ns hostmaster 1 3600 600 86400 60\n"
    "@ NS ns\n"
    "ns A 127.0.0.1\n"
    "@ MX 10 mail\n"
    "mail A 192.0.2.25\n"
    "mail AAAA 2001:db8::25\n"
    "www CNAME web\n"
    "web CNAME mail\n"
    "silent MX 0 .\n"
    "*.wild TXT \"made up\"\n"
    "_25._tcp.mail TLSA 3 1 1 "
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";

class Dnssec : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!TestKnot::program()) return;
    std::string text(zone_text);
    text += "large TXT";
    for (int i = 0; i < 40; ++i) text += " \"" + std::string(255, 'x') + "\"";
    text += "\n";
    knot = TestKnot::start({{"signed.example", text, true},
                            {"forged.example", text, true},
                            {"plain.example", text, false}});
    ASSERT_NE(knot, nullptr) << "knotd does not serve its zones";
    ResolverOptions options;
    options.mode = ResolverOptions::Mode::forward;
    options.servers = {knot->endpoint()};
    options.trust_anchor_file = "";
    options.trust_anchors = knot->keys_of("signed.example");
    ASSERT_FALSE(options.trust_anchors.empty());
    options.trust_anchors.push_back("forged.example. 3600 IN DS 12345 13 2 " +
                                    std::string(64, 'a'));
    auto opened = UnboundResolver::open(options);
    ASSERT_TRUE(opened) << opened.error().what;
    resolver = *std::move(opened);
  }
  static void TearDownTestSuite() {
    resolver.reset();
    knot.reset();
  }
  void SetUp() override {
    if (!TestKnot::program()) GTEST_SKIP() << "knotd is not there (Debian package knot)";
    ASSERT_NE(resolver, nullptr);
  }

  static Result<DnsAnswer> ask(std::string name, dns::Type type) {
    TestLoop loop;
    TaskGroup tasks;
    std::optional<Result<DnsAnswer>> answer;
    const auto body = [](Loop& on,
                         std::string asked,
                         dns::Type of,
                         std::optional<Result<DnsAnswer>>& out) -> Task<void> {
      out = co_await resolver->resolve(on, std::move(asked), of);
    };
    tasks.spawn(body(loop, std::move(name), type, answer));
    EXPECT_TRUE(loop.run_until([&tasks] { return tasks.running() == 0; }));
    return answer.value();
  }

  static std::unique_ptr<TestKnot> knot;
  static std::unique_ptr<UnboundResolver> resolver;
};
std::unique_ptr<TestKnot> Dnssec::knot;
std::unique_ptr<UnboundResolver> Dnssec::resolver;

TEST_F(Dnssec, tells_secure_from_insecure) {
  struct Case {
    std::string_view what, name;
    dns::Type type;
    Status status;
    std::size_t records;
  };
  const Case cases[] = {
      {"MX", "", dns::Type::mx, Status::found, 1},
      {"A", "mail.", dns::Type::a, Status::found, 1},
      {"AAAA", "mail.", dns::Type::aaaa, Status::found, 1},
      {"TLSA", "_25._tcp.mail.", dns::Type::tlsa, Status::found, 1},
      {"aliases", "www.", dns::Type::a, Status::found, 1},
      {"an alias without the type", "www.", dns::Type::mx, Status::no_data, 0},
      {"a null MX", "silent.", dns::Type::mx, Status::found, 1},
      {"a wildcard", "x.wild.", dns::Type::txt, Status::found, 1},
      {"no such type", "mail.", dns::Type::txt, Status::no_data, 0},
      {"no such name", "none.", dns::Type::a, Status::no_such_name, 0},
      {"large TXT", "large.", dns::Type::txt, Status::found, 1},
      {"DNSKEY", "", dns::Type::soa, Status::found, 1},
  };
  EXPECT_TRUE(resolver->validates());
  for (const auto& [zone, security] : {std::pair{"signed.example", Security::secure},
                                       std::pair{"plain.example", Security::insecure}}) {
    for (const Case& test : cases) {
      const auto answer = ask(fmt::format("{}{}", test.name, zone), test.type);
      ASSERT_TRUE(answer) << test.what << " in " << zone << ": " << answer.error().what;
      EXPECT_EQ(answer->status, test.status) << test.what << " in " << zone;
      EXPECT_EQ(answer->security, security) << test.what << " in " << zone;
      EXPECT_EQ(answer->records.size(), test.records) << test.what << " in " << zone;
      EXPECT_GT(answer->ttl.count(), 0) << test.what << " in " << zone;
      EXPECT_LE(answer->ttl.count(), answer->records.empty() ? 60 : 3600) << test.what;
    }
  }
}

TEST_F(Dnssec, reads_what_the_records_say) {
  EXPECT_EQ(ask("silent.signed.example", dns::Type::mx).value().records.at(0).data,
            dns::Data(dns::MailExchange{0, ""}));
  EXPECT_EQ(ask("www.signed.example", dns::Type::aaaa).value().canonical_name,
            "mail.signed.example");
  const auto large = ask("large.signed.example", dns::Type::txt).value();
  EXPECT_EQ(std::get<dns::Text>(large.records.at(0).data).value, std::string(40 * 255, 'x'));
  const auto tlsa = ask("_25._tcp.mail.signed.example", dns::Type::tlsa).value();
  EXPECT_EQ(std::get<dns::RawData>(tlsa.records.at(0).data).bytes.size(), 35U);
}

TEST_F(Dnssec, denies_forged_answers_and_says_why) {
  for (const std::string_view name :
       {"forged.example", "mail.forged.example", "none.forged.example"}) {
    const auto answer = ask(std::string(name), dns::Type::a);
    ASSERT_FALSE(answer) << name;
    EXPECT_EQ(answer.error().code, Code::denied) << answer.error().what;
    EXPECT_NE(answer.error().what.find("DNSSEC: "), std::string::npos);
    EXPECT_NE(answer.error().what.find("forged.example"), std::string::npos);
    EXPECT_GT(answer.error().what.size(), 60U) << answer.error().what;
  }
}

}  // namespace
}  // namespace tapal
