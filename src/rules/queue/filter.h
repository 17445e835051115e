// Which recipients of which messages an order, a list or a hold rule is about. All that is said
// must hold; what is not said does not matter. A recipient that has ended is never meant.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/queue_id.h"
#include "base/result.h"
#include "base/time.h"
#include "rules/queue/message.h"

namespace tapal::queue {

inline constexpr std::size_t filter_ids_max = 1000;
inline constexpr std::size_t filter_text_bytes_max = 500;  // of each text

struct Filter {
  std::vector<QueueId> ids;  // any of them; ascending
  std::string domain;        // of the recipient; ".example.com": every name below it
  std::string recipient;     // an address
  std::string sender;        // an address, a domain as above, or "<>": of no sender
  std::string user;          // who submitted it, by their login
  std::string site;          // where its mail goes, as `tapal queue sites` names it
  // Stands in the last reply, whatever its case, begins its status, or is what the reply means:
  // "mailbox_full".
  std::string reason;
  std::optional<std::chrono::milliseconds> older;  // in the queue for longer
  bool held = false;                               // by hand or by a rule

  bool is_empty() const { return *this == Filter(); }
  bool operator==(const Filter&) const = default;
};

// What a filter asks beyond the message. `site_of` may be empty where no filter names a site,
// `category_of` where replies have no categories.
struct FilterFacts {
  WallTime now{};
  std::function<std::string(const mail::Recipient&, Origin::Kind)> site_of = {};
  std::function<std::string(const Outcome&)> category_of = {};
};

// Indexes in Message::recipients, ascending.
std::vector<std::uint32_t> matching(const Filter& filter,
                                    const Message& message,
                                    const FilterFacts& facts);

// One JSON object, such as {"domain":"example.com","older":"2h"}. The error names the member; one
// that is not known is refused: a filter that says less than its writer meant would match too much.
std::string to_json(const Filter& filter);
Result<Filter> filter_from_json(std::string_view json);

// As it is written on a command line: "--domain example.com --older 2h". Empty for an empty one.
std::string text_of(const Filter& filter);

}  // namespace tapal::queue
