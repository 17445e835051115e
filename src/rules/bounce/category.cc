#include "rules/bounce/category.h"

#include <algorithm>
#include <array>

namespace tapal::bounce {
namespace {

using enum Category;

// In the order of the enumeration.
constexpr std::array<CategoryRow, 23> rows{{
    {no_such_user, "no_such_user", true, "1.1", "the address does not exist, or does no more"},
    {user_disabled,
     "user_disabled",
     true,
     "2.1",
     "the account is closed, suspended or long unused"},
    {no_such_domain, "no_such_domain", true, "1.2", "the domain does not exist, or takes no mail"},
    {mailbox_full, "mailbox_full", false, "2.2", "the mailbox is full"},
    {size, "size", false, "3.4", "the message is too large"},
    {content, "content", false, "6.0", "the message's form, header or attachment is not accepted"},
    {spam, "spam", false, "7.1", "the message, or who sent it, was taken for spam"},
    {policy, "policy", false, "7.1", "a rule of the receiver forbids it, which its text may tell"},
    {not_allowed, "not_allowed", false, "7.1", "the recipient does not take mail from this sender"},
    {authentication,
     "authentication",
     false,
     "7.20",
     "SPF, DKIM or DMARC of the sender did not hold"},
    {bad_sender, "bad_sender", false, "1.8", "the sender's address or domain is not accepted"},
    {block_listed, "block_listed", false, "7.1", "our address is on a block list"},
    {reverse_dns, "reverse_dns", false, "7.25", "our address has no valid reverse name"},
    {rate, "rate", false, "4.5", "too much in too short a time"},
    {greylisted, "greylisted", false, "7.1", "the receiver waits for us to come again"},
    {relay_denied,
     "relay_denied",
     false,
     "7.1",
     "the server does not serve the recipient's domain"},
    {network, "network", false, "4.1", "no mail host could be reached, or a connection broke"},
    {tls, "tls", false, "7.10", "encryption could not be agreed on"},
    {server, "server", false, "3.0", "the receiver's server has trouble of its own"},
    {protocol, "protocol", false, "5.0", "the two servers misunderstood each other"},
    {loop, "loop", false, "4.6", "the message went in circles"},
    {expired, "expired", false, "4.7", "it was tried as long as it may be"},
    {other, "other", false, "0.0", "no rule knows this reply"},
}};

}  // namespace

std::span<const CategoryRow> categories() { return rows; }

const CategoryRow& row_of(Category category) { return rows.at(static_cast<std::size_t>(category)); }

std::optional<Category> category_named(std::string_view name) {
  const auto* const found = std::ranges::find(rows, name, &CategoryRow::name);
  return found == rows.end() ? std::nullopt : std::optional(found->category);
}

}  // namespace tapal::bounce
