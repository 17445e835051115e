// Why mail was refused, in the few words that people and rules act on.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tapal::bounce {

enum class Category : std::uint8_t {
  no_such_user,
  user_disabled,
  no_such_domain,
  mailbox_full,
  size,
  content,
  spam,
  policy,
  not_allowed,
  authentication,
  bad_sender,
  block_listed,
  reverse_dns,
  rate,
  greylisted,
  relay_denied,
  network,
  tls,
  server,
  protocol,
  loop,
  expired,
  other,
};

struct CategoryRow {
  Category category;
  std::string_view name;     // "no_such_user"
  bool is_hard;              // no message to this address will ever get there
  std::string_view detail;   // the nearest status of RFC 3463 without its class: "1.1"
  std::string_view meaning;  // a sentence's middle: "the address does not exist"
};
std::span<const CategoryRow> categories();

const CategoryRow& row_of(Category category);
std::optional<Category> category_named(std::string_view name);

}  // namespace tapal::bounce
