// The key records that a message's signatures need. Each name is asked for once, whoever wants it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/mailauth/dkim_key_record.h"
#include "protocols/mailauth/dkim_signature.h"
#include "values/crypto/hash.h"
#include "values/crypto/key.h"
#include "values/dns/lookup.h"

namespace tapal::mailauth {

struct UsableKey {
  crypto::PublicKey key;
  bool testing = false;  // the record says t=y
};

// The keys at one name that may vouch for one signature.
struct KeyChoice {
  std::vector<UsableKey> keys;  // in the order of the records
  std::string why_none;         // for a person, when there are no keys
  bool temporary = false;       // there are none because nobody could tell now

  // The one that made this signature, or nullptr.
  const UsableKey* maker_of(const crypto::Digest& digest, std::string_view signature) const;
};

class KeyLookups {
 public:
  // Of several records at one name, `records_max` are tried in turn: that is an error of the
  // domain's, with results undefined (RFC 6376 section 3.6.2.2).
  explicit KeyLookups(std::size_t records_max) : records_max_(records_max) {}

  // `name` in A-labels; the number to choose by.
  std::size_t want(const std::string& name);
  std::optional<std::size_t> find(std::string_view name) const;  // what is wanted already

  // The form of values/dns/lookup.h.
  std::optional<dns::Lookup> next_lookup() const;
  void on_reply(dns::LookupReply reply);

  // By RFC 6376 section 6.1.2. A question without a reply is temporary.
  KeyChoice choose(std::size_t wanted, const DkimSignature& signature) const;

 private:
  struct Wanted {
    std::string name;
    std::optional<dns::LookupReply> reply;
  };

  std::size_t records_max_;
  std::vector<Wanted> wanted_;
  std::size_t answered_ = 0;
};

}  // namespace tapal::mailauth
