#include "services/api/why.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "values/text/date.h"
#include "values/text/duration.h"

namespace tapal::api {
namespace {

using queue::State;
using Reason = queue::WaitFact::Reason;

std::string span_text(WallTime from, WallTime to) {
  return text::duration_text(std::max(std::chrono::duration_cast<std::chrono::seconds>(to - from),
                                      std::chrono::seconds(0)));
}

// In a sentence {in} is the time until the fact's `due` and {until} that time, {others} how many
// messages are being tried at the destination, {rule} and {note} the hold rule's; what would change
// it may name the message by {id}.
struct Row {
  Reason reason;
  std::string_view name;
  std::string_view limit;
  std::string_view sentence;
  std::string_view change;
};
constexpr Row rows[] = {
    {Reason::time,
     "time",
     "",
     "the next attempt is in {in}, at {until}",
     "`tapal queue retry {id}` tries now"},
    {Reason::held, "held", "", "held by hand", "`tapal queue release {id}` lets it go on"},
    {Reason::rule,
     "rule",
     "",
     "held by rule {rule}{note} until {until}",
     "`tapal queue rule del {rule}` ends the rule"},
    {Reason::in_flight, "in_flight", "", "being tried right now", ""},
    {Reason::site_limit,
     "site_limit",
     "delivery.connections_per_destination_max",
     "due, but as many connections as allowed are busy there with {others} other messages",
     "it goes on when one of them ends"},
    {Reason::total_limit,
     "total_limit",
     "delivery.connections_max",
     "due, but as many connections as allowed are busy",
     "it goes on when one of them ends"},
    {Reason::turn, "turn", "", "due, waiting for its turn", ""},
};

// Of those that the gate refuses: the sentence is the obstacle's own.
using Blocked = queue::Obstacle::Reason;
struct GateRow {
  Blocked reason;
  std::string_view name;
  std::string_view limit;
  std::string_view change;
};
constexpr std::string_view not_for_retry = "`tapal queue retry {id}` does not wait for that";
constexpr std::string_view look_at_sources = "`tapal sources` shows what they may do";
constexpr GateRow gate_rows[] = {
    {Blocked::site_connections, "site_connections", "", "it goes on when one of them ends"},
    {Blocked::site_rate, "site_rate", "", "providers.toml has the limit"},
    {Blocked::site_suspended, "site_suspended", "", not_for_retry},
    {Blocked::source_unusable, "source_unusable", "", look_at_sources},
    {Blocked::source_suspended, "source_suspended", "", not_for_retry},
    {Blocked::warm_up, "warm_up", "", look_at_sources},
    {Blocked::sender_rate, "sender_rate", "shaping.messages_per_sender_domain", ""},
    {Blocked::sender_suspended, "sender_suspended", "", not_for_retry},
    {Blocked::user_rate, "user_rate", "shaping.messages_per_user", ""},
    {Blocked::user_connections, "user_connections", "shaping.connections_per_user_max", ""},
};

const GateRow& row_of(Blocked reason) {
  const auto* const found = std::ranges::find(gate_rows, reason, &GateRow::reason);
  return found == std::end(gate_rows) ? *std::begin(gate_rows) : *found;
}

const Row& row_of(Reason reason) {
  const auto* const found = std::ranges::find(rows, reason, &Row::reason);
  return found == std::end(rows) ? *std::prev(std::end(rows)) : *found;
}

std::string place_of(const queue::WaitFact& fact) {
  if (fact.site.empty() || fact.site == fact.destination) return fact.destination;
  return fmt::format("{} ({})", fact.destination, fact.site);
}

std::string recipients_text(std::size_t count) {
  return count == 1 ? std::string("one recipient") : fmt::format("{} recipients", count);
}

std::string fact_text(const queue::Message& message, const queue::WaitFact& fact, WallTime now) {
  const auto text = wait_text(message, fact, now);
  return fmt::format("{} at {}: {}{}{}",
                     recipients_text(fact.recipients.size()),
                     place_of(fact),
                     text.sentence,
                     text.change.empty() ? "" : "; ",
                     text.change);
}

std::string recipient_text(const queue::RecipientState& state, WallTime now) {
  auto whom = fmt::format("<{}>", state.recipient.address.text());
  if (const auto place = mail::place_text(state.recipient.handover); !place.empty())
    whom += fmt::format(" ({})", place);
  if (state.attempts == 0) return fmt::format("{} was not tried yet.", whom);
  const auto when =
      state.last_attempt ? fmt::format(" {} ago", span_text(*state.last_attempt, now)) : "";
  const auto where = state.last.remote.empty() ? "" : fmt::format(" by {}", state.last.remote);
  const auto tries = fmt::format("{} attempt{}", state.attempts, state.attempts == 1 ? "" : "s");
  const auto* outcome = state.state == State::delivered ? "was delivered"
                        : state.state == State::failed  ? "failed for good"
                                                        : "waits";
  return fmt::format("{} {} after {}; the last answer{}{}: {}{}",
                     whom,
                     outcome,
                     tries,
                     when,
                     where,
                     state.last.text,
                     state.last.text.ends_with('.') ? "" : ".");
}

}  // namespace

WaitText wait_text(const queue::Message& message, const queue::WaitFact& fact, WallTime now) {
  const auto fill = [&](std::string_view sentence) {
    return fmt::format(
        fmt::runtime(sentence),
        fmt::arg("id", message.id.text()),
        fmt::arg("in", span_text(now, fact.due)),
        fmt::arg("until",
                 fact.due == WallTime{} ? "somebody ends it" : text::rfc3339_date(fact.due)),
        fmt::arg("others", fact.occupied_by.size()),
        fmt::arg("rule", fact.rule),
        fmt::arg("note", fact.note.empty() ? "" : fmt::format(" ({})", fact.note)));
  };
  if (fact.reason == Reason::gate) {
    const auto& row = row_of(fact.obstacle.reason);
    const auto& until = fact.obstacle.until;
    const auto when = until ? fmt::format(", until {}", text::rfc3339_date(*until)) : "";
    return {row.name,
            row.limit,
            fmt::format("due, but {}{}", fact.obstacle.text, when),
            fill(row.change)};
  }
  const auto& row = row_of(fact.reason);
  return {row.name, row.limit, fill(row.sentence), fill(row.change)};
}

std::string explain_waiting(const queue::Message& message,
                            std::span<const queue::WaitFact> facts,
                            WallTime now) {
  const auto from =
      message.envelope.return_path ? message.envelope.return_path->text() : std::string();
  auto text = fmt::format("Message {} from <{}> arrived {} ago, at {}.",
                          message.id.text(),
                          from,
                          span_text(message.arrived, now),
                          text::rfc3339_date(message.arrived));
  for (const auto& state : message.recipients) text += " " + recipient_text(state, now);
  for (const auto& fact : facts) text += " Waiting: " + fact_text(message, fact, now) + ".";
  return text;
}

}  // namespace tapal::api
