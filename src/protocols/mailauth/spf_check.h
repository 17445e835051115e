// May this client send for this domain? SPF's check_host() (RFC 7208 section 4) for one identity,
// as a core that asks DNS in the form of values/dns/lookup.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/time.h"
#include "protocols/mailauth/spf_identity.h"
#include "protocols/mailauth/spf_record.h"
#include "values/dns/lookup.h"

namespace tapal::mailauth {

struct SpfQuestion {
  IpAddress ip;  // the client's
  SpfIdentity identity;
  std::string helo;       // of macros
  std::string host_name;  // our own, of macros
  WallTime now{};         // of macros
};

// RFC 7208 section 4.6.4. The time it may all take is kept by who asks DNS: see on_time().
struct SpfLimits {
  std::size_t lookup_terms_max = 10;      // mechanisms and redirects that ask DNS; more: permerror
  std::size_t void_lookups_max = 2;       // of these, that find nothing; more: permerror
  std::size_t exchanges_max = 10;         // MX names of one mechanism; more: permerror
  std::size_t identity_bytes_max = 1024;  // local part, domain and HELO, each; longer: none
  std::size_t record_bytes_max = 16 * 1024;  // a longer record: permerror
  std::size_t explanation_bytes_max = 1024;  // a longer one is dropped
};

struct SpfResult {
  SpfVerdict verdict = SpfVerdict::none;
  SpfIdentity::Kind identity = SpfIdentity::Kind::mail_from;
  std::string domain;       // whose policy was asked for: A-labels where it is a name
  std::string mechanism;    // the term of its record that matched, as written; may be empty
  std::string reason;       // for people
  std::string explanation;  // the domain's own words on a fail, printable ASCII; may be empty
  std::vector<std::string> records;  // those read, as "name: text"
};

class SpfCheck {
 public:
  explicit SpfCheck(SpfQuestion question, SpfLimits limits = {});
  SpfCheck(SpfCheck&&) noexcept;
  SpfCheck& operator=(SpfCheck&&) noexcept;
  ~SpfCheck();

  std::optional<dns::Lookup> next_lookup() const;
  void on_reply(const dns::LookupReply& reply);
  // Time is up (20 s are the least that RFC 7208 section 4.6.4 wants given): temperror, unless only
  // the explanation is missing. No more lookups then.
  void on_time();

  // Stands when there is nothing to look up any more; temperror before.
  const SpfResult& result() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tapal::mailauth
