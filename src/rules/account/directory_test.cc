#include "rules/account/directory.h"

#include <gtest/gtest.h>

#include "rules/account/users_file.h"

namespace tapal::account {
namespace {

constexpr std::string_view users_text =
    "alice: $argon2id$a may-send-as=news@example.com,*@lists.example\n"
    "Bob: $argon2id$b\n";

Directory make_directory() {
  Directory directory;
  directory.add_domain("example.com", *parse_users(users_text, "example.com", "users"));
  directory.add_domain("other.example",
                       *parse_users("alice: $argon2id$c\n", "other.example", "users"));
  return directory;
}

mail::Address address(std::string_view text) {
  auto parsed = mail::parse_address(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *std::move(parsed) : mail::Address{};
}

TEST(Directory, finds_users_by_address_whatever_the_case_and_suffix) {
  const Directory directory = make_directory();
  struct Case {
    std::string_view asked, found;
  };
  const Case cases[] = {
      {"alice@example.com", "alice@example.com"},
      {"ALICE@EXAMPLE.COM", "alice@example.com"},
      {"bob@example.com", "Bob@example.com"},
      {"bob+shop@example.com", "Bob@example.com"},
      {"bob+a+b@example.com", "Bob@example.com"},
      {"alice@other.example", "alice@other.example"},
      {"+alice@example.com", ""},
      {"carol@example.com", ""},
      {"bob@other.example", ""},
      {"alice@sub.example.com", ""},
  };
  for (const auto& [asked, found] : cases) {
    SCOPED_TRACE(asked);
    const UserRecord* user = directory.find(address(asked));
    EXPECT_EQ(user ? user->address.text() : "", found);
  }
}

TEST(Directory, logs_in_by_whole_address_without_suffix) {
  const Directory directory = make_directory();
  EXPECT_TRUE(directory.find_login("Alice@Example.com"));
  EXPECT_FALSE(directory.find_login("alice+x@example.com"));
  EXPECT_FALSE(directory.find_login("alice"));
  EXPECT_FALSE(directory.find_login(""));
}

TEST(Directory, knows_its_domains_and_counts_its_users) {
  Directory directory = make_directory();
  EXPECT_TRUE(directory.is_own_domain("Example.COM"));
  EXPECT_FALSE(directory.is_own_domain("sub.example.com"));
  EXPECT_EQ(directory.domains(), (std::vector<std::string>{"example.com", "other.example"}));
  EXPECT_EQ(directory.user_count(), 3u);
  EXPECT_EQ(directory.users("example.com").size(), 2u);
  EXPECT_TRUE(directory.users("nowhere.example").empty());
  directory.add_domain("example.com", *parse_users("BOB: $argon2id$z\n", "example.com", "users"));
  EXPECT_EQ(directory.user_count(), 3u);
  EXPECT_EQ(directory.find_login("bob@example.com")->password_hash, "$argon2id$b");
}

TEST(Directory, lets_a_user_send_as_own_granted_and_alias_addresses_only) {
  const Directory directory = make_directory();
  const UserRecord& alice = *directory.find_login("alice@example.com");
  const mail::Address to_alice = address("alice@example.com");
  const mail::Address to_bob = address("bob@example.com");
  struct Case {
    std::string_view as;
    std::vector<mail::Address> resolved;
    bool allowed;
  };
  const Case cases[] = {
      {"alice@example.com", {to_alice}, true},
      {"Alice+tag@example.com", {to_alice}, true},
      {"news@example.com", {}, true},
      {"news+x@example.com", {}, false},
      {"anyone@lists.example", {}, true},
      {"anyone@sub.lists.example", {}, false},
      {"info@example.com", {to_bob, to_alice}, true},
      {"sales@example.com", {to_bob}, false},
      {"bob@example.com", {to_bob}, false},
      {"bob@example.com", {to_bob, to_alice}, false},
      {"bob+x@example.com", {to_bob, to_alice}, false},
      {"alice@other.example", {address("alice@other.example")}, false},
      {"someone@gmail.example", {}, false},
  };
  for (const auto& [as, resolved, allowed] : cases) {
    SCOPED_TRACE(as);
    EXPECT_EQ(directory.may_send_as(alice, address(as), resolved), allowed);
  }
}

}  // namespace
}  // namespace tapal::account
