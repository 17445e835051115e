#include "rules/provision/zone_export.h"

#include <gtest/gtest.h>

#include "rules/provision/test_identity.h"
#include "values/dns/zone_text.h"
#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

std::vector<ExportedSet> full_export() {
  std::vector<ExportedSet> sets;
  for (auto& wanted : wanted_records(full_identity()).value())
    sets.push_back({wanted.set, wanted.why});
  return sets;
}

std::string exported(ExportFormat format, dns::RecordSet set) {
  const std::vector<ExportedSet> sets{{std::move(set), "a reason"}};
  return export_records(format, "example.com", sets);
}

dns::RecordSet from_line(std::string_view line) {
  auto record = dns::parse_zone_text(line, {.origin = "example.com"}).value().at(0);
  return {record.name, record.type, record.ttl, {record.data}};
}

TEST(ZoneExport, a_master_file_reads_back_as_the_same_records) {
  for (const auto format : {ExportFormat::bind, ExportFormat::cloudflare}) {
    const auto text = export_records(format, "example.com", full_export());
    std::vector<dns::Record> expected;
    for (const auto& [set, comment] : full_export())
      for (const auto& data : set.data) expected.push_back({set.name, set.type, set.ttl, data});
    EXPECT_EQ(dns::parse_zone_text(text), expected) << text;
  }
}

struct Case {
  ExportFormat format;
  std::string_view record;
  std::string_view expected;  // a part of what is exported
};

TEST(ZoneExport, writes_each_type_as_the_tool_wants_it) {
  using enum ExportFormat;
  const std::vector<Case> cases{
      {cloudflare,
       "mail A 192.0.2.1",
       "mail.example.com. 3600 IN A 192.0.2.1 ; cf_tags=cf-proxied:false\n"},
      {cloudflare, "@ MX 10 mail", "example.com. 3600 IN MX 10 mail.example.com.\n"},
      {dnscontrol, "mail A 192.0.2.1", "A(\"mail\", \"192.0.2.1\", TTL(3600)),"},
      {dnscontrol, "@ MX 10 mail", "MX(\"@\", 10, \"mail.example.com.\", TTL(3600)),"},
      {dnscontrol, "www MX 0 .", "MX(\"www\", 0, \".\", TTL(3600)),"},
      {dnscontrol, "@ TXT \"a \\\"b\\\" \\\\\"", R"(TXT("@", "a \"b\" \\", TTL(3600)),)"},
      {dnscontrol,
       "mail CAA 0 issue \"ca.example; x=y\"",
       "CAA(\"mail\", \"issue\", \"ca.example; x=y\", TTL(3600)),"},
      {dnscontrol, "mail CAA 128 issue ca.example", "\"ca.example\", CAA_CRITICAL, TTL"},
      {dnscontrol, "_25._tcp.mail TLSA 3 1 1 abcd", "TLSA(\"_25._tcp.mail\", 3, 1, 1, \"abcd\","},
      {dnscontrol,
       "_submission._tcp SRV 0 1 587 mail",
       "SRV(\"_submission._tcp\", 0, 1, 587, \"mail.example.com.\","},
      {octodns,
       "@ TXT \"v=DMARC1; p=none\"",
       "\"\":\n  - ttl: 3600\n    type: TXT\n    values:\n      - \"v=DMARC1\\\\; p=none\"\n"},
      {octodns, "mta-sts CNAME mail", "    type: CNAME\n    value: \"mail.example.com.\"\n"},
      {octodns,
       "@ MX 10 mail",
       "      - exchange: \"mail.example.com.\"\n        preference: 10\n"},
      {terraform_cloudflare,
       "mail AAAA 2001:db8::1",
       "resource \"cloudflare_dns_record\" \"mail_aaaa\" {"},
      {terraform_cloudflare,
       "mail AAAA 2001:db8::1",
       "  content  = \"2001:db8::1\"\n  proxied  = false\n"},
      {terraform_cloudflare,
       "@ MX 10 mail",
       "  content  = \"mail.example.com\"\n  priority = 10\n"},
      {terraform_cloudflare, "_25._tcp.mail TLSA 3 1 1 abcd", "\"_25__tcp_mail_tlsa\""},
      {terraform_cloudflare, "@ TXT \"${x} %{y}\"", R"(content  = "\"$${x} %%{y}\"")"},
      {terraform, "@ TXT \"v=spf1 -all\"", R"("\"v=spf1 -all\"",)"},
      {table,
       "@ MX 10 mail",
       "  Type       MX\n  Host       @\n  Value      mail.example.com\n  Priority   10\n  TTL     "
       "   3600\n"},
      {table,
       "mail CAA 0 issue ca.example",
       "  Flags      0\n  Tag        issue\n  Value      ca.example\n"},
      {table,
       "s1._domainkey TXT \"v=DKIM1; p=\"",
       "  Host       s1._domainkey\n  Value      v=DKIM1; p=\n"},
  };
  for (const auto& one : cases) {
    const auto text = exported(one.format, from_line(one.record));
    EXPECT_TRUE(text.contains(one.expected)) << one.record << "\n" << text;
  }
}

TEST(ZoneExport, leaves_out_other_zones_and_says_so) {
  const auto text = exported(ExportFormat::bind, from_line("a.example.org. 60 A 192.0.2.1"));
  EXPECT_EQ(text, "; in another zone: a.example.org. 60 IN A 192.0.2.1\n");
  EXPECT_EQ(exported(ExportFormat::octodns, from_line("b.example.org. 60 A 192.0.2.1")),
            "---\n# in another zone: b.example.org. 60 IN A 192.0.2.1\n");
}

TEST(ZoneExport, never_writes_the_zones_own_records) {
  EXPECT_EQ(exported(ExportFormat::bind, from_line("@ NS ns1")), "");
}

TEST(ZoneExport, a_reason_stays_on_its_line) {
  auto set = from_line("@ TXT x");
  const std::vector<ExportedSet> sets{{set, "one\ntwo"}};
  for (const auto& name : export_format_names()) {
    const auto text = export_records(export_format(name).value(), "example.com", sets);
    EXPECT_FALSE(text.contains("\ntwo")) << text;
  }
}

TEST(ZoneExport, hosts_are_without_the_zone) {
  EXPECT_EQ(host_in_zone("example.com", "example.com"), "@");
  EXPECT_EQ(host_in_zone("a.b.example.com", "example.com"), "a.b");
  EXPECT_EQ(host_in_zone("a.example.org", "example.com"), "a.example.org");
}

}  // namespace
}  // namespace tapal::provision
