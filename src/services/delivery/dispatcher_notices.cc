// Telling senders: of what failed, and of what is late.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "services/delivery/dispatcher.h"
#include "values/mail/header.h"

namespace tapal::delivery {
namespace {

constexpr std::size_t delays_told_at_once_max = 20;
constexpr std::uint64_t returned_bytes_max =
    512 * 1024;  // of an original, whatever the policy says

// What of the original goes back with a notice: all of it, or its header.
std::string read_original(const Body& body, mail::ReturnContent returned) {
  std::string text(
      static_cast<std::size_t>(std::min<std::uint64_t>(body.size(), returned_bytes_max)), '\0');
  text.resize(body.read(0, text).value_or(0));
  if (returned != mail::ReturnContent::full)
    text.resize(mail::header_end(text).value_or(text.size()));
  return text;
}

}  // namespace

// The notices that are due now; the message is marked as if they were sent, which whoever commits
// both makes true.
void Dispatcher::make_notices(queue::Message& message,
                              const BodyPtr& body,
                              std::vector<bounce::Notice>& into) {
  const bounce::NoticePolicy policy{.delay_notice = schedule_.options().delay_notice,
                                    .give_up = schedule_.options().give_up};
  const auto due = bounce::due_notices(message, world_.clock.wall_now(), policy);
  for (const auto* recipients : {&due.outcomes, &due.delays})
    if (!recipients->empty()) into.push_back(make_notice(message, body, *recipients));
  for (const auto index : due.outcomes) message.recipients[index].sender_told = true;
  for (const auto index : due.delays) message.recipients[index].sender_told_of_delay = true;
  for (const auto& [index, reason] : due.untold) {
    message.recipients[index].sender_told = true;
    world_.log.write(
        Level::info,
        "sender not told",
        {{"queue_id", message.id.text()},
         {"to", fmt::format("<{}>", message.recipients[index].recipient.address.text())},
         {"reason", std::string(reason)}});
  }
}

bounce::Notice Dispatcher::make_notice(const queue::Message& message,
                                       const BodyPtr& body,
                                       const std::vector<std::size_t>& recipients) {
  const bounce::NoticePolicy policy;
  bounce::NoticeInput input;
  input.host = world_.host_name;
  input.now = world_.clock.wall_now();
  input.id = world_.store.new_id(input.now);
  input.random_bytes = world_.random.bytes(16);
  input.recipients = recipients;
  input.returned = bounce::content_to_return(message, recipients, policy);
  const auto original = read_original(*body, input.returned);
  input.original = original;
  auto notice = bounce::make_notice(message, input, policy);
  address_notice(notice.message);
  notice.text = world_.sign_notice(notice.text) + notice.text;
  notice.message.body_bytes = notice.text.size();
  world_.log.write(
      Level::info,
      "notice to sender",
      {{"queue_id", message.id.text()},
       {"notice_id", input.id.text()},
       {"to",
        fmt::format("<{}>",
                    message.envelope.return_path ? message.envelope.return_path->text() : "")}});
  return notice;
}

void Dispatcher::address_notice(queue::Message& notice) const {
  if (!world_.place_notice) return;
  const auto to_sender = notice.recipients.front();
  auto placed = world_.place_notice(to_sender.recipient);
  if (placed.empty()) return;
  notice.recipients.assign(placed.size(), to_sender);
  for (std::size_t i = 0; i < placed.size(); ++i)
    notice.recipients[i].recipient = std::move(placed[i]);
}

Result<void> Dispatcher::add_notice(StoreChange& change, const bounce::Notice& notice) {
  auto body = world_.store.new_body();
  TAPAL_CHECK(body->append(notice.text));
  change.added.push_back({notice.message, std::move(body)});
  return {};
}

void Dispatcher::watch_delay(const queue::Message& message) {
  if (!queue::may_notify(message)) return;
  const auto waits = [](const queue::RecipientState& state) {
    return !queue::has_ended(state) && !state.sender_told_of_delay &&
           state.recipient.notify.wants_delay();
  };
  if (std::ranges::any_of(message.recipients, waits))
    delays_.emplace(message.arrived + schedule_.options().delay_notice, message.id);
}

// After a long outage a whole queue may be late at once: a few have their messages loaded at a
// time.
void Dispatcher::tell_delays(WallTime now) {
  for (auto due = next_delay(); due && *due <= now; due = next_delay()) {
    const auto id = delays_.begin()->second;
    delays_.erase(delays_.begin());
    tasks_.spawn(tell_delay(id));
  }
}

std::optional<WallTime> Dispatcher::next_delay() const {
  if (delays_.empty() || delays_being_told_ >= delays_told_at_once_max) return {};
  return delays_.begin()->first;
}

Task<void> Dispatcher::tell_delay(QueueId id) {
  ++delays_being_told_;
  co_await tell_of_delay(id);
  --delays_being_told_;
  wake();
}

// While an attempt is under way nothing is done: its end tells.
Task<void> Dispatcher::tell_of_delay(QueueId id) {
  if (!scheduler_.contains(id)) co_return;
  auto* waiting = co_await await_live(id);
  if (waiting == nullptr || waiting->jobs > 0) co_return;
  ++waiting->jobs;
  make_notices(waiting->message, waiting->body, waiting->notices);
  if (!waiting->notices.empty()) co_await keep(id);
  let_go(id);
}

}  // namespace tapal::delivery
