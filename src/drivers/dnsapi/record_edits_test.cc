#include <gtest/gtest.h>

#include "drivers/dnsapi/web_account.h"

namespace tapal::dnsapi {
namespace {

using dns::Type;
using std::chrono::seconds;
using Kind = RecordEdit::Kind;

dns::RecordSet texts(std::vector<std::string> values, int ttl = 60) {
  dns::RecordSet set{"example.com", Type::txt, seconds(ttl), {}};
  for (auto& value : values) set.data.emplace_back(dns::Text{std::move(value)});
  return set;
}

KeptRecord kept(std::string id, std::string text, int ttl = 60) {
  return {std::move(id), seconds(ttl), dns::Text{std::move(text)}};
}

struct EditCase {
  const char* what;
  std::vector<KeptRecord> kept;
  dns::RecordSet wanted;
  std::vector<RecordEdit> edits;
};

TEST(RecordEdits, lead_from_what_is_there_to_what_is_wanted) {
  const std::vector<EditCase> cases = {
      {"nothing to nothing", {}, texts({}), {}},
      {"the same", {kept("1", "a"), kept("2", "b")}, texts({"b", "a"}), {}},
      {"added", {kept("1", "a")}, texts({"a", "b"}), {{Kind::add, kept("", "b")}}},
      {"removed", {kept("1", "a"), kept("2", "b")}, texts({"b"}), {{Kind::remove, kept("1", "a")}}},
      {"removed with an odd TTL",
       {kept("1", "a", 9)},
       texts({}),
       {{Kind::remove, kept("1", "a", 9)}}},
      {"one in another's place", {kept("1", "a")}, texts({"b"}), {{Kind::change, kept("1", "b")}}},
      {"another TTL", {kept("1", "a", 9)}, texts({"a"}), {{Kind::change, kept("1", "a")}}},
      {"twice there",
       {kept("1", "a"), kept("2", "a")},
       texts({"a"}),
       {{Kind::remove, kept("2", "a")}}},
      {"more new than old",
       {kept("1", "a"), kept("2", "b", 9)},
       texts({"b", "c", "d"}),
       {{Kind::add, kept("", "d")},
        {Kind::change, kept("2", "b")},
        {Kind::change, kept("1", "c")}}},
      {"more old than new",
       {kept("1", "a"), kept("2", "b"), kept("3", "c")},
       texts({"d"}),
       {{Kind::change, kept("1", "d")},
        {Kind::remove, kept("2", "b")},
        {Kind::remove, kept("3", "c")}}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(record_edits(c.kept, c.wanted), c.edits);
  }
}

TEST(InOrder, removes_last_but_what_a_cname_would_stand_beside_first) {
  const dns::RecordSet gone_a{"w.example.com", Type::a, seconds(60), {}};
  const dns::RecordSet gone_text{"example.com", Type::txt, seconds(60), {}};
  const dns::RecordSet cname{"w.example.com", Type::cname, seconds(60), {dns::NameTarget{"x"}}};
  const dns::RecordSet mx{"example.com", Type::mx, seconds(60), {dns::MailExchange{1, "x"}}};
  const std::vector<dns::RecordSet> ordered = {gone_a, cname, mx, gone_text};
  EXPECT_EQ(in_order({gone_text, cname, mx, gone_a}), ordered);
  const dns::RecordSet gone_cname{"example.com", Type::cname, seconds(60), {}};
  const std::vector<dns::RecordSet> back = {gone_cname, mx};
  EXPECT_EQ(in_order({mx, gone_cname}), back);
}

TEST(InOrder, keeps_each_value_once) {
  const std::vector<dns::RecordSet> once = {texts({"a", "b"})};
  EXPECT_EQ(in_order({texts({"a", "b", "a"})}), once);
}

TEST(SameSet, knows_no_order_and_no_ttl_of_nothing) {
  EXPECT_TRUE(same_set(texts({"a", "b"}), texts({"b", "a"})));
  EXPECT_TRUE(same_set(texts({}, 1), texts({}, 2)));
  EXPECT_FALSE(same_set(texts({"a"}, 1), texts({"a"}, 2)));
  EXPECT_FALSE(same_set(texts({"a"}), texts({"a", "a"})));
}

TEST(CheckSets, refuses_what_the_provider_or_the_zone_cannot_hold) {
  const DnsAccountLimits limits{
      .unsupported = {Type::tlsa}, .ttl_least = seconds(60), .text_bytes_max = 10};
  const auto what = [&](const dns::RecordSet& set) {
    const auto checked = check_sets(limits, "example.com", {texts({"ok"}), set});
    return checked ? std::string() : checked.error().what;
  };
  EXPECT_EQ(what(texts({"1234567890"})), "");
  EXPECT_EQ(what(texts({"12345678901"})),
            "example.com TXT: 11 bytes of text; this provider keeps at most 10");
  EXPECT_EQ(what({"example.org", Type::txt, seconds(60), {}}),
            "example.org is not in the zone example.com");
  EXPECT_EQ(what({"a.example.com", Type::tlsa, seconds(60), {dns::RawData{"x"}}}),
            "a.example.com TLSA: this provider has no TLSA records");
  EXPECT_EQ(what({"a.example.com", Type::tlsa, seconds(60), {}}), "");
  EXPECT_EQ(what({"a.example.com", Type::mx, seconds(60), {dns::Text{"x"}}}),
            "a.example.com MX: its data is of another kind");
}

}  // namespace
}  // namespace tapal::dnsapi
