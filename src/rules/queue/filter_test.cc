#include "rules/queue/filter.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <random>

#include <gtest/gtest.h>

#include "rules/queue/message_life.h"

namespace tapal::queue {
namespace {

using namespace std::chrono_literals;
using Indexes = std::vector<std::uint32_t>;

const WallTime noon{std::chrono::milliseconds(1'700'000'000'000)};

Filter read(std::string_view json) {
  const auto filter = filter_from_json(json);
  EXPECT_TRUE(filter) << json << ": " << filter.error().what;
  return filter.value_or(Filter());
}

FilterFacts facts() {
  return {noon,
          [](const mail::Recipient& to, Origin::Kind) { return "mx." + to.address.domain; },
          [](const Outcome& last) {
            return std::string(last.status == "4.7.1" ? "put_on_a_list" : "other");
          }};
}

// To x@far.example (greylisted), y@sub.far.example (held), z@other.example (delivered); an hour
// old.
Message a_message() {
  mail::Envelope envelope{.return_path = mail::Address{"Ann", "own.example"}};
  envelope.recipients = {{.address = {"x", "far.example"}},
                         {.address = {"y", "sub.far.example"}},
                         {.address = {"z", "other.example"}}};
  auto message = new_message(QueueId{7}, std::move(envelope), noon - 1h);
  message.origin.user = "ann@own.example";
  message.recipients[0].last = {"4.7.1", "451 4.7.1 Greylisted, come back", "mx"};
  message.recipients[1].state = State::held;
  message.recipients[2].state = State::delivered;
  return message;
}

TEST(Filter, takes_the_recipients_of_which_all_holds) {
  struct Case {
    std::string_view json;
    Indexes matching;
  };
  const Case cases[] = {
      {"{}", {0, 1}},  // what has ended is never meant
      {R"({"domain":"far.example"})", {0}},
      {R"({"domain":"FAR.example"})", {0}},
      {R"({"domain":".far.example"})", {1}},
      {R"({"domain":".example"})", {0, 1}},
      {R"({"domain":"ar.example"})", {}},
      {R"({"domain":"other.example"})", {}},
      {R"({"recipient":"X@far.example"})", {0}},
      {R"({"recipient":"q@far.example"})", {}},
      {R"({"sender":"ann@own.example"})", {0, 1}},
      {R"({"sender":"bob@own.example"})", {}},
      {R"({"sender":"own.example"})", {0, 1}},
      {R"({"sender":".own.example"})", {}},
      {R"({"sender":"<>"})", {}},
      {R"({"user":"Ann@own.example"})", {0, 1}},
      {R"({"user":"bob@own.example"})", {}},
      {R"({"site":"MX.far.example"})", {0}},
      {R"({"site":"far.example"})", {}},
      {R"({"reason":"greylist"})", {0}},
      {R"({"reason":"GREYLISTED, come"})", {0}},
      {R"({"reason":"4.7"})", {0}},
      {R"({"reason":"5.7"})", {}},
      {R"({"reason":"put_on_a_list"})", {0}},
      {R"({"reason":"other"})", {}},
      {R"({"older":"59m"})", {0, 1}},
      {R"({"older":"1h"})", {}},
      {R"({"held":true})", {1}},
      {R"({"held":false})", {0, 1}},
      {R"({"ids":["0000000000007","0000000000009"]})", {0, 1}},
      {R"({"ids":["0000000000009"]})", {}},
      {R"({"domain":".example","sender":"own.example","older":"1m","reason":"grey"})", {0}},
      {R"({"domain":"far.example","held":true})", {}},
  };
  for (const auto& c : cases)
    EXPECT_EQ(matching(read(c.json), a_message(), facts()), c.matching) << c.json;
  auto notice = a_message();
  notice.envelope.return_path.reset();
  EXPECT_EQ(matching(read(R"({"sender":"<>"})"), notice, facts()), (Indexes{0, 1}));
  EXPECT_TRUE(matching(read(R"({"sender":"own.example"})"), notice, facts()).empty());
  EXPECT_TRUE(matching(read(R"({"site":"mx.far.example"})"), a_message(), {noon}).empty());
}

TEST(Filter, comes_back_from_its_json_and_says_its_options) {
  const auto* const json =
      R"({"ids":["0000000000007"],"domain":".far.example","recipient":"x@far.example",)"
      R"("sender":"<>","user":"ann","site":"far.example","reason":"greylist","older":"2h","held":true})";
  const auto filter = read(json);
  EXPECT_EQ(to_json(filter), json);
  EXPECT_EQ(text_of(filter),
            "0000000000007 --domain .far.example --recipient x@far.example --sender <> --user ann "
            "--site far.example --reason greylist --older 2h --held");
  EXPECT_TRUE(read("{}").is_empty());
  EXPECT_FALSE(filter.is_empty());
  EXPECT_EQ(text_of({}), "");
  EXPECT_EQ(read(R"({"domain":"bücher.example"})").domain, "xn--bcher-kva.example");
}

TEST(Filter, refuses_what_it_does_not_understand) {
  const auto many = [] {
    std::string json = R"({"ids":[)";
    for (std::size_t i = 0; i <= filter_ids_max; ++i) json += "\"0000000000007\",";
    json.back() = ']';
    return json + "}";
  }();
  const std::string long_text = R"({"reason":")" + std::string(501, 'x') + "\"}";
  const std::string deep = R"({"ids":)" + std::string(20, '[') + std::string(20, ']') + "}";
  for (const auto& [json, part] : {
           std::pair<std::string, std::string>{"", "one JSON object"},
           {"[]", "one JSON object"},
           {deep, "one JSON object"},
           {R"({"domian":"x.example"})", "\"domian\""},  // and not: everything
           {R"({"domain":""})", "\"domain\""},
           {R"({"domain":7})", "\"domain\""},
           {R"({"domain":"a b"})", "\"domain\""},
           {R"({"recipient":"far.example"})", "\"recipient\""},
           {R"({"sender":"a@@b"})", "\"sender\""},
           {R"({"older":"yesterday"})", "\"older\""},
           {R"({"held":"2h"})", "\"held\""},
           {R"({"ids":[]})", "\"ids\""},
           {R"({"ids":["x"]})", "13 characters"},
           {R"({"ids":[7]})", "13 characters"},
           {many, "1000"},
           {long_text, "500"},
       }) {
    const auto filter = filter_from_json(json);
    ASSERT_FALSE(filter) << json;
    EXPECT_TRUE(filter.error().what.contains(part)) << json << ": " << filter.error().what;
  }
}

// Ids are looked up by halves; that must find what looking at each finds.
TEST(Filter, by_a_set_of_ids_is_the_same_as_looking_at_each) {
  const auto seed = std::random_device()();
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    Filter filter;
    for (auto count = 1 + random() % 20; count > 0; --count)
      filter.ids.push_back(QueueId{random() % 50});
    filter = read(to_json(filter));
    for (std::uint64_t id = 0; id < 50; ++id) {
      auto message = a_message();
      message.id = QueueId{id};
      const bool meant = std::ranges::find(filter.ids, message.id) != filter.ids.end();
      ASSERT_EQ(matching(filter, message, facts()).size(), meant ? 2U : 0U) << "seed " << seed;
    }
  }
}

TEST(Filter, means_what_each_of_its_parts_means) {
  constexpr std::array parts{R"("domain":".example")",
                             R"("domain":"far.example")",
                             R"("sender":"own.example")",
                             R"("reason":"greylist")",
                             R"("older":"30m")",
                             R"("held":true)",
                             R"("site":"mx.far.example")"};
  for (const std::string first : parts)
    for (const std::string second : parts) {
      const auto together = read("{" + first + (first == second ? "" : "," + second) + "}");
      if (first.starts_with(R"("domain")") && second.starts_with(R"("domain")")) continue;
      Indexes both;
      std::ranges::set_intersection(matching(read("{" + first + "}"), a_message(), facts()),
                                    matching(read("{" + second + "}"), a_message(), facts()),
                                    std::back_inserter(both));
      EXPECT_EQ(matching(together, a_message(), facts()), both) << first << second;
    }
}

}  // namespace
}  // namespace tapal::queue
