// What one check has at hand: what is known at home, what the world answered, and a place for its
// findings.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rules/provision/evidence.h"
#include "rules/provision/finding.h"
#include "rules/provision/home.h"
#include "values/dns/public_suffix.h"

namespace tapal::provision {

// What is wrong, and the way out.
struct Advice {
  std::string seen;
  std::string expected;
  std::string fix = {};
  std::optional<Repair> repair = {};
};

class Look {
 public:
  // All of these must outlive it.
  Look(const Home& at_home, const dns::PublicSuffixes& list, Evidence& evidence, std::string id)
      : home(at_home), suffixes(list), evidence_(evidence), id_(std::move(id)) {}

  const Home& home;
  const dns::PublicSuffixes& suffixes;

  // Each null when it is still to be asked for: leave, the check is run again then.
  const DnsFact* dns(const std::string& name, dns::Type type) { return dns({name, type}); }
  const DnsFact* dns(const dns::Lookup& lookup) { return evidence_.dns.find(lookup); }
  const AuthoritiesFact* authorities(const dns::Lookup& lookup) {
    return evidence_.authorities.find(lookup);
  }
  const SmtpFact* smtp(const SmtpProbe& probe) { return evidence_.smtp.find(probe); }
  const PageFact* page(const std::string& url) { return evidence_.pages.find(url); }
  const RegistrationFact* registration(const std::string& domain) {
    return evidence_.registrations.find(domain);
  }
  const Evidence& evidence() const { return evidence_; }

  // A core of values/dns/lookup.h, driven as far as there are answers. False: not to its end.
  template <class Core>
  bool drive(Core& core) {
    while (const auto lookup = core.next_lookup()) {
      const auto* fact = dns(*lookup);
      if (fact == nullptr) return false;
      core.on_reply(fact->reply);
    }
    return true;
  }

  void ok(std::string subject, std::string seen) {
    findings.push_back({id_, std::move(subject), Severity::ok, std::move(seen)});
  }
  void info(const std::string& subject, const Advice& advice) {
    add(Severity::info, subject, advice);
  }
  void warn(const std::string& subject, const Advice& advice) {
    add(Severity::warning, subject, advice);
  }
  void error(const std::string& subject, const Advice& advice) {
    add(Severity::error, subject, advice);
  }
  void add(Severity severity, const std::string& subject, const Advice& advice) {
    findings.push_back(
        {id_, subject, severity, advice.seen, advice.expected, advice.fix, advice.repair});
  }
  // Nobody could tell now; no verdict on anything.
  void cannot_tell(const std::string& subject, std::string_view question);

  std::vector<Finding> findings;

 private:
  Evidence& evidence_;
  std::string id_;
};

bool has_failed(const DnsFact& fact);

template <class Data>
std::vector<Data> data_of(const DnsFact& fact) {
  std::vector<Data> all;
  for (const auto& record : fact.reply.records)
    if (const auto* data = std::get_if<Data>(&record.data)) all.push_back(*data);
  return all;
}

// The TXT values that begin so, case ignored.
std::vector<std::string> texts_beginning(const DnsFact& fact, std::string_view prefix);

// "publish: mail.example.com. 3600 IN A 192.0.2.1", and how tapal does it.
std::string publish(const Look& look, const dns::Record& record);
std::string publish_text(const Look& look, std::string name, std::string text);

// The addresses of a name, both families. Nothing: not all of it is known yet.
std::optional<std::vector<IpAddress>> addresses_at(Look& look, const std::string& name);

// Each of our ports at each of the host's public addresses, and what was seen there.
struct OwnService {
  OwnPort port;
  SmtpProbe probe;
  const SmtpFact* fact = nullptr;  // never null
  std::string text() const;        // "port 25 at 192.0.2.1"
};
std::optional<std::vector<OwnService>> own_services(Look& look);

}  // namespace tapal::provision
