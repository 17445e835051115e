// The names of an address that lead back to it: "iprev" of RFC 8601 section 3, the validated
// domain names of RFC 7208 section 5.5. A core that asks DNS in the form of values/dns/lookup.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "values/dns/lookup.h"

namespace tapal::mailauth {

enum class IprevVerdict : std::uint8_t {
  pass,
  fail,       // no name leads back
  temperror,  // DNS could not tell
  permerror,  // the address has no names
};
std::string_view iprev_verdict_text(IprevVerdict verdict);  // "permerror"

struct IprevResult {
  IprevVerdict verdict = IprevVerdict::temperror;
  std::vector<std::string> names;  // confirmed, in the order of the PTR records
  std::string reason;              // for people
};

class ReverseNameCheck {
 public:
  static constexpr std::size_t names_max = 10;  // further ones are ignored

  explicit ReverseNameCheck(const IpAddress& ip);

  std::optional<dns::Lookup> next_lookup() const;
  void on_reply(const dns::LookupReply& reply);

  // Before all lookups are answered: temperror, with the names confirmed so far.
  IprevResult result() const;

 private:
  enum class Step : std::uint8_t { names, addresses, done };
  void on_names(const dns::LookupReply& reply);
  void on_addresses(const dns::LookupReply& reply);

  IpAddress ip_;
  Step step_ = Step::names;
  std::deque<std::string> candidates_;  // the first one is being asked for
  std::vector<std::string> confirmed_;
  IprevVerdict verdict_ = IprevVerdict::temperror;  // when nothing is confirmed
  std::string reason_;
};

// Whether there is `ip` among the addresses of a reply.
bool has_address(const dns::LookupReply& reply, const IpAddress& ip);
dns::Type address_type(const IpAddress& ip);  // A or AAAA

}  // namespace tapal::mailauth
