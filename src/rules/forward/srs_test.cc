#include "rules/forward/srs.h"

#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "values/text/ascii.h"
#include "values/text/utf8.h"

namespace tapal::forward {
namespace {

const WallTime now{std::chrono::sys_days(std::chrono::year(2026) / 11 / 26)};
const Srs srs({.current = "a key of sixteen", .previous = ""});

mail::Address address(std::string_view text) { return mail::parse_address(text).value(); }

mail::Address forward(std::string_view sender, std::string_view alias = "alias.example") {
  return srs.forward(address(sender), alias, now).value();
}

// The sender, "kept NAME", or why not.
std::string reversed(const Srs& by, const mail::Address& rewritten, WallTime when = now) {
  const auto sender = by.reverse(rewritten, when);
  if (!sender) return std::string(text_of(sender.error()));
  const auto* readable = std::get_if<mail::Address>(&*sender);
  return readable != nullptr ? readable->text() : "kept " + std::get<QueueId>(*sender).text();
}

TEST(Srs, rewrites_as_the_paper_has_it) {
  struct Case {
    std::string_view name, sender, shape;  // "#": the hash
  };
  const Case cases[] = {
      {"a plain sender", "user@orig.example", "SRS0=#=JP=orig.example=user@alias.example"},
      {"a quoted one", "\"a b\"@o.example", "\"SRS0=#=JP=o.example=a b\"@alias.example"},
      {"in UTF-8",
       "übung@xn--bcher-kva.example",
       "SRS0=#=JP=xn--bcher-kva.example=übung@alias.example"},
      {"with signs of ours in it",
       "a=b+c-d@o.example",
       "SRS0=#=JP=o.example=a=b+c-d@alias.example"},
      {"an address literal", "u@[192.0.2.1]", "\"SRS0=#=JP=[192.0.2.1]=u\"@alias.example"},
      {"rewritten by another server",
       "SRS0=HHH=TT=o.example=u@first.example",
       "SRS1=#=first.example==HHH=TT=o.example=u@alias.example"},
      {"with another separator",
       "srs0+HHH=TT=o.example=u@first.example",
       "SRS1=#=first.example=+HHH=TT=o.example=u@alias.example"},
      {"rewritten by two others",
       "SRS1=GGG=first.example==HH=TT=o.example=u@second.example",
       "SRS1=#=first.example==HH=TT=o.example=u@alias.example"},
      {"rewritten twice, by no server that can be",
       "SRS1=G=a_b==H=T=o.ee=u@s.ee",
       "SRS0=#=JP=s.ee=SRS1=G=a_b==H=T=o.ee=u@alias.example"},
      {"only a look of being rewritten twice",
       "SRS1=user@o.example",
       "SRS0=#=JP=o.example=SRS1=user@alias.example"},
  };
  for (const auto& [name, sender, shape] : cases) {
    SCOPED_TRACE(name);
    const auto rewritten = forward(sender);
    std::string text = rewritten.text();
    const std::size_t hash = text.find('=') + 1;
    text.replace(hash, 12, "#");
    EXPECT_EQ(text, shape);
  }
}

TEST(Srs, leads_back_to_the_sender) {
  for (const std::string_view sender : {"user@orig.example",
                                        "\"a b\"@o.example",
                                        "\"\"@o.example",
                                        "Übung@o.example",
                                        "a=b@o.example",
                                        "u@[192.0.2.1]",
                                        "u@[IPv6:2001:db8::1]",
                                        "CASE@o.example",
                                        "SRS0=HHH=TT=o.example=u@first.example",
                                        "SRS0-HHH=TT=o.example=u@first.example",
                                        "SRS1=user@o.example",
                                        "SRS0@o.example",
                                        "srsomething@o.example"}) {
    SCOPED_TRACE(sender);
    EXPECT_EQ(reversed(srs, forward(sender)), sender);
  }
  EXPECT_EQ(reversed(srs, forward("SRS1=GGG=first.example==HH=TT=o.example=u@second.example")),
            "SRS0=HH=TT=o.example=u@first.example");  // past the second server, to the first
}

TEST(Srs, leads_back_whatever_the_sender) {
  std::mt19937 random(20261126);  // NOLINT(*-msc51-cpp,*-msc32-c): the same each time
  constexpr std::string_view pieces[] = {"a",
                                         "Z",
                                         "9",
                                         ".",
                                         "=",
                                         "+",
                                         "-",
                                         " ",
                                         "\"",
                                         "\\",
                                         "@",
                                         "ü",
                                         "ß",
                                         "日",
                                         "SRS0=",
                                         "SRS1=",
                                         "==",
                                         "o.example"};
  std::size_t tried = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string local;
    for (auto count = random() % 9; count > 0; --count)
      local += pieces[random() % std::size(pieces)];
    const auto sender = mail::make_address(local, "o.example");
    const auto rewritten = sender ? srs.forward(*sender, "a.example", now)
                                  : Result<mail::Address>(fail(Code::invalid, ""));
    if (!rewritten) continue;
    ++tried;
    ASSERT_TRUE(is_srs(*rewritten)) << rewritten->text();
    // As it comes back over the wire.
    const auto sender_again = srs.reverse(address(rewritten->text()), now);
    ASSERT_TRUE(sender_again) << rewritten->text();
    const bool was_rewritten_twice =
        sender->local.starts_with("SRS1=") && rewritten->local.starts_with("SRS1=");
    if (!was_rewritten_twice) ASSERT_EQ(*sender_again, SrsSender(*sender)) << rewritten->text();
  }
  EXPECT_GT(tried, 10'000U);
}

TEST(Srs, survives_what_servers_do_to_local_parts) {
  auto folded = forward("Some.Body@orig.example");
  folded.local = text::to_lower(folded.local);
  EXPECT_EQ(reversed(srs, folded), "some.body@orig.example");
  for (const char separator : {'+', '-', '='}) {
    auto other = forward("u@orig.example");
    other.local[4] = separator;
    EXPECT_EQ(reversed(srs, other), "u@orig.example");
  }
}

TEST(Srs, refuses_every_change) {
  const auto rewritten = forward("user@orig.example");
  for (std::size_t i = 0; i < rewritten.local.size(); ++i) {
    if (i == 4) continue;  // any separator will do
    for (const char other : std::string_view("A=7z.")) {
      auto changed = rewritten;
      if (text::to_lower(changed.local[i]) == text::to_lower(other)) continue;
      changed.local[i] = other;
      EXPECT_FALSE(srs.reverse(changed, now)) << changed.text();
    }
  }
  auto elsewhere = rewritten;
  elsewhere.domain = "other.example";
  EXPECT_EQ(reversed(srs, elsewhere), text_of(SrsRefusal::forged));
  for (std::size_t bytes = 0; bytes < rewritten.local.size(); ++bytes)
    EXPECT_FALSE(srs.reverse({rewritten.local.substr(0, bytes), rewritten.domain}, now));
}

TEST(Srs, tells_why_it_refuses) {
  const auto rewritten = forward("u@o.example");
  struct Case {
    std::string_view name, address;
    SrsRefusal refusal;
  };
  const Case cases[] = {
      {"not one at all", "user@alias.example", SrsRefusal::not_srs},
      {"nearly one", "SRS2=x@alias.example", SrsRefusal::not_srs},
      {"no separator", "SRS0@alias.example", SrsRefusal::not_srs},
      {"nothing in it", "SRS0=@alias.example", SrsRefusal::malformed},
      {"a short hash", "SRS0=AAAA=JP=o.example=u@alias.example", SrsRefusal::malformed},
      {"a wrong hash", "SRS0=AAAAAAAAAAAA=JP=o.example=u@alias.example", SrsRefusal::forged},
      {"a wrong hash, second form",
       "SRS1=AAAAAAAAAAAA=f.example==A=B=o.example=u@alias.example",
       SrsRefusal::forged},
  };
  for (const auto& [name, text, refusal] : cases) {
    SCOPED_TRACE(name);
    EXPECT_EQ(srs.reverse(address(text), now).error(), refusal);
  }
}

TEST(Srs, holds_for_21_days_and_not_in_advance) {
  const auto rewritten = forward("u@o.example");
  struct Case {
    int days;
    std::string_view answer;
  };
  const Case cases[] = {
      {0, "u@o.example"},
      {21, "u@o.example"},
      {22, text_of(SrsRefusal::expired)},
      {500, text_of(SrsRefusal::expired)},
      {-1, "u@o.example"},
      {-2, text_of(SrsRefusal::from_the_future)},
      {1024 + 21, "u@o.example"},  // the circle of days has closed; the price of two characters
  };
  for (const auto& [days, answer] : cases)
    EXPECT_EQ(reversed(srs, rewritten, now + std::chrono::days(days)), answer) << days;
}

TEST(Srs, believes_the_previous_key_and_signs_with_the_current_one) {
  const auto old = forward("u@o.example");
  const Srs changed({.current = "another sixteen bytes", .previous = "a key of sixteen"});
  EXPECT_EQ(reversed(changed, old), "u@o.example");
  const auto fresh = changed.forward(address("u@o.example"), "alias.example", now).value();
  EXPECT_NE(fresh, old);
  EXPECT_EQ(reversed(srs, fresh), text_of(SrsRefusal::forged));
  const Srs later({.current = "a third key, new today", .previous = "another sixteen bytes"});
  EXPECT_EQ(reversed(later, old), text_of(SrsRefusal::forged));
}

const QueueId kept_name = QueueId::from_text("0CR4FXPKV8N7H").value();

mail::Address kept(std::string_view alias = "alias.example") {
  return srs.forward_kept(kept_name, alias, now).value();
}

TEST(Srs, names_a_sender_that_is_kept_elsewhere) {
  const auto rewritten = kept();
  EXPECT_TRUE(is_srs(rewritten));
  EXPECT_EQ(rewritten.local.substr(17), "=JP==0CR4FXPKV8N7H");
  EXPECT_EQ(reversed(srs, rewritten), "kept 0CR4FXPKV8N7H");
  auto folded = rewritten;
  folded.local = text::to_lower(folded.local);
  EXPECT_EQ(reversed(srs, folded), "kept 0CR4FXPKV8N7H");
  EXPECT_EQ(reversed(srs, rewritten, now + std::chrono::days(22)), text_of(SrsRefusal::expired));
  for (std::size_t i = 5; i < rewritten.local.size(); ++i) {
    auto changed = rewritten;
    changed.local[i] = changed.local[i] == '7' ? '5' : '7';
    EXPECT_FALSE(srs.reverse(changed, now)) << changed.text();
  }
  auto elsewhere = rewritten;
  elsewhere.domain = "other.example";
  EXPECT_EQ(reversed(srs, elsewhere), text_of(SrsRefusal::forged));
  EXPECT_FALSE(srs.forward_kept(kept_name, std::string(250, 'a'), now));
}

TEST(Srs, leads_back_to_another_server_that_keeps_the_sender) {
  const Srs third({.current = "a key of the third server", .previous = ""});
  const auto theirs = kept("first.example");
  const auto ours = third.forward(theirs, "third.example", now);
  ASSERT_TRUE(ours);
  EXPECT_TRUE(ours->local.starts_with("SRS1="));
  const auto back = std::get<mail::Address>(third.reverse(*ours, now).value());
  EXPECT_EQ(back, theirs);
  EXPECT_EQ(reversed(srs, back), "kept 0CR4FXPKV8N7H");
}

TEST(Srs, refuses_what_would_pass_64_octets) {
  const std::string domain = "orig.example";
  const std::string longest(42 - domain.size(), 'a');
  EXPECT_EQ(forward(longest + "@" + domain).local.size(), 64U);
  EXPECT_FALSE(srs.forward(address(longest + "a@" + domain), "alias.example", now));
}

TEST(SrsKeys, are_read_from_their_file_and_a_new_file_is_good) {
  const auto made = make_srs_keys(std::string(32, '\x07'));
  EXPECT_EQ(read_srs_keys(made, "srs.keys")->current.size(), 43U);
  const auto keys =
      read_srs_keys("# new\n0123456789abcdef\r\n\n# old\nfedcba9876543210\n", "srs.keys");
  ASSERT_TRUE(keys);
  EXPECT_EQ(keys->current, "0123456789abcdef");
  EXPECT_EQ(keys->previous, "fedcba9876543210");
  struct Case {
    std::string_view name, text, told;
  };
  const Case cases[] = {
      {"empty", "# none\n", "srs.keys: no key"},
      {"short", "\nsecret\n", "srs.keys:2: a key has 16 to 1024 characters"},
      {"three",
       "0123456789abcdef\n0123456789abcdeg\n0123456789abcdeh\n",
       "srs.keys:3: a third key"},
  };
  for (const auto& [name, text, told] : cases) {
    SCOPED_TRACE(name);
    const auto wrong = read_srs_keys(text, "srs.keys");
    ASSERT_FALSE(wrong);
    EXPECT_TRUE(wrong.error().what.starts_with(told)) << wrong.error().what;
    EXPECT_FALSE(wrong.error().what.contains("secret"));
  }
}

}  // namespace
}  // namespace tapal::forward
