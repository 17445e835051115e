#include "rules/migrate/delivery.h"

#include <gtest/gtest.h>

#include "rules/migrate/test_tree.h"

namespace tapal::migrate {
namespace {

OldUser user(std::string name, std::string hash) {
  return {.name = std::move(name), .password_hash = std::move(hash)};
}

TEST(Delivery, leads_each_mailbox_to_the_server_that_keeps_it) {
  Inventory inventory;
  inventory.add({.name = "a.example",
                 .users = {user("ann", "h"), user("bob", "h"), user("mute", "")},
                 .aliases = {{"Bob", {"bob", "me@far.example"}, "f:1"},
                             {"cat", {"cat@a.example", "ann"}, "f:2"}}});
  lead_mailboxes(inventory);
  EXPECT_EQ(aliases_of(*inventory.find("a.example")).size(), 2U)
      << "no such server, nothing to lead";
  inventory.mailbox_target = lmtp_target("/run/lmtp");
  lead_mailboxes(inventory);
  EXPECT_EQ(aliases_of(*inventory.find("a.example")),
            (std::vector<std::string>{"Bob -> :lmtp: unix:/run/lmtp, me@far.example",
                                      "cat -> cat@a.example, ann",
                                      "ann -> :lmtp: unix:/run/lmtp"}));
}

}  // namespace
}  // namespace tapal::migrate
