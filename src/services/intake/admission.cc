#include "services/intake/admission.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::intake {
namespace {

using alias::Resolution;
using smtp::make_reply;

// Whether the client may put its name to `address`.
bool may_use(const Domains& domains, const Client& client, const mail::Address& address) {
  if (client.standing != Client::Standing::user) return true;
  const auto* user = domains.directory.find_login(client.user);
  if (user == nullptr) return false;  // deleted since it logged in
  const auto resolved = domains.aliases.resolve(address);
  return domains.directory.may_send_as(*user, address, resolved.users);
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

mail::Recipient for_user(const mail::Recipient& asked, const mail::Address& user) {
  mail::Recipient placed = asked;
  placed.address = user;
  // RFC 3461 section 5.2.1: what the sender wrote is told in reports when an alias replaced it.
  if (placed.original.empty() && !(user == asked.address))
    placed.original = (asked.address.is_ascii() ? "rfc822;" : "utf-8;") + asked.address.text();
  return placed;
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

std::expected<std::vector<mail::Recipient>, smtp::Reply> place_recipient(
    const Domains& domains, const Client& client, const mail::Recipient& recipient) {
  const auto& address = recipient.address;
  const auto resolution = domains.aliases.resolve(address);
  switch (resolution.status) {
    case Resolution::Status::users: {
      std::vector<mail::Recipient> placed;
      placed.reserve(resolution.users.size());
      for (const auto& user : resolution.users) placed.push_back(for_user(recipient, user));
      return placed;
    }
    case Resolution::Status::unknown_user:
      return std::unexpected(
          make_reply(550, "5.1.1", fmt::format("{}: no such user or alias here", address.text())));
    case Resolution::Status::not_our_domain: break;
  }
  if (client.standing == Client::Standing::stranger)
    return std::unexpected(make_reply(
        550,
        "5.7.1",
        fmt::format("{}: not a domain of this server, and it relays for its users only: log in "
                    "on port 465 or 587",
                    address.text())));
  return std::vector{recipient};
}

}  // namespace tapal::intake
