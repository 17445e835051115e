// Hosts, ports and names, broken one at a time.
#include "rules/provision/test_cases.h"

namespace tapal::provision {
namespace {

using enum Severity;
using std::chrono::days;

IpAddress ip(std::string_view text) { return IpAddress::from_text(text).value(); }

const Case cases[] = {
    {"host.name", "one word", error, "no name", [](auto& w) { w.home.host = "server1"; }},
    {"host.name",
     "an inner name",
     error,
     "no name",
     [](auto& w) { w.home.host = "mx.localdomain"; }},
    {"host.address",
     "no address at all",
     error,
     "no address",
     [](auto& w) {
       w.drop("mail.123.example. 60 A ");
       w.drop("mail.123.example. 60 AAAA ");
     }},
    {"host.address",
     "an address that is not published",
     error,
     "does not have it",
     [](auto& w) { w.home.egress.push_back(ip("192.0.2.7")); }},
    {"host.public",
     "private",
     error,
     "private",
     [](auto& w) {
       w.home.on_test_network = false;
       w.home.egress = {ip("10.0.0.1")};
     }},
    {"host.public", "behind a translator", warning, "NAT", [](auto& w) { w.home.egress.clear(); }},
    {"host.ipv6", "none", info, "no IPv6", [](auto& w) { w.home.egress.pop_back(); }},
    {"ptr.confirmed", "no name", error, "has no name", [](auto& w) { w.drop("1.2.0.192"); }},
    {"ptr.confirmed",
     "leads elsewhere",
     error,
     "no name of 192.0.2.1 leads back",
     [](auto& w) {
       w.replace("1.2.0.192", "1.2.0.192.in-addr.arpa. 60 PTR gmail-smtp-in.example.");
     }},
    {"ptr.confirmed",
     "no answer",
     warning,
     "nobody could tell",
     [](auto& w) { w.failing.insert("1.2.0.192.in-addr.arpa"); }},
    {"ptr.host",
     "another name",
     warning,
     "its name is other.example",
     [](auto& w) {
       w.replace("1.2.0.192",
                 "1.2.0.192.in-addr.arpa. 60 PTR other.example.\nother.example. A 192.0.2.1");
     }},
    {"ptr.generic",
     "numbers",
     warning,
     "looks like",
     [](auto& w) {
       w.replace("1.2.0.192", "1.2.0.192.in-addr.arpa. 60 PTR static-192-0-2-1.isp.example.");
     }},
    {"port.25-out",
     "filtered",
     error,
     "no mail server can be reached",
     [](auto& w) {
       w.at("198.51.100.1:25") = {.reach = SmtpFact::Reach::silent, .trouble = "timed out"};
     }},
    {"port.25-out",
     "refused over IPv6 alone",
     error,
     "no mail server can be reached",
     [](auto& w) { w.ports.erase({ip("2001:db8:1::1"), 25}); }},
    {"port.25-out",
     "turned away by one",
     warning,
     "554 go away",
     [](auto& w) {
       w.home.big_domains.push_back("friend.example");
       w.ports[{ip("198.51.100.9"), 25}] = {.greeting = "554 go away"};
     }},
    {"port.25-out",
     "by way of a relay",
     info,
     "relay",
     [](auto& w) { w.home.smarthost = "relay.example"; }},
    {"port.in",
     "closed",
     error,
     "nobody listens",
     [](auto& w) { w.ports.erase({ip("192.0.2.1"), 587}); }},
    {"smtp.greeting",
     "another server",
     warning,
     "220 postfix",
     [](auto& w) { w.at("192.0.2.1:25").greeting = "220 postfix.example ESMTP"; }},
    {"smtp.auth",
     "in clear",
     error,
     "in clear",
     [](auto& w) { w.at("192.0.2.1:587").offers_auth_in_clear = true; }},
    {"smtp.relay",
     "open",
     error,
     "open relay",
     [](auto& w) { w.at("192.0.2.1:25").foreign_recipient_code = 250; }},
    {"smtp.relay",
     "trusted ourselves",
     info,
     "trusted_networks",
     [](auto& w) {
       w.at("192.0.2.1:25").foreign_recipient_code = 250;
       w.at("192.0.2.1:25").local = ip("10.1.2.3");
       w.home.trusted_networks = {*IpNetwork::from_text("10.0.0.0/8")};
     }},
    {"dns.resolver",
     "no answers",
     error,
     "no answers",
     [](auto& w) { w.failing = {"", "123.example"}; }},
    {"dns.resolver", "no DNSSEC", info, "without DNSSEC", [](auto& w) { w.is_signed = false; }},
    {"dns.dnssec",
     "not signed",
     info,
     "not signed",
     [](auto& w) { w.unsigned_names = {"123.example"}; }},
    {"dns.servers",
     "one lags",
     error,
     "ns2.example of 2",
     [](auto& w) {
       w.change_authorities = [](AuthoritiesFact& fact) { fact.servers[1].records.clear(); };
     }},
    {"dns.servers",
     "one is silent",
     warning,
     "ns2.example (refused)",
     [](auto& w) {
       w.change_authorities = [](AuthoritiesFact& fact) { fact.servers[1].trouble = "refused"; };
     }},
    {"dns.servers",
     "none is found",
     warning,
     "nobody could tell",
     [](auto& w) { w.change_authorities = [](AuthoritiesFact& fact) { fact.trouble = "no NS"; }; }},
    {"mx.record", "none", error, "no MX", [](auto& w) { w.drop("123.example. 60 MX"); }},
    {"mx.record",
     "null",
     error,
     "null MX",
     [](auto& w) { w.replace("123.example. 60 MX", "123.example. 60 MX 0 ."); }},
    {"mx.record",
     "no such domain",
     error,
     "no such domain",
     [](auto& w) { w.home.domain = "456.example"; }},
    {"mx.target",
     "elsewhere",
     error,
     "not this one",
     [](auto& w) { w.replace("123.example. 60 MX", "123.example. 60 MX 5 mx.friend.example."); }},
    {"mx.target",
     "an alias",
     error,
     "an alias (CNAME)",
     [](auto& w) {
       w.replace("123.example. 60 MX",
                 "123.example. 60 MX 5 mx.123.example.\nmx.123.example. CNAME mail.123.example.");
     }},
    {"mx.target",
     "no address",
     error,
     "has no address",
     [](auto& w) { w.replace("123.example. 60 MX", "123.example. 60 MX 5 gone.example."); }},
};

const CaseTable table{cases};

}  // namespace
}  // namespace tapal::provision
