#include "app/mail/owner_mail.h"

#include <utility>

#include "app/mail/mail_client.h"
#include "values/mail/content.h"

namespace tapal::app {
namespace {

queue::Message message_for(OwnerMailWorld& world,
                           std::vector<mail::Recipient> recipients,
                           std::string subject) {
  const auto now = world.clock.wall_now();
  queue::Message message;
  message.id = QueueId::make(now, static_cast<std::uint32_t>(world.random.number()));
  message.arrived = now;
  message.origin.kind = queue::Origin::Kind::notice;
  message.envelope.body = mail::BodyType::eight_bit_mime;
  message.subject = std::move(subject);
  for (auto& recipient : recipients) {
    queue::RecipientState state;
    state.recipient = std::move(recipient);
    state.next_attempt = now;
    message.recipients.push_back(std::move(state));
  }
  return message;
}

}  // namespace

Task<Result<void>> mail_to_owner(OwnerMailWorld& world,
                                 std::string domain,
                                 std::string subject,
                                 std::string text) {
  TAPAL_CO_TRY(auto owner, mail::make_address("postmaster", domain));
  mail::Recipient to;
  to.address = owner;
  auto recipients = world.place(to);
  if (recipients.empty()) co_return fail(Code::not_found, owner.text() + " leads to nobody");
  NewMessage letter;
  letter.from = owner;
  letter.to = owner;
  letter.subject = subject;
  letter.text = std::move(text);
  auto bytes = compose_message(letter);
  bytes = world.sign(domain, bytes) + bytes;
  auto message = message_for(world, std::move(recipients), std::move(subject));
  message.body_bytes = bytes.size();
  auto body = world.store.new_body();
  TAPAL_CO_CHECK(body->append(bytes));
  StoreChange change;
  change.added.push_back({message, std::move(body)});
  auto kept = co_await world.store.commit(world.loop, std::move(change), Durability::synced);
  if (!kept) co_return std::unexpected(std::move(kept).error());
  world.queue.accept(std::move(message), kept->front());
  co_return Result<void>();
}

}  // namespace tapal::app
