#include "protocols/mailauth/spf_check.h"

#include <gtest/gtest.h>

#include "protocols/mailauth/test_zone.h"

namespace tapal::mailauth {
namespace {

using enum SpfVerdict;

struct Case {
  std::string name;
  std::string record;  // of d.example
  std::string ip;
  SpfVerdict verdict = none;
  std::string mail_from = "ann@d.example";
  std::string helo = "mail.helo.example";
};

// What the records of the cases lead to.
constexpr std::string_view neighbours = R"(
d.example. A 192.0.2.1
d.example. AAAA 2001:db8::1
d.example. MX 10 mx.example.
d.example. MX 20 .
mx.example. A 192.0.2.25
mx.example. AAAA 2001:db8::25
many.example. A 192.0.2.31
many.example. A 192.0.2.32
www.example. CNAME many.example.
loop.example. CNAME loop2.example.
loop2.example. CNAME loop.example.
v4.example. A 192.0.2.4
v6.example. AAAA 2001:db8::6
foo:bar/baz.example. A 192.0.2.77
foo.a-b. A 192.0.2.78
null.example. MX 0 .
holes.example. MX 10 nowhere.example.
holes.example. MX 20 mx.example.
slowmx.example. MX 10 slow.example.
pass.example. TXT "v=spf1 +all"
fail.example. TXT "v=spf1 -all exp=words.example"
softfail.example. TXT "v=spf1 ~all"
neutral.example. TXT "v=spf1 ?all"
silent.example. TXT "v=spf1"
wrong.example. TXT "v=spf1 moo"
deep.example. TXT "v=spf1 include:pass.example -all"
away.example. TXT "v=spf1 redirect=pass.example"
lost.example. TXT "v=spf1 redirect=nowhere.example"
two.example. TXT "v=spf1 +all"
two.example. TXT "v=spf1 -all"
1.2.0.192.in-addr.arpa. PTR a.host.example.
1.2.0.192.in-addr.arpa. PTR d.example.
a.host.example. A 192.0.2.1
2.2.0.192.in-addr.arpa. PTR liar.d.example.
liar.d.example. A 192.0.2.99
3.2.0.192.in-addr.arpa. PTR slow.example.
3.2.0.192.in-addr.arpa. PTR Three.D.Example.
three.d.example. A 192.0.2.3
6.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR six.d.example.
six.d.example. AAAA 2001:db8::6
5.2.0.192.in-addr.arpa.in-addr.e.example. A 127.0.0.2
ann.l.example. A 127.0.0.2
)";

TestZone zone_of(std::string_view record) {
  std::string text(neighbours);
  if (!record.empty()) text += fmt::format("d.example. TXT \"{}\"\n", record);
  TestZone zone(text);
  zone.with_failing("slow.example").with_failing("7.2.0.192.in-addr.arpa");
  return zone;
}

SpfResult check(const Case& c) {
  SpfQuestion question;
  question.ip = IpAddress::from_text(c.ip).value();
  question.identity = SpfIdentity::of_mail_from(c.mail_from, c.helo);
  question.helo = c.helo;
  SpfCheck core(std::move(question));
  answer_all(core, zone_of(c.record));
  return core.result();
}

void expect_verdicts(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const auto result = check(c);
    EXPECT_EQ(spf_verdict_text(result.verdict), spf_verdict_text(c.verdict))
        << c.name << ": " << c.record << "\n"
        << result.reason;
    EXPECT_FALSE(result.reason.empty()) << c.name;
  }
}

TEST(SpfCheck, has_no_verdict_where_there_is_no_domain_or_record) {
  const std::string record = "v=spf1 -all";
  expect_verdicts({
      {"a label too long", record, "192.0.2.9", none, "x@" + std::string(64, 'a') + ".d.example"},
      {"an empty label", record, "192.0.2.9", none, "x@d...example"},
      {"a single label", record, "192.0.2.9", none, "x@example"},
      {"a literal", record, "192.0.2.9", none, "x@[192.0.2.9]"},
      {"no domain", record, "192.0.2.9", none, "x@"},
      {"an endless local part", record, "192.0.2.9", none, std::string(2000, 'x') + "@d.example"},
      {"no record", "", "192.0.2.9", none},
      {"no such domain", record, "192.0.2.9", none, "x@nowhere.example"},
      {"text that is none", "v=spf10 -all", "192.0.2.9", none},
      {"text of others", "And now for something else", "192.0.2.9", none},
      {"no sender, helo is one label", record, "192.0.2.9", none, "", "OEMCOMPUTER"},
      {"no sender, helo is a literal", record, "192.0.2.9", none, "", "[192.0.2.9]"},
      {"no sender, no helo", record, "192.0.2.9", none, "", ""},
      {"no sender", record, "192.0.2.9", fail, "", "d.example"},
      {"no local part", record, "192.0.2.9", fail, "@d.example"},
      {"no at sign", record, "192.0.2.9", fail, "d.example"},
      {"a final dot", record, "192.0.2.9", fail, "x@d.example."},
      {"capitals", record, "192.0.2.9", fail, "x@D.EXAMPLE"},
      {"DNS fails", record, "192.0.2.9", temperror, "x@slow.example"},
      {"two records", record, "192.0.2.9", permerror, "x@two.example"},
  });
}

