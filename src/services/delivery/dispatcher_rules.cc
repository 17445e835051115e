// Hold rules: kept beside the messages and not in the configuration, since they are about this
// queue, come and go with its troubles and end by themselves.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "services/delivery/dispatcher.h"

namespace tapal::delivery {
namespace {

std::size_t waiting_of(const queue::Message& message, const std::vector<std::uint32_t>& which) {
  return static_cast<std::size_t>(std::ranges::count_if(which, [&message](std::uint32_t i) {
    return message.recipients[i].state == queue::State::waiting;
  }));
}

// To facts about the same rule at the same destination, the recipient is added.
void add_rule_fact(std::vector<queue::WaitFact>& facts,
                   const queue::WaitFact& held,
                   const queue::HoldRule& rule,
                   std::uint32_t recipient) {
  const auto same = [&](const queue::WaitFact& fact) {
    return fact.reason == queue::WaitFact::Reason::rule && fact.rule == rule.number &&
           fact.destination == held.destination;
  };
  auto found = std::ranges::find_if(facts, same);
  if (found == facts.end())
    found = facts.insert(found,
                         {.reason = queue::WaitFact::Reason::rule,
                          .destination = held.destination,
                          .recipients = {},
                          .due = rule.until.value_or(WallTime{}),
                          .rule = rule.number,
                          .note = rule.note});
  found->recipients.push_back(recipient);
}

}  // namespace

void Dispatcher::read_hold_rules() {
  hold_rules_ = {};
  const auto read = world_.records.read_records(
      RecordKind::hold_rule, [this](std::string_view key, std::string_view value) {
        if (auto rule = queue::hold_rule_from_json(value))
          hold_rules_.put(*std::move(rule));
        else
          world_.log.write(Level::error,
                           "a hold rule cannot be read and is not in force",
                           {{"rule", std::string(key)}, {"reason", rule.error().what}});
      });
  if (!read)
    world_.log.write(Level::error,
                     "the hold rules cannot be read and are not in force",
                     {{"reason", read.error().what}});
}

Task<Result<HeldByRule>> Dispatcher::add_hold_rule(queue::HoldRule rule) {
  const auto turn = co_await next_turn();
  TAPAL_CO_CHECK(queue::check(rule));
  if (hold_rules_.all().size() >= queue::hold_rules_max)
    co_return fail(Code::invalid,
                   fmt::format("there are {} rules, and no more can be: end one with `tapal queue "
                               "rule del`",
                               queue::hold_rules_max));
  rule.number = hold_rules_.next_number();
  RecordsChange kept;
  kept.put.emplace_back(std::to_string(rule.number), queue::to_json(rule));
  TAPAL_CO_CHECK(
      co_await world_.records.change_records(world_.loop, RecordKind::hold_rule, std::move(kept)));
  auto filter = rule.filter;
  const auto number = rule.number;
  hold_rules_.put(std::move(rule));
  wake();
  TAPAL_CO_TRY(const auto held, co_await refile_matching(std::move(filter)));
  co_return HeldByRule{number, held};
}

Task<Result<HeldByRule>> Dispatcher::end_hold_rule(std::uint32_t number) {
  const auto turn = co_await next_turn();
  if (std::ranges::find(hold_rules_.all(), number, &queue::HoldRule::number) ==
      hold_rules_.all().end())
    co_return fail(Code::not_found, fmt::format("there is no hold rule {}", number));
  RecordsChange kept;
  kept.removed.push_back(std::to_string(number));
  TAPAL_CO_CHECK(
      co_await world_.records.change_records(world_.loop, RecordKind::hold_rule, std::move(kept)));
  std::size_t released = 0;
  if (const auto rule = hold_rules_.take(number)) {  // its time may have come meanwhile
    TAPAL_CO_TRY(released, co_await refile_matching(rule->filter));
  }
  co_return HeldByRule{number, released};
}

// What is waiting and matches, filed as the rules now have it.
Task<Result<std::size_t>> Dispatcher::refile_matching(queue::Filter filter) {
  const auto facts = filter_facts();
  const auto newest = world_.store.new_id(facts.now);
  std::size_t recipients = 0;
  QueueId after;
  for (std::size_t seen = page_messages; seen == page_messages;) {
    seen = 0;
    TAPAL_CO_CHECK(world_.store.scan(after, [&](const queue::Message& stored) {
      if (stored.id > newest) return false;
      after = stored.id;
      const auto live = live_.find(stored.id.value);
      const auto& message = live == live_.end() ? stored : live->second.message;
      const auto matching = waiting_of(message, queue::matching(filter, message, facts));
      if (matching > 0) refile(message);
      recipients += matching;
      return ++seen < page_messages;
    }));
    wake();
    co_await switch_to(world_.loop);  // others have their turn
  }
  co_return recipients;
}

void Dispatcher::end_hold_rules(WallTime now) {
  for (auto end = hold_rules_.next_end(); end && *end <= now; end = hold_rules_.next_end()) {
    const auto ended = std::ranges::find(hold_rules_.all(), end, &queue::HoldRule::until);
    if (auto rule = hold_rules_.take(ended->number)) tasks_.spawn(let_end(*std::move(rule)));
  }
}

// A record that cannot be removed now has ended all the same, and is removed after the next start.
Task<void> Dispatcher::let_end(queue::HoldRule rule) {
  RecordsChange kept;
  kept.removed.push_back(std::to_string(rule.number));
  const auto removed =
      co_await world_.records.change_records(world_.loop, RecordKind::hold_rule, std::move(kept));
  const auto released = co_await refile_matching(rule.filter);
  LogFields fields{{"rule", std::to_string(rule.number)}, {"filter", queue::text_of(rule.filter)}};
  if (released) fields.emplace_back("recipients", std::to_string(*released));
  if (!removed) fields.emplace_back("not_removed", removed.error().what);
  if (!released) fields.emplace_back("not_released", released.error().what);
  world_.log.write(Level::info, "hold rule ended", std::move(fields));
}

queue::FilterFacts Dispatcher::filter_facts() const {
  return {world_.clock.wall_now(),
          [&carriers = world_.carriers](const auto& recipient, queue::Origin::Kind origin) {
            const auto place = carriers.place_of(recipient, origin);
            return place.site.empty() ? place.destination : place.site;
          },
          world_.category_of};
}

std::vector<queue::WaitFact> Dispatcher::why(const queue::Message& message) const {
  auto facts = scheduler_.why(message.id, world_.clock.wall_now());
  if (hold_rules_.empty()) return facts;
  const auto holders = hold_rules_.holders(message, filter_facts());
  std::vector<queue::WaitFact> by_rule;
  for (auto& fact : facts) {
    if (fact.reason != queue::WaitFact::Reason::held) continue;
    std::erase_if(fact.recipients, [&](std::uint32_t i) {
      if (holders[i] != nullptr) add_rule_fact(by_rule, fact, *holders[i], i);
      return holders[i] != nullptr;
    });
  }
  std::erase_if(facts, [](const auto& fact) { return fact.recipients.empty(); });
  std::ranges::move(by_rule, std::back_inserter(facts));
  return facts;
}

}  // namespace tapal::delivery
