// SPF, DKIM and DMARC, broken one at a time.
#include "rules/provision/test_cases.h"

namespace tapal::provision {
namespace {

using enum Severity;
using std::chrono::days;

void set_key(TestWorld& world, std::string_view value) {
  world.drop("t1._domainkey.123.example.");
  world.add("t1._domainkey.123.example. 60 TXT " + TestWorld::in_strings(value));
}
std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}
void set_spf(TestWorld& world, std::string_view record) {
  world.replace("123.example. 60 TXT", "123.example. 60 TXT \"" + std::string(record) + "\"");
}
void set_dmarc(TestWorld& world, std::string_view record) {
  world.replace("_dmarc.", "_dmarc.123.example. 60 TXT \"" + std::string(record) + "\"");
}
const Case cases[] = {
    {"spf.record", "none", error, "no SPF", [](auto& w) { w.drop("123.example. 60 TXT"); }},
    {"spf.record",
     "two",
     error,
     "2 SPF records",
     [](auto& w) { w.add("123.example. 60 TXT \"v=spf1 -all\""); }},
    {"spf.record",
     "unreadable",
     error,
     "cannot be read",
     [](auto& w) { set_spf(w, "v=spf1 ipv4:192.0.2.1 -all"); }},
    {"spf.egress",
     "an address is missing",
     error,
     "fail",
     [](auto& w) { set_spf(w, "v=spf1 ip4:192.0.2.1 -all"); }},
    {"spf.helo",
     "none for the host",
     warning,
     "none",
     [](auto& w) { w.drop("mail.123.example. 60 TXT"); }},
    {"spf.limits",
     "too many lookups",
     error,
     "more than 10",
     [](auto& w) {
       set_spf(w,
               "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 a:a.example a:a.example a:a.example "
               "a:a.example a:a.example "
               "a:a.example a:a.example a:a.example a:a.example a:a.example a:a.example -all");
       w.add("a.example. A 198.51.100.77");
     }},
    {"spf.limits",
     "nearly too many",
     warning,
     "more than 8",
     [](auto& w) {
       set_spf(w,
               "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 a:a.example a:a.example a:a.example "
               "a:a.example a:a.example "
               "a:a.example a:a.example a:a.example a:a.example -all");
       w.add("a.example. A 198.51.100.77");
     }},
    {"spf.end", "everybody", error, "+all", [](auto& w) { set_spf(w, "v=spf1 +all"); }},
    {"spf.end",
     "nothing said",
     warning,
     "no all",
     [](auto& w) { set_spf(w, "v=spf1 ip4:192.0.2.1"); }},
    {"dkim.signing", "no key", error, "unsigned", [](auto& w) { w.home.signing_keys.clear(); }},
    {"dkim.signing",
     "another key in DNS",
     error,
     "unsigned: DNS shows no key of ours",
     [](auto& w) { w.home.signing_keys[0].is_held_back = true; }},
    {"dkim.published", "nothing", error, "no key there", [](auto& w) { w.drop("t1._domainkey"); }},
    {"dkim.published",
     "another key",
     error,
     "another key",
     [](auto& w) { set_key(w, "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AAAAA"); }},
    {"dkim.published", "revoked", error, "revoked", [](auto& w) { set_key(w, "v=DKIM1; p="); }},
    {"dkim.published",
     "a doubled domain",
     error,
     "adds the domain",
     [](auto& w) {
       w.replace("t1._domainkey",
                 "t1._domainkey.123.example.123.example. 60 TXT " +
                     TestWorld::in_strings(test_key_record));
     }},
    {"dkim.published",
     "lost plus signs",
     error,
     "got lost",
     [](auto& w) { set_key(w, replaced(test_key_record, "+", " ")); }},
    {"dkim.published",
     "escaped semicolons",
     error,
     "backslash",
     [](auto& w) { set_key(w, replaced(test_key_record, ";", "\\;")); }},
    {"dkim.published",
     "quotes in the value",
     error,
     "quotes became part",
     [](auto& w) {
       set_key(w, test_key_record.substr(0, 200) + "\" \"" + test_key_record.substr(200));
     }},
    {"dkim.published",
     "strings as records",
     error,
     "records of their own",
     [](auto& w) {
       set_key(w, test_key_record.substr(200));
       w.add("t1._domainkey.123.example. 60 TXT " +
             TestWorld::in_strings(test_key_record.substr(0, 200)));
     }},
    {"dkim.published",
     "cut off",
     error,
     "cut off",
     [](auto& w) { set_key(w, test_key_record.substr(0, 255)); }},
    {"dkim.published",
     "the whole line",
     error,
     "whole line",
     [](auto& w) { set_key(w, "t1._domainkey.123.example. 3600 IN TXT " + test_key_record); }},
    {"dkim.published",
     "twice",
     error,
     "twice in a row",
     [](auto& w) { set_key(w, test_key_record + test_key_record); }},
    {"dkim.strength",
     "a short key",
     warning,
     "1024",
     [](auto& w) { w.home.signing_keys[0].bits = 1024; }},
    {"dkim.strength",
     "a test",
     warning,
     "t=y",
     [](auto& w) { set_key(w, replaced(test_key_record, "k=rsa;", "k=rsa; t=y;")); }},
    {"dkim.age",
     "old",
     info,
     "400 days",
     [](auto& w) { w.home.signing_keys[0].made = w.home.now - days(400); }},
    {"dkim.tree", "denied", warning, "NXDOMAIN", [](auto& w) { w.drop("_domainkey.123"); }},
    {"dmarc.record", "none", error, "no DMARC", [](auto& w) { w.drop("_dmarc."); }},
    {"dmarc.record",
     "two",
     error,
     "2 records",
     [](auto& w) { w.add("_dmarc.123.example. 60 TXT \"v=DMARC1; p=none\""); }},
    {"dmarc.record",
     "a fault",
     warning,
     "p=",
     [](auto& w) { set_dmarc(w, "v=DMARC1; p=quarantin; rua=mailto:dmarc@123.example"); }},
    {"dmarc.policy",
     "none",
     info,
     "p=none",
     [](auto& w) { set_dmarc(w, "v=DMARC1; p=none; rua=mailto:dmarc@123.example"); }},
    {"dmarc.policy",
     "none and no reports",
     warning,
     "p=none",
     [](auto& w) { set_dmarc(w, "v=DMARC1; p=none"); }},
    {"dmarc.policy",
     "a test",
     info,
     "t=y",
     [](auto& w) { set_dmarc(w, "v=DMARC1; p=reject; t=y; rua=mailto:dmarc@123.example"); }},
    {"dmarc.reports",
     "none",
     warning,
     "no rua",
     [](auto& w) { set_dmarc(w, "v=DMARC1; p=reject"); }},
    {"dmarc.reports",
     "nobody there",
     error,
     "would be refused",
     [](auto& w) { w.refused["dmarc@123.example"] = {Delivery::Way::refused, "no such user"}; }},
    {"dmarc.reports",
     "another organization",
     warning,
     "does not say",
     [](auto& w) { set_dmarc(w, "v=DMARC1; p=reject; rua=mailto:r@reports.example"); }},
};

const CaseTable table{cases};

}  // namespace
}  // namespace tapal::provision
