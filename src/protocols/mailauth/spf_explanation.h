// The words a domain has for those whose mail it wants refused (RFC 7208 section 6.2), as a core
// that asks DNS in the form of values/dns/lookup.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "protocols/mailauth/reverse_name.h"
#include "protocols/mailauth/spf_macro.h"
#include "values/dns/lookup.h"

namespace tapal::mailauth {

class SpfExplanation {
 public:
  // `where` is the value of exp=. `names` of the client are asked for here if they were not yet.
  SpfExplanation(SpfMacroText where,
                 SpfMacroValues values,
                 ReverseNameCheck names,
                 std::size_t bytes_max);

  std::optional<dns::Lookup> next_lookup() const;
  void on_reply(const dns::LookupReply& reply);

  // Printable ASCII. Empty when anything goes wrong, and until all lookups are answered.
  const std::string& text() const { return text_; }

 private:
  enum class Step : std::uint8_t { place, text, done };
  void advance();
  bool needs_names(const SpfMacroText& macro);
  void on_text(const dns::LookupReply& reply);
  void write(const SpfMacroText& words);

  SpfMacroText where_;
  SpfMacroValues values_;
  ReverseNameCheck names_;
  std::size_t bytes_max_;
  Step step_ = Step::place;
  std::optional<dns::Lookup> lookup_;  // of the text
  std::optional<SpfMacroText> words_;
  std::string text_;
};

}  // namespace tapal::mailauth