TEST(SpfCheck, picks_the_one_record_of_its_version) {
  expect_verdicts({
      {"case does not matter", "V=SPF1 -ALL", "192.0.2.9", fail},
      {"other text beside it", "v=spf1 -all\"\nd.example. TXT \"\\150", "192.0.2.9", fail},
      {"pieces are joined as they are", "v=spf1 ip4:192\" \".0.2.9 -all", "192.0.2.9", pass},
      {"also the version", "v=spf1\" \"mx -all", "192.0.2.9", none},
      {"a record twice", "v=spf1 -all\"\nd.example. TXT \"v=spf1 mx", "192.0.2.9", permerror},
      {"a byte over 127", "v=spf1 a:\\239\\187\\191x.example -all", "192.0.2.9", permerror},
      {"a byte over 127 before a term", "v=spf1 -all \\128a", "192.0.2.9", permerror},
      {"a carriage return", "v=spf1 a\\013-all", "192.0.2.9", permerror},
      {"spaces", "v=spf1   ip4:192.0.2.9   -all  ", "192.0.2.9", pass},
  });
}

TEST(SpfCheck, takes_the_first_mechanism_that_matches) {
  expect_verdicts({
      {"nothing there", "v=spf1", "192.0.2.9", neutral},
      {"nothing matches", "v=spf1 ip4:192.0.2.1", "192.0.2.9", neutral},
      {"all comes first", "v=spf1 all -ip4:192.0.2.9", "192.0.2.9", pass},
      {"+", "v=spf1 +all", "192.0.2.9", pass},
      {"-", "v=spf1 -all", "192.0.2.9", fail},
      {"~", "v=spf1 ~all", "192.0.2.9", softfail},
      {"?", "v=spf1 ?all", "192.0.2.9", neutral},
      {"an error behind", "v=spf1 ip4:192.0.2.9 -all moo", "192.0.2.9", permerror},
      {"unknown modifiers",
       "v=spf1 moo.cow-far_out=man:dog/cat ip4:192.0.2.9 -all",
       "192.0.2.9",
       pass},
  });
}

TEST(SpfCheck, compares_networks) {
  expect_verdicts({
      {"itself", "v=spf1 ip4:192.0.2.9 -all", "192.0.2.9", pass},
      {"its neighbour", "v=spf1 ip4:192.0.2.8 -all", "192.0.2.9", fail},
      {"/32", "v=spf1 ip4:192.0.2.8/32 -all", "192.0.2.9", fail},
      {"/31", "v=spf1 ip4:192.0.2.8/31 -all", "192.0.2.9", pass},
      {"/0", "v=spf1 ip4:1.1.1.1/0 -all", "192.0.2.9", pass},
      {"IPv4 /0 is not IPv6", "v=spf1 ip4:1.1.1.1/0 -all", "2001:db8::9", fail},
      {"a mapped client is IPv4", "v=spf1 ip4:192.0.2.9 -all", "::FFFF:192.0.2.9", pass},
      {"and never IPv6", "v=spf1 -ip4:192.0.2.9 ip6:::FFFF:192.0.2.9", "::FFFF:192.0.2.9", fail},
      {"IPv6 /0 is not IPv4", "v=spf1 ip6:::1.1.1.1/0", "192.0.2.9", neutral},
      {"nor mapped", "v=spf1 ip6:::1.1.1.1/0", "::ffff:192.0.2.9", neutral},
      {"IPv6 /0", "v=spf1 ip6:::1.1.1.1/0", "2001:db8::9", pass},
      {"/33", "v=spf1 ip6:2001:DB8:8000::/33 -all", "2001:db8:ffff::9", pass},
      {"/33, the other half", "v=spf1 ip6:2001:DB8:8000::/33 -all", "2001:db8:7fff::9", fail},
  });
}

