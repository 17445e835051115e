#include "services/intake/transaction.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "services/intake/smtp_session.h"

namespace tapal::intake {
namespace {

using smtp::make_reply;

// All sessions together hold as much as they may.
smtp::Reply busy() {
  return make_reply(452, "4.3.1", "too many messages are being taken in, try again later");
}

std::uint64_t bytes_of(const mail::Recipient& recipient) {
  std::uint64_t bytes = sizeof recipient + recipient.address.local.size() +
                        recipient.address.domain.size() + recipient.original.size() +
                        recipient.handover.target.size();
  for (const auto& argument : recipient.handover.arguments)
    bytes += sizeof(std::string) + argument.size();
  return bytes;
}

// What the server said that an alias passes the message on to, handed back to the sender.
smtp::Reply refusal_of(const queue::Outcome& outcome) {
  const auto status = outcome.status.starts_with('5') ? outcome.status : std::string("5.0.0");
  return make_reply(550, status, fmt::format("{} said: {}", outcome.remote, outcome.text));
}

std::string path_text(const std::optional<mail::Address>& address) {
  return fmt::format("<{}>", address ? address->text() : "");
}

}  // namespace

Transaction::Transaction(SessionWorld& world, MemoryBudget& memory, Client anonymous, Endpoint peer)
    : world_(world),
      memory_(memory),
      held_(memory),
      anonymous_(std::move(anonymous)),
      sender_{.client = {}, .peer = peer, .helo = {}, .return_path = {}} {}

Refusal Transaction::begin(const smtp::AskSender& sender,
                           const std::string& helo,
                           const std::string& user) {
  recipients_ = {};
  recipient_bytes_ = 0;
  abandon();
  domains_ = world_.domains.get();
  const auto& return_path = sender.envelope.return_path;
  sender_.client = user.empty() ? anonymous_ : Client{Client::Standing::user, user};
  sender_.helo = helo;
  sender_.return_path = return_path;
  from_ = path_text(return_path);
  auto refusal = check_sender(*domains_, sender_.client, return_path);
  if (!refusal) refusal = no_room(sender.declared_bytes.value_or(0));
  if (refusal) tell_refused("sender refused", *refusal);
  return refusal;
}

Refusal Transaction::no_room(std::uint64_t bytes) const {
  if (world_.queue.full()) return make_reply(452, "4.3.1", "the queue is full, try again later");
  if (memory_.is_used_up()) return busy();
  if (world_.store.free_bytes() <= bytes)
    return make_reply(452, "4.3.1", "the disk is full, try again later");
  return {};
}

Refusal Transaction::add(const mail::Recipient& recipient) {
  const Passage passage{sender_.return_path, world_.clock.wall_now(), &world_.return_paths};
  auto placed = place_recipient(*domains_, sender_.client, passage, recipient);
  if (!placed) {
    world_.log.write(Level::info,
                     "recipient refused",
                     {{"from", from_},
                      {"to", path_text(recipient.address)},
                      {"peer", sender_.peer.address.text()},
                      {"reply", smtp::one_line(placed.error())}});
    return std::move(placed).error();
  }
  const auto count_before = recipients_.size();
  const auto bytes_before = recipient_bytes_;
  for (auto& one : *placed) {
    const auto same = [&one](const Placed& other) {
      return other.recipient.address == one.recipient.address &&
             other.recipient.handover == one.recipient.handover;
    };
    if (std::ranges::any_of(recipients_, same)) continue;
    recipient_bytes_ += bytes_of(one.recipient);
    recipients_.push_back(std::move(one));
  }
  const bool too_many = count_branches(recipients_) > branches_max;
  if (!too_many && fits_memory()) return {};
  recipients_.resize(count_before);
  recipient_bytes_ = bytes_before;
  if (too_many)
    return make_reply(
        452, "4.5.3", "too many aliases in one transaction, send the rest in another");
  return busy();
}

bool Transaction::fits_memory() {
  return held_.hold(recipient_bytes_ + (message_ ? message_->header_bytes() : 0));
}

IncomingMessage& Transaction::message() {
  if (!message_) {
    const MessageContext context{world_.options,
                                 world_.clock,
                                 world_.random,
                                 world_.store,
                                 world_.return_paths,
                                 world_.inspection};
    message_ = std::make_unique<IncomingMessage>(context, domains_, sender_, recipients_);
  }
  return *message_;
}

Refusal Transaction::on_bytes(std::string_view bytes) {
  if (refused_) return {};
  auto refusal = message().on_bytes(bytes);
  if (!refusal && !fits_memory()) refusal = busy();
  if (refusal) {
    tell_refused("message refused", *refusal);
    message_.reset();
    refused_ = true;
  }
  return refusal;
}

void Transaction::abandon() {
  message_.reset();
  refused_ = false;
  fits_memory();
}

Task<smtp::Reply> Transaction::store(mail::Envelope envelope, Arrival arrival) {
  auto reply = co_await commit(std::move(envelope), std::move(arrival));
  recipient_bytes_ = 0;
  fits_memory();
  co_return reply;
}

Task<smtp::Reply> Transaction::commit(mail::Envelope envelope, Arrival arrival) {
  auto& incoming = message();
  recipients_ = {};
  auto completed = co_await incoming.complete(std::move(envelope), arrival);
  const bool one_forward = incoming.is_one_forward();
  message_.reset();
  if (!completed) {
    tell_refused("message refused", completed.error());
    co_return completed.error();
  }
  if (completed->added.empty()) {
    world_.log.write(Level::info, "message thrown away for a filter", {{"from", from_}});
    co_return make_reply(250, "2.0.0", "taken");
  }
  std::vector<queue::Message> kept;
  for (const auto& added : completed->added) kept.push_back(added.message);
  auto bodies =
      co_await world_.store.commit(world_.loop, *std::move(completed), Durability::synced);
  if (!bodies) {
    auto reply = storage_refusal(bodies.error());
    world_.log.write(
        Level::error, "message not kept", {{"from", from_}, {"reason", bodies.error().what}});
    co_return reply;
  }
  for (std::size_t i = 0; i < kept.size(); ++i) {
    tell_accepted(kept[i], arrival);
    if (world_.observer != nullptr && sender_.client.standing == Client::Standing::stranger)
      world_.observer->on_received(kept[i], *bodies->at(i));
  }
  auto reply = make_reply(250, "2.0.0", "queued as " + kept.front().id.text());
  if (one_forward && world_.options.forward_patience.count() > 0) {
    const auto first = co_await world_.queue.accept_and_try(world_.loop,
                                                            std::move(kept.front()),
                                                            std::move(bodies->front()),
                                                            world_.options.forward_patience);
    if (first.result == FirstTry::Result::refused) co_return refusal_of(first.outcome);
    co_return reply;
  }
  for (std::size_t i = 0; i < kept.size(); ++i)
    world_.queue.accept(std::move(kept[i]), std::move(bodies->at(i)));
  co_return reply;
}

void Transaction::tell_accepted(const queue::Message& message, const Arrival& arrival) const {
  world_.log.write(Level::info,
                   "message accepted",
                   {{"queue_id", message.id.text()},
                    {"from", from_},
                    {"recipients", std::to_string(message.recipients.size())},
                    {"bytes", std::to_string(message.body_bytes)},
                    {"user", sender_.client.user},
                    {"peer", sender_.peer.address.text()},
                    {"helo", sender_.helo},
                    {"tls", arrival.tls},
                    {"message_id", message.message_id}});
}

void Transaction::tell_refused(std::string_view what, const smtp::Reply& reply) const {
  world_.log.write(Level::info,
                   what,
                   {{"from", from_},
                    {"user", sender_.client.user},
                    {"peer", sender_.peer.address.text()},
                    {"reply", smtp::one_line(reply)}});
}

}  // namespace tapal::intake
