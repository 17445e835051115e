#include "services/api/why.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

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

std::string recipients_text(std::size_t count) {
  return count == 1 ? std::string("one recipient") : fmt::format("{} recipients", count);
}

std::string fact_text(const queue::WaitFact& fact, WallTime now) {
  auto who = fmt::format("{} at {}", recipients_text(fact.recipients), fact.destination);
  if (!fact.site.empty() && fact.site != fact.destination) who += fmt::format(" ({})", fact.site);
  switch (fact.reason) {
    case Reason::time:
      return fmt::format("{}: the next attempt is in {}, at {}",
                         who,
                         span_text(now, fact.due),
                         text::rfc3339_date(fact.due));
    case Reason::held:
      return fmt::format("{}: held until somebody runs `tapal queue release`", who);
    case Reason::in_flight: return fmt::format("{}: being tried right now", who);
    case Reason::site_limit:
      return fmt::format(
          "{}: due, but as many connections as allowed are busy there with {} other messages",
          who,
          fact.occupied_by.size());
    case Reason::total_limit:
      return fmt::format("{}: due, but as many connections as allowed are busy", who);
    case Reason::gate:
      return fmt::format("{}: due, but {}{}",
                         who,
                         fact.obstacle.text,
                         fact.obstacle.until
                             ? fmt::format(", until {}", text::rfc3339_date(*fact.obstacle.until))
                             : std::string());
    case Reason::turn: break;
  }
  return fmt::format("{}: due, waiting for its turn", who);
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
  return fmt::format("{} {} after {}; the last answer{}{}: {}",
                     whom,
                     outcome,
                     tries,
                     when,
                     where,
                     state.last.text);
}

}  // namespace

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
  for (const auto& fact : facts) text += " Waiting: " + fact_text(fact, now) + ".";
  return text;
}

}  // namespace tapal::api
