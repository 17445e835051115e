// What the outside world answered while the doctor looks. Who finds an answer missing leaves, the
// question is then wanted, and begins anew when it has come: so checks are plain functions, and
// asking is left to others.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/ip_address.h"
#include "base/time.h"
#include "values/crypto/certificate.h"
#include "values/dns/lookup.h"

namespace tapal::provision {

struct DnsFact {
  dns::LookupReply reply;
  bool is_secure = false;      // shown by DNSSEC to be genuine
  std::string canonical_name;  // where CNAMEs led
};

// A look at a mail server's port, as a stranger who wants nothing.
struct SmtpProbe {
  enum class Manner : std::uint8_t {
    greeting,  // read it and go
    starttls,  // all there is to see in clear and under TLS
    implicit,  // the same with TLS from the first byte
  };
  Endpoint server;
  std::optional<IpAddress> from;
  std::string name;  // the certificate is to be for this one; empty for Manner::greeting
  Manner manner = Manner::greeting;
  auto operator<=>(const SmtpProbe&) const = default;
};

struct SmtpFact {
  enum class Reach : std::uint8_t { answered, refused, silent } reach = Reach::answered;
  std::string trouble;   // what ended it early; empty: nothing
  IpAddress local;       // our end
  std::string greeting;  // the reply on one line: "220 mail.example.com ESMTP"
  std::string ehlo_name;
  bool offers_starttls = false;
  bool offers_auth_in_clear = false;
  bool offers_auth_under_tls = false;
  std::string tls_version;  // "TLSv1.3"; empty: no TLS came about
  bool is_trusted = false;  // chain and name hold
  std::string tls_trouble;
  std::optional<crypto::CertificateFacts> certificate;
  std::size_t certificates_sent = 0;
  int foreign_recipient_code = 0;  // the reply to RCPT for a stranger's address; 0: not asked
};

struct PageFact {
  int status = 0;  // of HTTP; 0: no answer
  std::string content_type;
  std::string body;
  std::string trouble;
  std::optional<std::chrono::seconds> clock_ahead;  // our clock, by the server's Date
};

struct RegistrationFact {  // of a domain, by RDAP (RFC 9083)
  std::optional<WallTime> registered;
  std::optional<WallTime> expires;
  std::string trouble;  // empty: there was an answer
};

// What each server of the zone answers by itself.
struct AuthoritiesFact {
  struct Server {
    std::string name;
    std::string trouble;               // empty: it answered
    std::vector<dns::Record> records;  // of the type asked for
  };
  std::string zone;
  std::vector<Server> servers;
  std::string trouble;  // empty: the servers were found
};

template <class Question, class Fact>
class Answers {
 public:
  static constexpr std::size_t answers_max = 2'000;

  // Null: not known yet, and wanted from now on. Pointers stay good.
  const Fact* find(const Question& question) {
    if (const auto found = facts_.find(question); found != facts_.end()) return &found->second;
    if (facts_.size() + wanted_.size() >= answers_max) return &none_;
    wanted_.insert(question);
    return nullptr;
  }
  void add(const Question& question, Fact fact) {
    wanted_.erase(question);
    facts_.insert_or_assign(question, std::move(fact));
  }
  const std::set<Question>& wanted() const { return wanted_; }
  const std::map<Question, Fact>& all() const { return facts_; }

 private:
  Fact none_{};
  std::map<Question, Fact> facts_;
  std::set<Question> wanted_;
};

struct Evidence {
  Answers<dns::Lookup, DnsFact> dns;
  Answers<dns::Lookup, AuthoritiesFact> authorities;
  Answers<SmtpProbe, SmtpFact> smtp;
  Answers<std::string, PageFact> pages;                  // by URL
  Answers<std::string, RegistrationFact> registrations;  // by registered domain

  std::size_t wanted() const {
    return dns.wanted().size() + authorities.wanted().size() + smtp.wanted().size() +
           pages.wanted().size() + registrations.wanted().size();
  }
};

}  // namespace tapal::provision