TEST(SpfCheck, asks_for_addresses) {
  expect_verdicts({
      {"its own", "v=spf1 a -all", "192.0.2.1", pass},
      {"its own IPv6", "v=spf1 a -all", "2001:db8::1", pass},
      {"not its own", "v=spf1 a -all", "192.0.2.2", fail},
      {"one of many", "v=spf1 a:many.example -all", "192.0.2.32", pass},
      {"behind an alias", "v=spf1 a:www.example -all", "192.0.2.31", pass},
      {"aliases in a circle", "v=spf1 a:loop.example -all", "192.0.2.31", temperror},
      {"DNS fails", "v=spf1 a:slow.example -all", "192.0.2.31", temperror},
      {"no such name, /0", "v=spf1 a:nowhere.example/0 -all", "192.0.2.31", fail},
      {"no address, /0", "v=spf1 a:v6.example/0 -all", "192.0.2.31", fail},
      {"any address, /0", "v=spf1 a:v4.example/0 -all", "198.51.100.1", pass},
      {"/0 is for IPv4", "v=spf1 a:v4.example/0 -all", "2001:db8::9", fail},
      {"//0 is for IPv6", "v=spf1 a//0 -all", "192.0.2.9", fail},
      {"//0, mapped", "v=spf1 a//0 -all", "::ffff:192.0.2.9", fail},
      {"//0", "v=spf1 a//0 -all", "2001:db8:ffff::9", pass},
      {"//0 without an address", "v=spf1 a:v4.example//0 -all", "2001:db8::9", fail},
      {"two masks, IPv4", "v=spf1 a/24//64 -all", "192.0.2.200", pass},
      {"two masks, IPv6", "v=spf1 a/24//64 -all", "2001:db8::200", pass},
      {"two masks, beside", "v=spf1 a/24//64 -all", "2001:db8:0:1::200", fail},
      {"a strange name", "v=spf1 a:foo:bar/baz.example -all", "192.0.2.77", pass},
      {"a strange top label", "v=spf1 a:foo.a-b -all", "192.0.2.78", pass},
      {"a name with an empty label", "v=spf1 a:mx...example -all", "192.0.2.1", fail},
      {"a name too long", "v=spf1 a:" + std::string(64, 'a') + ".example -all", "192.0.2.1", fail},
      {"a final dot", "v=spf1 a:v4.example. -all", "192.0.2.4", pass},
  });
}

TEST(SpfCheck, asks_for_mail_exchanges) {
  expect_verdicts({
      {"its own", "v=spf1 mx -all", "192.0.2.25", pass},
      {"its own IPv6", "v=spf1 mx -all", "2001:db8::25", pass},
      {"its address is none", "v=spf1 mx -all", "192.0.2.1", fail},
      {"a mask", "v=spf1 mx/24 -all", "192.0.2.1", pass},
      {"no exchange: its address is none either", "v=spf1 mx:v4.example -all", "192.0.2.4", fail},
      {"null MX", "v=spf1 mx:null.example/0", "192.0.2.1", neutral},
      {"no such domain", "v=spf1 mx:nowhere.example/0 -all", "192.0.2.1", fail},
      {"an exchange that is not there", "v=spf1 mx:holes.example -all", "192.0.2.25", pass},
      {"an exchange that DNS fails for", "v=spf1 mx:slowmx.example -all", "192.0.2.25", temperror},
      {"DNS fails", "v=spf1 mx:slow.example -all", "192.0.2.25", temperror},
  });
}

TEST(SpfCheck, asks_for_the_names_of_the_client) {
  expect_verdicts({
      {"its own", "v=spf1 ptr -all", "192.0.2.1", pass},
      {"given", "v=spf1 ptr:host.example -all", "192.0.2.1", pass},
      {"in other letters", "v=spf1 ptr:Host.EXAMPLE -all", "192.0.2.1", pass},
      {"ends alike only", "v=spf1 ptr:ost.example -all", "192.0.2.1", fail},
      {"does not lead back", "v=spf1 ptr -all", "192.0.2.2", fail},
      {"one name fails", "v=spf1 ptr -all", "192.0.2.3", pass},
      {"IPv6", "v=spf1 ptr -all", "2001:db8::6", pass},
      {"no name", "v=spf1 ptr -all", "192.0.2.9", fail},
      {"DNS fails", "v=spf1 ptr -all", "192.0.2.7", fail},
  });
}

