// For tests: a made-up world in which everything about the domain 123.example is in order, to be
// broken at one place.
#pragma once

#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "protocols/mailauth/test_zone.h"
#include "rules/provision/checks.h"
#include "values/text/ascii.h"
#include "values/text/date.h"

namespace tapal::provision {

// A key as it is published, and some certificate's digests: any bytes will do.
inline const std::string test_key_record =
    "v=DKIM1; k=rsa; p="
    "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB1L9RIvNEVUxTveLruM0rfj0WAK1jHDhaXXzOI8d4VFmtvBtM"
    "kA/+SNV1tdpcY4BAEl9l2w/j4kSUt26phkV9mGCE/tCLl4r019GWp0RqhrWACeY2thHbFiEbZamq3/KcXlLZxQjFAj"
    "RzRNjAetkcvWBor8df9ikvBioJyjgcieced7mprp4wsNvbb1EKJk753ngVAde2uSronrBZxat0PbZ1humPrSfaC5lo"
    "vAOaHvNMk5ubjlI6i++J1HhgjF7PbKNYdY9tJ+bPRScpN5d6dI/Yg5HbZ5ztp9x78fAF7oeb7q13mUz1czQewXtYu/"
    "frNNJxHJk8HZdrEosxiNwYKaK0w0L1Qz";

inline constexpr std::string_view test_zone = R"(
. 60 NS a.root-servers.example.
123.example. 60 SOA ns.example. hostmaster.example. 1 3600 600 86400 60
123.example. 60 MX 10 mail.123.example.
123.example. 60 TXT "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all"
123.example. 60 CAA 0 issue "letsencrypt.org"
mail.123.example. 60 A 192.0.2.1
mail.123.example. 60 AAAA 2001:db8::1
mail.123.example. 60 TXT "v=spf1 a -all"
1.2.0.192.in-addr.arpa. 60 PTR mail.123.example.
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. 60 PTR mail.123.example.
_domainkey.123.example. 60 TXT "o=-"
_dmarc.123.example. 60 TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@123.example"
_mta-sts.123.example. 60 TXT "v=STSv1; id=1"
_smtp._tls.123.example. 60 TXT "v=TLSRPTv1; rua=mailto:tls@123.example"
_25._tcp.mail.123.example. 60 TLSA 3 1 1 0707070707070707070707070707070707070707070707070707070707070707
gmail.com. 60 MX 5 gmail-smtp-in.example.
gmail-smtp-in.example. 60 A 198.51.100.1
gmail-smtp-in.example. 60 AAAA 2001:db8:1::1
friend.example. 60 MX 5 mx.friend.example.
mx.friend.example. 60 A 198.51.100.9
)";

class TestWorld {
 public:
  TestWorld() {
    const auto now = text::parse_rfc3339_date("2026-11-22T00:00:00Z").value();
    using std::chrono::days;
    const crypto::CertificateFacts certificate{.names = {"mail.123.example"},
                                               .issuer = "CN=Test CA",
                                               .validity = {now - days(10), now + days(80)},
                                               .sha256 = filled(9),
                                               .key_sha256 = filled(7)};
    home.domain = "123.example";
    home.host = "mail.123.example";
    home.now = now;
    home.egress = {IpAddress::from_text("192.0.2.1").value(),
                   IpAddress::from_text("2001:db8::1").value()};
    home.on_test_network = true;
    home.ports = {{OwnPort::Door::relay, 25},
                  {OwnPort::Door::submission, 587},
                  {OwnPort::Door::submissions, 465}};
    home.signing_keys = {{"t1", test_key_record, 2048, now - days(30)}};
    home.certificates = {{"mail.123.example", certificate}};
    home.forwards = {{"me@123.example", "me@friend.example", "friend.example"}};
    home.where_goes = [this](const std::string& address) {
      const auto found = refused.find(address);
      return found == refused.end() ? Delivery{Delivery::Way::delivered, "ann@123.example"}
                                    : found->second;
    };
    home.first_user = "ann@123.example";
    home.own_domains = {"123.example"};
    home.outside.big_domains = {"gmail.com"};
    home.outside.address_lists = {"zen.example", "second.example"};
    home.outside.domain_lists = {"dbl.example"};
    home.outside.clock_pages = {"https://time.example/"};
    home.queue = QueueFacts{};
    home.disks = {{"/var/lib/tapal", 5ULL << 30U, 20ULL << 30U}};
    home.renewals.emplace(1, RenewalFacts{"mail.123.example", now + days(50), {}});
    home.backup = BackupFacts{true, "git@backup.example:conf", now - days(1), 0, {}, {}};
    home.credentials = {{"cloudflare", "123.example", {}, "Zone: DNS: Edit"}};

    SmtpFact answers{.greeting = "220 mail.123.example ESMTP",
                     .ehlo_name = "mail.123.example",
                     .offers_starttls = true,
                     .offers_auth_under_tls = true,
                     .tls_version = "TLSv1.3",
                     .is_trusted = true,
                     .certificate = certificate,
                     .certificates_sent = 2};
    for (const auto& address : home.egress)
      for (const auto& port : home.ports) {
        ports[{address, port.port}] = answers;
        if (port.door == OwnPort::Door::relay)
          ports[{address, port.port}].foreign_recipient_code = 550;
      }
    for (const auto* address : {"198.51.100.1", "2001:db8:1::1"})
      ports[{IpAddress::from_text(address).value(), 25}] = {.greeting = "220 mx.google.com ESMTP"};
    pages["https://mta-sts.123.example/.well-known/mta-sts.txt"] = {
        .status = 200,
        .body = "version: STSv1\r\nmode: enforce\r\nmx: mail.123.example\r\nmax_age: 604800\r\n",
        .trouble = {},
        .clock_ahead = std::chrono::seconds(1)};
    pages["https://time.example/"] = {.status = 204, .clock_ahead = std::chrono::seconds(0)};
    registrations["123.example"] = {now - days(1000), now + days(300), {}};
    zone =
        std::string(test_zone) + "t1._domainkey.123.example. 60 TXT " + in_strings(test_key_record);
  }
  TestWorld(const TestWorld&) = delete;  // its functions refer to it
  TestWorld& operator=(const TestWorld&) = delete;
  ~TestWorld() = default;

