#include "rules/migrate/dead_targets.h"

#include <gtest/gtest.h>

#include "rules/migrate/test_tree.h"

namespace tapal::migrate {
namespace {

OldUser user(std::string name, std::string hash = "$argon2id$x") {
  return {
      .name = std::move(name), .password_hash = std::move(hash), .clear_password = {}, .place = {}};
}

TEST(DeadTargets, fall_and_take_with_them_what_led_to_them_alone) {
  Inventory inventory;
  inventory.add({.name = "a.example",
                 .settings = {.ignore_dots = true},
                 .users = {user("ann"), user("mute", "")},
                 .aliases = {{"one", {"two"}, "f:1"},
                             {"two", {"three", "ann"}, "f:2"},
                             {"three", {"root", "r.o.o.t"}, "f:3"},
                             {"four", {"three@a.example"}, "f:4"},
                             {"five", {"mute"}, "f:5"},
                             {"ann", {"a.nn", "me@far.example"}, "f:6"},
                             {"bob", {"bob", "me@far.example"}, "f:7"},
                             {"old", {"known", "| cat"}, "f:8"},
                             {"all", {"anybody@b.example"}, "f:9"}}});
  inventory.add({.name = "b.example", .aliases = {{"*", {"*@a.example"}, "g:1"}}});
  drop_dead_targets(inventory, [](const mail::Address& address) {
    return address.local == "known" ? Known::address : Known::nobody;
  });
  EXPECT_EQ(aliases_of(*inventory.find("a.example")),
            (std::vector<std::string>{"one -> two",
                                      "two -> ann",
                                      "ann -> a.nn, me@far.example",
                                      "bob -> me@far.example",
                                      "old -> known",
                                      "all -> anybody@b.example"}));
  EXPECT_EQ(aliases_of(*inventory.find("b.example")), std::vector<std::string>{"* -> *@a.example"});
  EXPECT_EQ(left(inventory),
            (std::vector<std::string>{
                "f:7: bob: bob@a.example has no mailbox here",
                "f:8: old: a program is named by its absolute path: | /path/program argument",
                "f:5: five: mute@a.example is neither a user nor an alias here",
                "f:3: three: root@a.example is neither a user nor an alias here",
                "f:3: three: root@a.example is neither a user nor an alias here",
                "f:2: two: three@a.example is neither a user nor an alias here",
                "f:4: four: three@a.example is neither a user nor an alias here"}));
}

TEST(DeadTargets, are_found_along_a_long_chain_at_once) {
  Inventory inventory;
  inventory.add({.name = "a.example"});
  auto& aliases = inventory.find("a.example")->aliases;
  constexpr int length = 20'000;
  for (int i = 0; i < length; ++i)
    aliases.push_back({"n" + std::to_string(i), {"n" + std::to_string(i + 1)}, "f"});
  drop_dead_targets(inventory, [](const mail::Address&) { return Known::nobody; });
  EXPECT_TRUE(aliases.empty());
  EXPECT_EQ(inventory.left_behind.size(), static_cast<std::size_t>(length));
}

}  // namespace
}  // namespace tapal::migrate