TEST(SpfCheck, asks_whether_a_name_exists) {
  expect_verdicts({
      {"there", "v=spf1 exists:v4.example -all", "192.0.2.9", pass},
      {"there, for IPv6", "v=spf1 exists:v4.example -all", "2001:db8::9", pass},
      {"AAAA is not A", "v=spf1 exists:v6.example -all", "2001:db8::6", fail},
      {"not there", "v=spf1 exists:nowhere.example -all", "192.0.2.9", fail},
      {"DNS fails", "v=spf1 exists:slow.example -all", "192.0.2.9", temperror},
      {"by address", "v=spf1 exists:%{ir}.in-addr.arpa.%{v}.e.example -all", "192.0.2.5", pass},
      {"by sender", "v=spf1 exists:%{l1r-}.l.example -all", "192.0.2.5", pass, "ann-x@d.example"},
      {"by another", "v=spf1 exists:%{l1r-}.l.example -all", "192.0.2.5", fail, "x-ann@d.example"},
  });
}

TEST(SpfCheck, includes) {
  expect_verdicts({
      {"pass matches", "v=spf1 include:pass.example ~all", "192.0.2.9", pass},
      {"with its own qualifier", "v=spf1 -include:pass.example ~all", "192.0.2.9", fail},
      {"fail does not", "v=spf1 include:fail.example ~all", "192.0.2.9", softfail},
      {"softfail does not", "v=spf1 include:softfail.example -all", "192.0.2.9", fail},
      {"neutral does not", "v=spf1 include:neutral.example -all", "192.0.2.9", fail},
      {"the default does not", "v=spf1 include:silent.example -all", "192.0.2.9", fail},
      {"temperror ends it", "v=spf1 include:slow.example -all", "192.0.2.9", temperror},
      {"permerror ends it", "v=spf1 include:wrong.example -all", "192.0.2.9", permerror},
      {"no record is an error", "v=spf1 include:v4.example -all", "192.0.2.9", permerror},
      {"no domain is an error", "v=spf1 include:nowhere.example -all", "192.0.2.9", permerror},
      {"no possible name, too", "v=spf1 include:a..example -all", "192.0.2.9", permerror},
      {"two levels", "v=spf1 include:deep.example -all", "192.0.2.9", pass},
      {"a redirect inside", "v=spf1 include:away.example -all", "192.0.2.9", pass},
      {"a lost one inside", "v=spf1 include:lost.example -all", "192.0.2.9", permerror},
      {"behind a match nobody asks",
       "v=spf1 ip4:192.0.2.9 include:wrong.example",
       "192.0.2.9",
       pass},
  });
}

TEST(SpfCheck, redirects) {
  expect_verdicts({
      {"takes that result", "v=spf1 redirect=softfail.example", "192.0.2.9", softfail},
      {"after all mechanisms", "v=spf1 redirect=pass.example ip4:192.0.2.9", "192.0.2.8", pass},
      {"not when one matches", "v=spf1 redirect=pass.example -ip4:192.0.2.9", "192.0.2.9", fail},
      {"never beside all", "v=spf1 redirect=pass.example ~all", "192.0.2.9", softfail},
      {"twice", "v=spf1 redirect=away.example", "192.0.2.9", pass},
      {"no record is an error", "v=spf1 redirect=v4.example", "192.0.2.9", permerror},
      {"no domain is an error", "v=spf1 redirect=nowhere.example", "192.0.2.9", permerror},
      {"no possible name, too",
       "v=spf1 redirect=%{h}",
       "192.0.2.9",
       permerror,
       "x@d.example",
       "OEM"},
      {"temperror", "v=spf1 redirect=slow.example", "192.0.2.9", temperror},
      {"permerror", "v=spf1 redirect=wrong.example", "192.0.2.9", permerror},
      {"by macro", "v=spf1 redirect=%{l}.example", "192.0.2.9", pass, "pass@d.example"},
  });
}

