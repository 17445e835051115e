// The processing limits of RFC 7208 section 4.6.4.
#include <gtest/gtest.h>

#include "protocols/mailauth/spf_check.h"
#include "protocols/mailauth/test_zone.h"

namespace tapal::mailauth {
namespace {

using enum SpfVerdict;

struct Outcome {
  SpfResult result;
  std::size_t lookups = 0;
};

Outcome check(const std::string& zone, std::string_view ip = "192.0.2.1") {
  SpfQuestion question;
  question.ip = IpAddress::from_text(ip).value();
  question.identity = SpfIdentity::of_mail_from("ann@d.example", "helo.example");
  SpfCheck core(std::move(question));
  const auto lookups = answer_all(core, TestZone(zone)).size();
  return {core.result(), lookups};
}

std::string repeated(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += fmt::format(fmt::runtime(text), i);
  return out;
}

TEST(SpfLimits, ten_terms_may_ask_dns) {
  const std::string hosts = R"(
d.example. A 192.0.2.9
d.example. MX 10 d.example.
i.example. TXT "v=spf1 ?all"
1.2.0.192.in-addr.arpa. PTR p.example.
p.example. A 192.0.2.1
)";
  const auto verdict = [&](const std::string& record) {
    return check(hosts + "d.example. TXT \"v=spf1 " + record + "\"\n").result.verdict;
  };
  const std::string ten =
      "a mx a mx ptr include:i.example exists:n.example a mx include:i.example ";
  EXPECT_EQ(verdict(ten + "ip4:192.0.2.1 -all"), pass);
  EXPECT_EQ(verdict(ten + "a ip4:192.0.2.1 -all"), permerror);
  EXPECT_EQ(verdict(ten + "include:i.example"), permerror);
  EXPECT_EQ(verdict(ten + "exists:p.example"), permerror);
  EXPECT_EQ(verdict(ten + "ptr"), permerror);
  EXPECT_EQ(verdict(ten + "redirect=i.example"), permerror);
  EXPECT_EQ(verdict(ten + "ip4:192.0.2.1 a a a"), pass);  // those behind are not evaluated
  EXPECT_EQ(verdict("a a a a a a a a a redirect=i.example"), neutral);
  EXPECT_EQ(
      verdict("ptr:x.y ptr:x.y ptr:x.y ptr:x.y ptr:x.y ptr:x.y ptr:x.y ptr:x.y ptr:x.y ptr:x.y"),
      neutral);
  EXPECT_EQ(
      verdict("ptr:x.y ptr:x.y ptr:x.y ptr:x.y ptr:x.y ptr:x.y ptr:x.y ptr:x.y ptr:x.y ptr:x.y "
              "ptr:x.y"),
      permerror);
  // What %{p} asks is one more.
  EXPECT_EQ(verdict("a a a a a a a a exists:%{p}"), pass);
  EXPECT_EQ(verdict("a a a a a a a a a exists:%{p}"), permerror);
  EXPECT_EQ(verdict("ptr:x.y a a a a a a a a exists:%{p}"), pass);
}

TEST(SpfLimits, terms_count_wherever_they_are) {
  const auto chain = [](int length) {
    std::string zone = "d.example. TXT \"v=spf1 include:i0.example ~all\"\n";
    for (int i = 0; i < length - 1; ++i)
      zone += fmt::format("i{}.example. TXT \"v=spf1 include:i{}.example ~all\"\n", i, i + 1);
    return zone + fmt::format("i{}.example. TXT \"v=spf1 all\"\n", length - 1);
  };
  EXPECT_EQ(check(chain(10)).result.verdict, pass);
  EXPECT_EQ(check(chain(11)).result.verdict, permerror);
}

TEST(SpfLimits, circles_end) {
  EXPECT_EQ(check("d.example. TXT \"v=spf1 redirect=d.example\"\n").result.verdict, permerror);
  EXPECT_EQ(check("d.example. TXT \"v=spf1 include:d.example\"\n").result.verdict, permerror);
  EXPECT_EQ(check("d.example. TXT \"v=spf1 include:e.example\"\n"
                  "e.example. TXT \"v=spf1 include:d.example\"\n")
                .result.verdict,
            permerror);
}

TEST(SpfLimits, an_mx_may_have_ten_names) {
  const std::string record = "d.example. TXT \"v=spf1 mx -all\"\nm.example. A 192.0.2.9\n";
  const std::string ten = repeated("d.example. MX {} m.example.\n", 10);
  EXPECT_EQ(check(record + ten).result.verdict, fail);
  // The same name eleven times is eleven; by preference, whatever the order.
  const std::string eleventh = "d.example. MX 99 here.example.\nhere.example. A 192.0.2.1\n";
  EXPECT_EQ(check(record + eleventh + ten).result.verdict, permerror);
  EXPECT_EQ(check(record + ten + eleventh, "192.0.2.9").result.verdict, pass);
  // Ten mechanisms of ten names each.
  const std::string wide =
      "d.example. TXT \"v=spf1 mx mx mx mx mx mx mx mx mx mx ~all\"\n"
      "m.example. A 192.0.2.9\n";
  const auto outcome = check(wide + ten);
  EXPECT_EQ(outcome.result.verdict, softfail);
  EXPECT_EQ(outcome.lookups, 1U + 10 * 11);
}

TEST(SpfLimits, of_the_clients_names_ten_are_tried) {
  const std::string ptr = repeated("1.2.0.192.in-addr.arpa. PTR n{}.example.\n", 10);
  const std::string eleventh =
      "1.2.0.192.in-addr.arpa. PTR x.d.example.\nx.d.example. A 192.0.2.1\n";
  const std::string record = "d.example. TXT \"v=spf1 ptr -all\"\n";
  EXPECT_EQ(check(record + ptr + eleventh).result.verdict, fail);
  EXPECT_EQ(check(record + eleventh + ptr).result.verdict, pass);
}

TEST(SpfLimits, an_address_may_have_many_records) {
  const std::string record = "d.example. TXT \"v=spf1 a -all\"\n";
  EXPECT_EQ(check(record + repeated("d.example. A 192.0.2.{}\n", 30), "192.0.2.29").result.verdict,
            pass);
}

TEST(SpfLimits, two_terms_may_find_nothing) {
  const std::string some =
      "some.example. TXT \"no address\"\nm.example. MX 10 n1.example.\n"
      "m.example. MX 20 n2.example.\nm.example. MX 30 n3.example.\n";
  const auto verdict = [&](const std::string& record) {
    return check(some + "d.example. TXT \"v=spf1 " + record + "\"\n").result.verdict;
  };
  EXPECT_EQ(verdict("a:n1.example a:n2.example ?all"), neutral);
  EXPECT_EQ(verdict("a:n1.example a:n2.example a:n3.example ?all"), permerror);
  EXPECT_EQ(verdict("a:some.example a:some.example a:some.example ?all"), permerror);
  EXPECT_EQ(verdict("mx:n1.example exists:n2.example ptr ?all"), permerror);
  EXPECT_EQ(verdict("mx:n1.example exists:n2.example ip4:192.0.2.1 ptr"), pass);
  // Names that nobody can ask for, and exchanges without address, are none.
  EXPECT_EQ(verdict("a:a..example a:b..example a:c..example ?all"), neutral);
  EXPECT_EQ(verdict("mx:m.example mx:m.example ?all"), neutral);
}

TEST(SpfLimits, a_record_may_be_long_but_not_endless) {
  const auto record = [](int terms) {
    return "d.example. TXT \"v=spf1 \"" + repeated(" \"ip4:198.51.100.{}\" \" \"", terms) +
           " \"all\"\n";
  };
  EXPECT_EQ(check(record(250)).result.verdict, pass);
  std::string endless = "d.example. TXT \"v=spf1 \"";
  for (int i = 0; i < 1000; ++i) endless += " \"ip4:198.51.100.100 \"";
  EXPECT_EQ(check(endless + " \"all\"\n").result.verdict, permerror);
}

}  // namespace
}  // namespace tapal::mailauth
