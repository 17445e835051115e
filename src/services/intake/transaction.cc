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
  return sizeof recipient + recipient.address.local.size() + recipient.address.domain.size() +
         recipient.original.size();
}

std::string path_text(const std::optional<mail::Address>& address) {
  return fmt::format("<{}>", address ? address->text() : "");
}

}  // namespace

Transaction::Transaction(SessionWorld& world,
                         MemoryBudget& memory,
                         Client::Standing standing,
                         IpAddress peer)
    : world_(world), memory_(memory), held_(memory), anonymous_standing_(standing), peer_(peer) {}

Refusal Transaction::begin(const mail::Envelope& envelope,
                           std::uint64_t declared_bytes,
                           const std::string& user) {
  recipients_ = {};
  recipient_bytes_ = 0;
  abandon();
  domains_ = world_.domains.get();
  client_ = user.empty() ? Client{anonymous_standing_, {}} : Client{Client::Standing::user, user};
  from_ = path_text(envelope.return_path);
  auto refusal = check_sender(*domains_, client_, envelope.return_path);
  if (!refusal) refusal = no_room(declared_bytes);
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
  auto placed = place_recipient(*domains_, client_, recipient);
  if (!placed) {
    world_.log.write(Level::info,
                     "recipient refused",
                     {{"from", from_},
                      {"to", path_text(recipient.address)},
                      {"peer", peer_.text()},
                      {"reply", smtp::one_line(placed.error())}});
    return std::move(placed).error();
  }
  const auto count_before = recipients_.size();
  const auto bytes_before = recipient_bytes_;
  for (auto& one : *placed) {
    const auto same = [&one](const mail::Recipient& other) { return other.address == one.address; };
    if (std::ranges::any_of(recipients_, same)) continue;
    recipient_bytes_ += bytes_of(one);
    recipients_.push_back(std::move(one));
  }
  if (fits_memory()) return {};
  recipients_.resize(count_before);
  recipient_bytes_ = bytes_before;
  return busy();
}

bool Transaction::fits_memory() {
  return held_.hold(recipient_bytes_ + (message_ ? message_->header_bytes() : 0));
}

IncomingMessage& Transaction::message() {
  if (!message_) {
    const MessageContext context{world_.options, world_.clock, world_.random, world_.store};
    message_ = std::make_unique<IncomingMessage>(context, domains_, client_);
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
  envelope.recipients = std::exchange(recipients_, {});
  auto completed = message().complete(std::move(envelope), arrival);
  message_.reset();
  if (!completed) {
    tell_refused("message refused", completed.error());
    co_return completed.error();
  }
  queue::Message kept = completed->message;
  StoreChange change;
  change.added.push_back(*std::move(completed));
  auto bodies = co_await world_.store.commit(world_.loop, std::move(change), Durability::synced);
  if (!bodies) {
    auto reply = storage_refusal(bodies.error());
    world_.log.write(
        Level::error, "message not kept", {{"from", from_}, {"reason", bodies.error().what}});
    co_return reply;
  }
  const auto id = kept.id.text();
  world_.log.write(Level::info,
                   "message accepted",
                   {{"queue_id", id},
                    {"from", from_},
                    {"recipients", std::to_string(kept.recipients.size())},
                    {"bytes", std::to_string(kept.body_bytes)},
                    {"user", client_.user},
                    {"peer", peer_.text()},
                    {"helo", arrival.helo},
                    {"tls", arrival.tls},
                    {"message_id", kept.message_id}});
  world_.queue.accept(std::move(kept), std::move(bodies->front()));
  co_return make_reply(250, "2.0.0", "queued as " + id);
}

void Transaction::tell_refused(std::string_view what, const smtp::Reply& reply) const {
  world_.log.write(Level::info,
                   what,
                   {{"from", from_},
                    {"user", client_.user},
                    {"peer", peer_.text()},
                    {"reply", smtp::one_line(reply)}});
}

}  // namespace tapal::intake
