#include "services/intake/admission.h"

#include <gtest/gtest.h>

#include "services/intake/test_domains.h"

namespace tapal::intake {
namespace {

using Standing = Client::Standing;

const Domains& domains() {
  static const Domains all = test_domains();
  return all;
}

const WallTime now{std::chrono::sys_days(std::chrono::year(2026) / 11 / 26)};
const Client stranger{Standing::stranger, {}};
const Client trusted{Standing::trusted, {}};
const Client alice{Standing::user, "alice@own.example"};
const Client bob{Standing::user, "bob@own.example"};

// "a@b c@d" or the refusal, "550 5.1.1".
std::string placed(const Client& client, std::string_view to) {
  const Passage from{address("x@far.example"), now};
  const auto result = place_recipient(domains(), client, from, {.address = address(to)});
  if (!result) return smtp::one_line(result.error()).substr(0, 9);
  std::string text;
  for (const auto& [recipient, kind, via_alias] : *result)
    text += (text.empty() ? "" : " ") + recipient.address.text();
  return text;
}

TEST(PlaceRecipient, knows_who_may_send_where) {
  struct Case {
    const char* name;
    std::string_view to;
    std::string_view stranger, trusted, user;
  };
  constexpr std::string_view unknown = "550 5.1.1";
  constexpr std::string_view relay = "550 5.7.1";
  const Case cases[] = {
      {"own user",
       "alice@own.example",
       "alice@own.example",
       "alice@own.example",
       "alice@own.example"},
      {"own user in capitals",
       "ALICE@OWN.EXAMPLE",
       "alice@own.example",
       "alice@own.example",
       "alice@own.example"},
      {"alias",
       "info@own.example",
       "alice@own.example bob@own.example",
       "alice@own.example bob@own.example",
       "alice@own.example bob@own.example"},
      {"alias of an alias",
       "team@own.example",
       "carol@own.example alice@own.example bob@own.example",
       "carol@own.example alice@own.example bob@own.example",
       "carol@own.example alice@own.example bob@own.example"},
      {"suffix", "bob+shop@own.example", "bob@own.example", "bob@own.example", "bob@own.example"},
      {"catch-all",
       "anything@two.example",
       "dan@two.example",
       "dan@two.example",
       "dan@two.example"},
      {"unknown", "nobody@own.example", unknown, unknown, unknown},
      {"foreign", "x@far.example", relay, "x@far.example", "x@far.example"},
      {"foreign, our domain in the local part",
       "\"alice@own.example\"@far.example",
       relay,
       "\"alice@own.example\"@far.example",
       "\"alice@own.example\"@far.example"},
      {"below our domain",
       "alice@sub.own.example",
       relay,
       "alice@sub.own.example",
       "alice@sub.own.example"},
      {"percent hack", "x%far.example@own.example", unknown, unknown, unknown},
      {"postmaster",
       "postmaster@own.example",
       "alice@own.example",
       "alice@own.example",
       "alice@own.example"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(placed(stranger, c.to), c.stranger);
    EXPECT_EQ(placed(trusted, c.to), c.trusted);
    EXPECT_EQ(placed(alice, c.to), c.user);
  }
}

TEST(PlaceRecipient, keeps_what_was_asked_for) {
  mail::Recipient asked{.address = address("info@own.example")};
  asked.notify.success = true;
  auto placed = place_recipient(domains(), stranger, {}, asked).value();
  ASSERT_EQ(placed.size(), 2U);
  for (const auto& [recipient, kind, via_alias] : placed) {
    EXPECT_TRUE(recipient.notify.success);
    EXPECT_EQ(recipient.original, "rfc822;info@own.example");
  }
  asked.original = "rfc822;given@far.example";
  placed = place_recipient(domains(), stranger, {}, asked).value();
  EXPECT_EQ(placed.front().recipient.original, "rfc822;given@far.example");
  const auto direct =
      place_recipient(domains(), stranger, {}, {.address = address("alice@own.example")}).value();
  EXPECT_EQ(direct.front().recipient.original, "");
}

TEST(CheckSender, lets_nobody_send_as_somebody_else) {
  struct Case {
    const char* name;
    const Client& client;
    std::optional<mail::Address> sender;
    bool allowed;
  };
  const Client deleted{Standing::user, "gone@own.example"};
  const Case cases[] = {
      {"null return path of a user", alice, {}, true},
      {"null return path of a stranger", stranger, {}, true},
      {"own address", alice, address("alice@own.example"), true},
      {"own address in capitals", alice, address("Alice@Own.Example"), true},
      {"own address with a suffix", alice, address("alice+x@own.example"), true},
      {"alias that leads here", alice, address("info@own.example"), true},
      {"alias by way of an alias", alice, address("team@own.example"), true},
      {"another user's address", alice, address("bob@own.example"), false},
      {"another user's suffix", alice, address("bob+x@own.example"), false},
      {"no such address of ours", alice, address("nobody@own.example"), false},
      {"a foreign address", alice, address("alice@far.example"), false},
      {"a granted address", bob, address("billing@own.example"), true},
      {"a granted domain", bob, address("whoever@partner.example"), true},
      {"below a granted domain", bob, address("x@sub.partner.example"), false},
      {"somebody else's grant", alice, address("billing@own.example"), false},
      {"a user who is gone", deleted, address("gone@own.example"), false},
      {"a stranger's address", stranger, address("x@far.example"), true},
      {"a trusted network", trusted, address("x@far.example"), true},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto refusal = check_sender(domains(), c.client, c.sender);
    EXPECT_EQ(!refusal, c.allowed);
    if (refusal) EXPECT_EQ(smtp::one_line(*refusal).substr(0, 9), "550 5.7.1");
    if (!c.sender) continue;
    const auto in_header = check_header_address(domains(), c.client, *c.sender, "From");
    EXPECT_EQ(!in_header, c.allowed);
    if (in_header) EXPECT_TRUE(smtp::one_line(*in_header).contains("From field"));
  }
}

}  // namespace
}  // namespace tapal::intake
