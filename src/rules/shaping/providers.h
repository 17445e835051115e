// What is known of each mailbox provider: how its mail hosts are recognised, what it takes at once,
// and what its replies mean. The table is a TOML file that ships with the program (providers.toml
// beside this file tells its form); the user's own providers.toml extends it.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "values/text/pattern_set.h"

namespace tapal::shaping {

struct Rate {
  std::size_t count = 0;
  std::chrono::seconds in{1};
  bool operator==(const Rate&) const = default;
};
std::string rate_text(const Rate& rate);  // "20/1m", as the file has it
// Nothing when it is no such text, or out of bounds: 1 to a million in a second to a week.
std::optional<Rate> parse_rate(std::string_view text);

// What is not there is not limited by the table.
struct LoadLimits {
  std::optional<std::size_t> connections_max;  // at the same time
  std::optional<Rate> messages;
  std::optional<Rate> connections;
  bool operator==(const LoadLimits&) const = default;
};
struct SiteLimits {
  LoadLimits per_source;  // what one egress source may send there
  LoadLimits per_site;    // what all of them may, together
  std::optional<std::size_t> messages_per_connection_max;
  std::optional<std::size_t> recipients_per_transaction_max;
  bool operator==(const SiteLimits&) const = default;
};

enum class Reaction : std::uint8_t {
  slow_down,       // fewer connections and a lower rate to the site, for the time
  suspend_site,    // nothing to the site from any source, for the time
  suspend_source,  // nothing from this address of ours to the site, for the time
  suspend_sender,  // nothing of this sender domain to the site, for the time
  bounce,          // for good, though the code may say 4xx
  retry_in,        // the next try of this recipient after the time, from the same source
  note,            // nothing but a word to the operator
};
inline constexpr std::array<std::string_view, 7> reaction_words{
    "slow_down", "suspend_site", "suspend_source", "suspend_sender", "bounce", "retry_in", "note"};
std::string_view text_of(Reaction reaction);

// One reply that calls for more than the code says.
struct ReplyRule {
  std::string name;                   // "gmail/rate"
  std::vector<std::string> patterns;  // RE2, without case, anywhere in "421 4.7.28 text / text"
  Reaction reaction = Reaction::note;
  std::chrono::seconds time{0};  // 0 for bounce and note
  std::string note;              // what it means and what to do, for the operator
};

struct Provider {
  std::string name;                      // "gmail"
  std::vector<std::string> mx_suffixes;  // "google.com" is it and all names below; lower case
  std::vector<std::string> domains;      // where the MX says nothing; lower case
  SiteLimits limits;
  // Messages a day that a new address of ours begins with.
  std::optional<std::size_t> daily_warm_up_start;
  std::vector<ReplyRule> replies;  // the first that matches holds
  text::PatternSet patterns;       // of all replies, in their order
};

class ProviderTable {
 public:
  // The provider of the first host that belongs to one: give the hosts in order of preference. The
  // longest suffix decides. Null: none is known.
  const Provider* of_hosts(std::span<const std::string> mx_hosts) const;
  const Provider* of_domain(std::string_view domain) const;
  const Provider* find(std::string_view name) const;

  // What a reply calls for beside what its code says, by the provider's rules and then by those for
  // everybody. `said` is the reply as smtp::one_line() has it, "421 4.7.28 text". `provider` may be
  // null; so may the answer.
  const ReplyRule* rule_for(const Provider* provider, std::string_view said) const;

  const Provider& any() const { return any_; }  // the rules for everybody; it has no hosts
  std::span<const Provider> all() const { return providers_; }  // in order of their names

 private:
  friend class TableReader;
  const Provider* of_host(std::string_view host) const;

  std::vector<Provider> providers_;
  Provider any_;
  std::map<std::string, std::size_t, std::less<>> by_suffix_;  // to the index in providers_
  std::map<std::string, std::size_t, std::less<>> by_domain_;
};

// What ships, extended by `toml`: a provider's key that is given replaces the shipped one; so does
// a reply of the same name, and new ones go before the shipped. An empty `toml` gives what ships.
// The Error names each problem, "file:line: what is wrong", on lines of their own.
Result<ProviderTable> read_providers(std::string_view toml, std::string_view file_name);

}  // namespace tapal::shaping
