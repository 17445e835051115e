#include "bench/traffic/campaign.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "bench/traffic/process.h"

namespace tapal::bench {
namespace {

std::int64_t nanoseconds(Instant when) {
  return std::chrono::nanoseconds(when.time_since_epoch()).count();
}

}  // namespace

std::string CampaignResult::json() const {
  const std::chrono::duration<double> took = ended - began;
  return fmt::format(
      R"({{"accepted":{},"refused":{},"deferred":{},"lost":{},"connections":{},"seconds":{:.4f},)"
      R"("began_ns":{},"ended_ns":{},"accept_ms":{},"first_trouble":"{}"}})",
      accepted,
      refused,
      deferred,
      lost,
      connections,
      took.count(),
      nanoseconds(began),
      nanoseconds(ended),
      accept.json(),
      printable(first_trouble));
}

Message message_of(const CampaignOptions& options) {
  return Message({.size = options.message_bytes,
                  .from = options.from,
                  .to = options.to.front().address(0),
                  .fields_in_front = options.fields_in_front});
}

Campaign::Campaign(Loop& loop,
                   Network& network,
                   CampaignOptions options,
                   std::function<void(std::uint64_t)> on_accepted)
    : loop_(loop),
      network_(network),
      options_(std::move(options)),
      on_accepted_(std::move(on_accepted)) {}

Task<CampaignResult> Campaign::run() {
  result_.began = loop_.now();
  give_up_at_ = result_.began + options_.give_up_after;
  TaskGroup workers;
  const auto count = std::min<std::uint64_t>(options_.connections, options_.messages);
  for (std::uint64_t i = 0; i < count; ++i) workers.spawn(work());
  co_await workers.join();
  result_.ended = loop_.now();
  co_return std::move(result_);
}

Task<void> Campaign::work() {
  Sender sender(loop_, options_.sender);
  auto message = message_of(options_);
  std::uint64_t on_this_connection = 0;
  while (taken_ < options_.messages && !over()) {
    const auto number = taken_++;
    Stamp stamp{options_.first_id + number, loop_.now()};
    if (options_.rate > 0) {
      const std::chrono::duration<double> offset(static_cast<double>(number) / options_.rate);
      // The time it was due: what we are late counts too.
      stamp.submitted = result_.began + std::chrono::duration_cast<Duration>(offset);
      co_await wait_for(stamp.submitted);
    }
    message.stamp(stamp);
    co_await deliver(sender, message, stamp);
    if (!sender.is_open()) on_this_connection = 0;
    if (++on_this_connection != options_.messages_per_connection) continue;
    co_await sender.quit();
    on_this_connection = 0;
  }
  co_await sender.quit();
}

Task<void> Campaign::deliver(Sender& sender, const Message& message, Stamp stamp) {
  while (!over()) {
    if (!sender.is_open() && !co_await connect(sender)) {
      co_await wait_for(loop_.now() + options_.retry_pause);
      continue;
    }
    const auto outcome = co_await sender.send(envelope_for(stamp.id), message.bytes());
    using Kind = SendOutcome::Kind;
    if (outcome.kind == Kind::accepted) {
      ++result_.accepted;
      result_.accept.add(loop_.now() - stamp.submitted);
      if (on_accepted_) on_accepted_(stamp.id);
      co_return;
    }
    note_trouble(outcome.text);
    if (outcome.kind == Kind::refused) {
      ++result_.refused;
      co_return;
    }
    ++(outcome.kind == Kind::deferred ? result_.deferred : result_.lost);
    co_await wait_for(loop_.now() + options_.retry_pause);
  }
}

Task<bool> Campaign::connect(Sender& sender) {
  const auto deadline = loop_.now() + options_.sender.patience;
  auto stream = co_await network_.connect(options_.server, std::nullopt, deadline);
  if (stream) {
    ++result_.connections;
    const auto opened = co_await sender.open(*std::move(stream));
    if (opened) co_return true;
    ++(opened.error().code == Code::try_later ? result_.deferred : result_.lost);
    note_trouble(opened.error().what);
  } else {
    ++result_.lost;
    note_trouble(stream.error().what);
  }
  co_return false;
}

Task<void> Campaign::wait_for(Instant when) {
  if (when <= loop_.now()) co_return;
  const auto timer = loop_.make_timer();
  co_await timer->wait_until(when);
}

Envelope Campaign::envelope_for(std::uint64_t id) const {
  Envelope envelope{.from = options_.from};
  for (const auto& pattern : options_.to) envelope.to.push_back(pattern.address(id));
  return envelope;
}

void Campaign::note_trouble(const std::string& what) {
  if (result_.first_trouble.empty()) result_.first_trouble = what;
}

}  // namespace tapal::bench
