// What the filters have changed in a message.
#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "services/intake/incoming_message.h"
#include "values/mail/trace.h"

namespace tapal::intake {
namespace {

using smtp::make_reply;

constexpr std::size_t copy_bytes = 64UL * 1024;

// New bodies for the branches, with the content of another. Its hash.
Result<crypto::Digest> write_bodies(const Body& from, std::span<Branch> branches, Store& store) {
  for (auto& branch : branches) {
    branch.body = store.new_body();
    TAPAL_CHECK(branch.body->append("\r\n"));
  }
  mailauth::DkimBodyHasher hasher;
  std::string chunk(copy_bytes, '\0');
  for (std::uint64_t offset = 0; offset < from.size();) {
    TAPAL_TRY(const auto count, from.read(offset, chunk));
    if (count == 0) break;
    const auto piece = std::string_view(chunk).substr(0, count);
    hasher.update(piece);
    for (auto& branch : branches) {
      TAPAL_CHECK(branch.body->append(piece));
    }
    offset += count;
  }
  return hasher.finish();
}

bool is_in(const std::vector<mail::Recipient>& recipients, const mail::Recipient& one) {
  return std::ranges::any_of(recipients, [&one](const mail::Recipient& other) {
    return other.address == one.address && other.handover == one.handover;
  });
}

}  // namespace

// Afterwards there may be no branch, where nobody is to get the message.
Result<void> IncomingMessage::take_in(judge::Verdict& verdict,
                                      mail::Envelope& envelope,
                                      std::optional<crypto::Digest>& body_hash) {
  if (verdict.header_changed) header_ = std::move(verdict.mail.header);
  if (verdict.envelope_changed) {
    envelope.return_path = verdict.mail.return_path;
    TAPAL_CHECK(change_recipients(verdict.mail.recipients, body_hash));
  }
  if (!verdict.body_changed) return {};
  const auto body = verdict.mail.body;  // may be what a branch has now
  TAPAL_TRY(const auto hash, write_bodies(*body, branches_, context_.store));
  if (body_hash) body_hash = hash;
  return {};
}

Result<void> IncomingMessage::change_recipients(const std::vector<mail::Address>& wanted,
                                                std::optional<crypto::Digest>& body_hash) {
  std::set<std::string> before;
  std::set<std::string> after;
  for (const auto& address : wanted) after.insert(address.key());
  for (auto& branch : branches_) {
    for (const auto& recipient : branch.recipients) before.insert(recipient.address.key());
    std::erase_if(branch.recipients, [&after](const mail::Recipient& recipient) {
      return !after.contains(recipient.address.key());
    });
  }
  std::vector<Placed> added;
  for (const auto& address : wanted) {
    if (!before.insert(address.key()).second) continue;
    for (auto& one : admit(address, before.size())) added.push_back(std::move(one));
  }
  TAPAL_CHECK(add(std::move(added), body_hash));
  std::erase_if(branches_, [](const Branch& branch) { return branch.recipients.empty(); });
  return {};
}

// Whom a filter adds is let in as at RCPT, from the same client.
std::vector<Placed> IncomingMessage::admit(const mail::Address& address,
                                           std::size_t recipients_so_far) const {
  const Passage passage{sender_.return_path, now_, &context_.return_paths};
  auto placed = place_recipient(*domains_, sender_.client, passage, {.address = address});
  if (placed && recipients_so_far > context_.options.limits.recipients)
    placed = std::unexpected(make_reply(452, "4.5.3", "too many recipients"));
  if (placed && std::ranges::any_of(*placed, [this](const Placed& one) {
        return one.via_alias && mail::was_delivered_to(header_, *one.via_alias);
      }))
    placed = std::unexpected(make_reply(554, "5.4.6", "it has passed this message on before"));
  if (placed) return *std::move(placed);
  context_.inspection->log.write(Level::warning,
                                 "a filter's recipient is not taken",
                                 {{"queue_id", id().text()},
                                  {"to", address.text()},
                                  {"reply", smtp::one_line(placed.error())}});
  return {};
}

Result<void> IncomingMessage::add(std::vector<Placed> recipients,
                                  std::optional<crypto::Digest>& body_hash) {
  auto added = branches_of(std::move(recipients));
  const auto there = [this](const Branch& branch) {
    return std::ranges::find(branches_, branch.alias, &Branch::alias);
  };
  for (auto& branch : added) {
    const auto found = there(branch);
    if (found == branches_.end()) continue;
    for (auto& recipient : std::exchange(branch.recipients, {}))
      if (!is_in(found->recipients, recipient)) found->recipients.push_back(std::move(recipient));
  }
  std::erase_if(added, [](const Branch& branch) { return branch.recipients.empty(); });
  const auto room = branches_max - std::min(branches_max, branches_.size());
  if (added.size() > room)
    added.erase(added.begin() + static_cast<std::ptrdiff_t>(room), added.end());
  if (added.empty()) return {};
  TAPAL_TRY(const auto hash, write_bodies(*body_of(branches_.front()), added, context_.store));
  if (!body_hash) body_hash = hash;  // what is passed on is sealed
  for (auto& branch : added) {
    branch.id = QueueId::make(now_, static_cast<std::uint32_t>(context_.random.number()));
    const auto place = branch.alias ? branches_.end() : branches_.begin();
    branches_.insert(place, std::move(branch));
  }
  return {};
}

}  // namespace tapal::intake