TEST(SpfCheck, expands_macros_before_it_asks) {
  expect_verdicts({
      {"helo", "v=spf1 a:%{h} -all", "192.0.2.4", pass, "x@d.example", "V4.example"},
      {"helo, escaped", "v=spf1 a:%{H} -all", "192.0.2.4", pass, "x@d.example", "v4.example"},
      {"no helo", "v=spf1 a:%{h} -all", "192.0.2.4", fail, "x@d.example", ""},
      {"helo is a literal", "v=spf1 a:%{H} -all", "192.0.2.4", fail, "x@d.example", "[192.0.2.4]"},
      {"helo has a space",
       "v=spf1 a:%{H} -all",
       "192.0.2.4",
       fail,
       "x@d.example",
       "JUMPIN' JUPITER"},
      {"too long",
       "v=spf1 a:%{H}.bar -all",
       "192.0.2.4",
       fail,
       "x@d.example",
       std::string(22, '%')},
      {"a client's name", "v=spf1 exists:%{p} -all", "192.0.2.3", pass},
      {"an unknown client", "v=spf1 exists:%{p}.example -all", "192.0.2.9", fail},
      {"non-ASCII matches nothing (RFC 8616)",
       "v=spf1 exists:%{l}.example ~all",
       "192.0.2.9",
       softfail,
       "v\xc3\xa4@d.example"},
  });
}

struct ExplanationCase {
  std::string name;
  std::string records;  // zone text; \" for d.example's
  std::string explanation;
  std::string mail_from = "ann@d.example";
  std::string ip = "192.0.2.9";
};