  static crypto::Digest filled(std::uint8_t byte) {
    crypto::Digest digest;
    digest.fill(byte);
    return digest;
  }
  // As a zone file has it.
  static std::string in_strings(std::string_view value) {
    std::string quoted;
    for (; !value.empty(); value.remove_prefix(std::min<std::size_t>(value.size(), 200))) {
      quoted += '"';
      for (const char c : value.substr(0, 200)) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
      }
      quoted += "\" ";
    }
    return quoted + "\n";
  }

  void drop(std::string_view line_beginning) {
    std::string rest;
    for (const auto line : text::split(zone, '\n'))
      if (!line.starts_with(line_beginning)) rest += std::string(line) + "\n";
    if (rest.size() >= zone.size()) throw std::runtime_error("nothing to drop");
    zone = rest;
  }
  void add(std::string_view line) { zone += std::string(line) + "\n"; }
  void replace(std::string_view line_beginning, std::string_view line) {
    drop(line_beginning);
    add(line);
  }
  SmtpFact& at(std::string_view endpoint) {
    return ports.at(Endpoint::from_text(endpoint).value());
  }
  void each_own_port(const std::function<void(SmtpFact&)>& change) {
    for (auto& [endpoint, fact] : ports)
      if (fact.certificate || endpoint.port != 25) change(fact);
  }

  std::vector<Finding> examine(std::vector<std::string> only = {}) {
    const mailauth::TestZone names(zone);
    const auto suffixes = dns::PublicSuffixes::from_text("example\ncom\n").value();
    Examination examination(home, suffixes, std::move(only));
    for (int rounds = 0; examination.run(); ++rounds) {
      if (rounds == 200) throw std::runtime_error("it asks and asks");
      answer(examination.evidence(), names);
    }
    return examination.findings();
  }

  Home home;
  std::string zone;
  bool is_signed = true;
  std::set<std::string> unsigned_names;
  std::set<std::string> failing;  // names that nobody answers for
  std::map<Endpoint, SmtpFact> ports;
  std::map<std::string, PageFact> pages;
  std::map<std::string, RegistrationFact> registrations;
  std::map<std::string, Delivery> refused;
  void (*change_authorities)(AuthoritiesFact& fact) = nullptr;

 private:
  void answer(Evidence& evidence, const mailauth::TestZone& names) {
    for (const auto& lookup : std::set(evidence.dns.wanted())) {
      DnsFact fact{names.answer(lookup), is_signed && !unsigned_names.contains(lookup.name), {}};
      if (failing.contains(lookup.name)) fact = {};
      fact.canonical_name = fact.reply.records.empty() ? "" : fact.reply.records.front().name;
      evidence.dns.add(lookup, std::move(fact));
    }
    for (const auto& lookup : std::set(evidence.authorities.wanted())) {
      const auto records = names.answer(lookup).records;
      AuthoritiesFact fact;
      fact.zone = "123.example";
      fact.servers = {{"ns1.example", {}, records}, {"ns2.example", {}, records}};
      if (change_authorities) change_authorities(fact);
      evidence.authorities.add(lookup, std::move(fact));
    }
    for (const auto& probe : std::set(evidence.smtp.wanted())) {
      const auto found = ports.find(probe.server);
      evidence.smtp.add(probe,
                        found == ports.end()
                            ? SmtpFact{.reach = SmtpFact::Reach::refused, .trouble = "refused"}
                            : found->second);
    }
    for (const auto& url : std::set(evidence.pages.wanted()))
      evidence.pages.add(url, pages.contains(url) ? pages[url] : PageFact{.trouble = "no answer"});
    for (const auto& domain : std::set(evidence.registrations.wanted()))
      evidence.registrations.add(domain,
                                 registrations.contains(domain)
                                     ? registrations[domain]
                                     : RegistrationFact{.trouble = "no answer"});
  }
};

}  // namespace tapal::provision
