// What DNS says about DMARC: the records, each name asked for once, and the walk up the tree that
// finds a domain's organizational domain (RFC 9989 section 4.10).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/mailauth/dmarc_record.h"
#include "values/dns/lookup.h"
#include "values/dns/public_suffix.h"

namespace tapal::mailauth {

struct DmarcAnswer {
  std::optional<DmarcRecord> record;  // nothing also when there are several (section 4.10 step 2)
  std::string text;                   // of the record
  std::size_t records = 0;            // how many there are
  bool no_such_name = false;          // NXDOMAIN
  bool failed = false;                // nobody could tell now
};

// Answers that are there, and the one to ask for next. Who finds an answer missing leaves, and
// starts anew when it has come.
class DmarcAnswers {
 public:
  // Null: not known yet, and wanted from now on. Pointers stay good.
  const DmarcAnswer* record_at(std::string_view domain);
  const DmarcAnswer* existence_of(std::string_view domain);

  const std::optional<dns::Lookup>& wanted() const { return wanted_; }
  void add(const dns::LookupReply& reply);  // to what is wanted

 private:
  const DmarcAnswer* find(dns::Lookup lookup);

  std::map<dns::Lookup, DmarcAnswer> answers_;
  std::optional<dns::Lookup> wanted_;
};

struct DmarcWalk {
  struct Step {
    std::string domain;
    const DmarcRecord* record = nullptr;  // never null; this and the text are of the answers
    std::string_view text;
  };
  std::string organizational_domain;
  std::vector<Step> records;  // longest name first
  bool failed = false;        // a lookup failed on the way: the organizational domain is not known
};

// At most eight lookups. Nothing: an answer is missing.
//
// RFC 7489 took the organizational domain from the public suffix list. Where the two disagree the
// walk is right, but for one case: a record at a suffix of the list that has only tags of RFC 7489.
// Its owner did not know of psd=y, and without it all who registered below would count as one
// organization and could speak for each other (RFC 9989 section 11.8). It is taken for psd=y. The
// list thus only narrows what the walk finds. `suffixes` may be null.
//
// A top-level domain or a suffix of the list that cannot be asked is taken for one without a
// record, as nearly all are: its trouble should not be that of everybody below it.
std::optional<DmarcWalk> dmarc_tree_walk(std::string_view domain,
                                         DmarcAnswers& answers,
                                         const dns::PublicSuffixes* suffixes);

}  // namespace tapal::mailauth