std::string explanation_of(const ExplanationCase& c) {
  SpfQuestion question;
  question.ip = IpAddress::from_text(c.ip).value();
  question.identity = SpfIdentity::of_mail_from(c.mail_from, "helo.example");
  question.helo = "helo.example";
  question.host_name = "mx.tapal.example";
  question.now = WallTime(std::chrono::seconds(1'700'000'000));
  SpfCheck core(std::move(question));
  TestZone zone(std::string(neighbours) + c.records);
  zone.with_failing("slow.example");
  answer_all(core, zone);
  EXPECT_EQ(core.result().verdict, fail) << c.name << ": " << core.result().reason;
  return core.result().explanation;
}

TEST(SpfCheck, has_the_words_of_the_domain_for_a_fail) {
  const std::string plain = "d.example. TXT \"v=spf1 -all exp=e.example\"\n";
  const std::vector<ExplanationCase> cases = {
      {"none", "d.example. TXT \"v=spf1 -all\"\n", ""},
      {"plain", plain + "e.example. TXT \"Not from \" \"here.\"", "Not from here."},
      {"before all",
       "d.example. TXT \"v=spf1 exp=%{d1}.%{l} -all\"\nexample.ann. TXT \"%{d}\"\n",
       "d.example"},
      {"by macro",
       "d.example. TXT \"v=spf1 -all exp=%{l}.%{o}\"\nann.d.example. TXT \"%{d}!\"\n",
       "d.example!"},
      {"every letter",
       plain + "e.example. TXT \"%{s} %{l} %{o} %{d} %{i} %{c} %{v} %{h} %{r} %{t} %{p}\"",
       "ann@d.example ann d.example d.example 192.0.2.9 192.0.2.9 in-addr helo.example "
       "mx.tapal.example 1700000000 unknown"},
      {"IPv6",
       plain + "e.example. TXT \"%{c} is %{ir}.%{v}.arpa\"",
       "2001:db8::1 is "
       "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6.arpa",
       "ann@d.example",
       "2001:db8::1"},
      {"a client's name",
       plain + "e.example. TXT \"from %{p}\"",
       "from d.example",
       "ann@d.example",
       "192.0.2.1"},
      {"a client's name in its place",
       "d.example. TXT \"v=spf1 -all exp=%{p}\"\n"
       "a.host.example. TXT \"no\"\nd.example. TXT \"%{p}\"\n",
       "",
       "ann@d.example",
       "192.0.2.1"},
      {"escaped",
       plain + "e.example. TXT \"http://e.example/?l=%{L}\"",
       "http://e.example/?l=~jack%26jill%3Dup-a_b3.c",
       "~jack&jill=up-a_b3.c@d.example"},
      {"no local part", plain + "e.example. TXT \"%{l}\"", "postmaster", "@d.example"},
      {"no such text", plain, ""},
      {"several records", plain + "e.example. TXT \"one\"\ne.example. TXT \"two\"", ""},
      {"a broken macro", plain + "e.example. TXT \"%{d\"", ""},
      {"an unknown macro", plain + "e.example. TXT \"%{e}\"", ""},
      {"not ASCII", plain + "e.example. TXT \"caf\\195\\169\"", ""},
      {"not ASCII by macro", plain + "e.example. TXT \"%{l}\"", "", "\xc3\xa9@d.example"},
      {"endless",
       plain + "e.example. TXT \"" + std::string(250, 'x') + "\" \"" + std::string(250, 'x') +
           "\" \"" + std::string(250, 'x') + "\" \"" + std::string(250, 'x') + "\" \"" +
           std::string(25, 'x') + "\"",
       ""},
      {"DNS fails", "d.example. TXT \"v=spf1 -all exp=slow.example\"\n", ""},
      {"no possible name", "d.example. TXT \"v=spf1 -all exp=a..example\"\n", ""},
      {"redirect brings its own",
       "d.example. TXT \"v=spf1 exp=e.example redirect=f.example\"\n"
       "e.example. TXT \"wrong\"\nf.example. TXT \"v=spf1 -all exp=g.example\"\n"
       "g.example. TXT \"%{d} for %{o}\"\n",
       "f.example for d.example"},
      {"redirect drops ours",
       "d.example. TXT \"v=spf1 exp=e.example redirect=f.example\"\n"
       "e.example. TXT \"wrong\"\nf.example. TXT \"v=spf1 -all\"\n",
       ""},
      {"include's does not count",
       "d.example. TXT \"v=spf1 include:fail.example -all exp=e.example\"\n"
       "e.example. TXT \"right\"\nwords.example. TXT \"wrong\"\n",
       "right"},
      {"nor when only it has one",
       "d.example. TXT \"v=spf1 include:fail.example -all\"\n"
       "words.example. TXT \"wrong\"\n",
       ""},
      {"a local part that looks like an error",
       plain + "e.example. TXT \"%{l} in here\"",
       "Macro Error in here",
       "Macro Error@d.example"},
  };
  for (const ExplanationCase& c : cases) EXPECT_EQ(explanation_of(c), c.explanation) << c.name;
}

TEST(SpfCheck, asks_for_words_on_a_fail_only) {
  for (const std::string qualifier : {"+", "?", "~"}) {
    SpfQuestion question;
    question.identity = SpfIdentity::of_mail_from("x@d.example", "");
    SpfCheck core(std::move(question));
    const TestZone zone("d.example. TXT \"v=spf1 " + qualifier + "all exp=e.example\"\n" +
                        "e.example. TXT \"words\"\n");
    EXPECT_EQ(answer_all(core, zone).size(), 1U);
    EXPECT_EQ(core.result().explanation, "");
  }
}

TEST(SpfCheck, says_what_it_found_and_where) {
  const auto result =
      check({"", "v=spf1 mx include:deep.example -all", "192.0.2.9", pass, "x@D.example"});
  EXPECT_EQ(result.domain, "D.example");
  EXPECT_EQ(result.identity, SpfIdentity::Kind::mail_from);
  EXPECT_EQ(result.mechanism, "include:deep.example");
  EXPECT_EQ(result.reason,
            "\"+all\" of pass.example matches 192.0.2.9, included by deep.example, included by "
            "D.example");
  EXPECT_EQ(result.records,
            (std::vector<std::string>{"D.example: v=spf1 mx include:deep.example -all",
                                      "deep.example: v=spf1 include:pass.example -all",
                                      "pass.example: v=spf1 +all"}));
  const auto wrong = check({"", "v=spf1 include:wrong.example", "192.0.2.9"});
  EXPECT_EQ(wrong.reason, "the record of wrong.example: \"moo\": no such mechanism");
  const auto lost = check({"", "v=spf1 a:slow.example", "192.0.2.9"});
  EXPECT_EQ(lost.reason,
            "no answer from DNS about A slow.example, for \"a:slow.example\" of d.example");
  EXPECT_EQ(check({"", "v=spf1", "192.0.2.9"}).mechanism, "");
}

TEST(SpfCheck, ends_when_time_is_up) {
  SpfQuestion question;
  question.identity = SpfIdentity::of_mail_from("x@d.example", "");
  SpfCheck core(question);
  core.on_time();
  EXPECT_FALSE(core.next_lookup());
  EXPECT_EQ(core.result().verdict, temperror);
  core.on_reply({});
  EXPECT_EQ(core.result().verdict, temperror);

  // Only the explanation is missing: the verdict stands.
  SpfCheck explained(question);
  explained.on_reply(TestZone("d.example. TXT \"v=spf1 -all exp=e.example\"\n")
                         .answer(explained.next_lookup().value()));
  EXPECT_EQ(explained.next_lookup()->name, "e.example");
  explained.on_time();
  EXPECT_FALSE(explained.next_lookup());
  EXPECT_EQ(explained.result().verdict, fail);
  EXPECT_EQ(explained.result().explanation, "");
}

}  // namespace
}  // namespace tapal::mailauth
