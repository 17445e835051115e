// How many of the ten terms that may ask DNS (RFC 7208 section 4.6.4) an SPF record can use up, for
// a client that none of its terms match: what the record's owner must keep below the limit. A core
// that asks DNS in the form of values/dns/lookup.h.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/mailauth/spf_record.h"
#include "values/dns/lookup.h"

namespace tapal::mailauth {

inline constexpr std::size_t spf_lookup_terms_max = 10;

class SpfLookupCount {
 public:
  // The count goes on a while behind the limit, so that it can be told what is too much.
  static constexpr std::size_t counted_max = 40;

  // `record` is the domain's, published or not. One that cannot be parsed counts nothing.
  SpfLookupCount(const std::string& domain, std::string_view record);

  std::optional<dns::Lookup> next_lookup() const;
  void on_reply(const dns::LookupReply& reply);

  struct Term {
    std::string text;       // of the record itself, as written
    std::size_t terms = 0;  // what it uses up, with all that it includes
  };
  const std::vector<Term>& terms() const { return terms_; }  // those that ask DNS
  std::size_t total() const { return total_; }
  // Where included records are missing, broken or could not be asked for; those are a permerror or
  // a temperror to receivers. Safe to print.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  struct Waiting {
    std::string domain;    // canonical, whose record is to be counted
    std::size_t term = 0;  // of terms_, that led there
  };
  void count(const SpfRecord& record, std::string_view domain, std::optional<std::size_t> term);
  void count_term(std::string_view text, std::optional<std::size_t>& term);
  void follow(const SpfMacroText& target, std::string_view domain, std::size_t term);

  std::vector<Term> terms_;
  std::vector<Waiting> waiting_;
  std::size_t total_ = 0;
  std::vector<std::string> problems_;
};

}  // namespace tapal::mailauth
