#include "services/delivery/first_tries.h"

#include <utility>

namespace tapal::delivery {
namespace {

FirstTry outcome_of(const queue::RecipientState& state) {
  FirstTry first{.outcome = state.last};
  if (state.state == queue::State::delivered) first.result = FirstTry::Result::delivered;
  if (state.state == queue::State::failed) first.result = FirstTry::Result::refused;
  return first;
}

}  // namespace

void FirstTries::expect(QueueId id) { waiters_.try_emplace(id.value); }

Task<FirstTry> FirstTries::wait(QueueId id, Instant until) {
  const auto timer = loop_.make_timer();
  auto& waiter = waiters_.at(id.value);
  waiter.timer = timer.get();
  if (!waiter.outcome && !stopped_) co_await timer->wait_until(until);
  const auto outcome = std::move(waiter.outcome);
  waiters_.erase(id.value);
  co_return outcome.value_or(FirstTry());
}

void FirstTries::settle(queue::Message& message) {
  const auto found = waiters_.find(message.id.value);
  if (found == waiters_.end() || found->second.outcome) return;
  auto& state = message.recipients.front();
  auto outcome = outcome_of(state);
  if (outcome.result == FirstTry::Result::refused) state.sender_told = true;
  found->second.outcome = std::move(outcome);
  if (found->second.timer != nullptr) found->second.timer->cancel();
}

void FirstTries::stop() {
  stopped_ = true;
  for (auto& [id, waiter] : waiters_)
    if (waiter.timer != nullptr) waiter.timer->cancel();
}

}  // namespace tapal::delivery
