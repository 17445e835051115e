#include "services/intake/admission.h"

#include <utility>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::intake {
namespace {

using smtp::make_reply;

// Whether the client may put its name to `address`.
bool may_use(const Domains& domains, const Client& client, const mail::Address& address) {
  if (client.standing != Client::Standing::user) return true;
  const auto* user = domains.directory.find_login(client.user);
  if (user == nullptr) return false;  // deleted since it logged in
  const auto behind = domains.aliases.users_behind(address);
  return domains.directory.may_send_as(*user, address, behind);
}

smtp::Reply not_yours(const Client& client, const mail::Address& address, std::string_view where) {
  return make_reply(
      550,
      "5.7.1",
      fmt::format(
          "{} may not send as {} ({}): use your own address or an alias of yours, or let the "
          "postmaster add may-send-as",
          client.user,
          address.text(),
          where));
}

using Placement = std::expected<std::vector<Placed>, smtp::Reply>;

std::unexpected<smtp::Reply> refuse(std::string_view status, std::string_view what) {
  return std::unexpected(make_reply(550, status, what));
}

Placed for_target(const mail::Recipient& asked, alias::Target target) {
  Placed placed{asked, target.kind, std::move(target.via_alias)};
  auto& recipient = placed.recipient;
  recipient.address = std::move(target.address);
  recipient.handover = std::move(target.handover);
  // RFC 3461 section 5.2.1: what the sender wrote is told in reports when an alias replaced it.
  if (recipient.original.empty() && !(recipient.address == asked.address))
    recipient.original = (asked.address.is_ascii() ? "rfc822;" : "utf-8;") + asked.address.text();
  return placed;
}

// Mail for elsewhere, which strangers may not hand us.
Placement relay(const Client& client, const mail::Recipient& recipient, std::string_view why_not) {
  if (client.standing == Client::Standing::stranger)
    return refuse("5.7.1", fmt::format("{}: {}", recipient.address.text(), why_not));
  return std::vector{Placed{recipient}};
}

Placement place(const Domains& domains, const Client& client, const mail::Recipient& recipient) {
  using Status = alias::Resolution::Status;
  const auto text = recipient.address.text();
  auto resolution = domains.aliases.resolve(recipient.address);
  switch (resolution.status) {
    case Status::found: break;
    // Where aliases lead is not told to strangers: `tapal alias test` tells the postmaster.
    case Status::unknown:
      return refuse("5.1.1", fmt::format("{}: no such user or alias here", text));
    case Status::rejected:
      return refuse(
          "5.2.1",
          resolution.text.empty() ? fmt::format("{} takes no mail", text) : resolution.text);
    case Status::endless:
      return refuse("5.4.6", fmt::format("{}: its aliases lead in a circle or too far", text));
    case Status::elsewhere:
      return relay(client, recipient, "mail for this domain goes to its MX, which is not here");
    case Status::not_ours:
      return relay(client,
                   recipient,
                   "not a domain of this server, and it relays for its users only: log in on port "
                   "465 or 587");
  }
  std::vector<Placed> placed;
  placed.reserve(resolution.targets.size());
  for (auto& target : resolution.targets)
    placed.push_back(for_target(recipient, std::move(target)));
  return placed;
}

// The sender that an address of ours was made from.
std::expected<mail::Address, smtp::Reply> sender_behind(const forward::Srs& srs,
                                                        const Passage& passage,
                                                        const mail::Address& address) {
  const auto because = [&address](std::string_view reason) {
    return refuse("5.7.1", fmt::format("{}: {}", address.text(), reason));
  };
  auto sender = srs.reverse(address, passage.now);
  if (!sender) return because(forward::text_of(sender.error()));
  if (auto* readable = std::get_if<mail::Address>(&*sender)) return std::move(*readable);
  if (passage.return_paths == nullptr) return because("only the running server knows its sender");
  auto kept = passage.return_paths->find(std::get<QueueId>(*sender));
  if (!kept)
    return std::unexpected(make_reply(451, "4.3.0", "its sender cannot be read, try again later"));
  auto found = *std::move(kept);
  if (!found) return because("its sender is not known any more");
  return *std::move(found);
}

// A bounce to a message that we passed on goes back to its sender, wherever that is: our signature
// in the address vouches for it.
Placement place_bounce(const Domains& domains,
                       const forward::Srs& srs,
                       const Passage& passage,
                       mail::Recipient recipient) {
  const auto text = recipient.address.text();
  if (passage.return_path)
    return refuse("5.7.1",
                  fmt::format("{} takes bounces only; write to the sender's own address", text));
  auto sender = sender_behind(srs, passage, recipient.address);
  if (!sender) return std::unexpected(std::move(sender).error());
  recipient.address = *std::move(sender);
  if (forward::is_srs(recipient.address) &&
      domains.directory.is_own_domain(recipient.address.domain))
    return place_bounce(domains, srs, passage, std::move(recipient));  // made earlier each time
  return place(domains, {Client::Standing::trusted, {}}, recipient);
}

}  // namespace

Refusal check_sender(const Domains& domains,
                     const Client& client,
                     const std::optional<mail::Address>& sender) {
  if (!sender || may_use(domains, client, *sender)) return {};
  return not_yours(client, *sender, "MAIL FROM");
}

Refusal check_header_address(const Domains& domains,
                             const Client& client,
                             const mail::Address& address,
                             std::string_view field) {
  if (may_use(domains, client, address)) return {};
  return not_yours(client, address, fmt::format("{} field", field));
}

std::expected<std::vector<Placed>, smtp::Reply> place_recipient(const Domains& domains,
                                                                const Client& client,
                                                                const Passage& passage,
                                                                const mail::Recipient& recipient) {
  const auto& address = recipient.address;
  const bool is_ours = domains.directory.is_own_domain(address.domain);
  if (is_ours && domains.srs && forward::is_srs(address))
    return place_bounce(domains, *domains.srs, passage, recipient);
  return place(domains, client, recipient);
}

}  // namespace tapal::intake
