#include "protocols/mailauth/arc_results.h"

#include <array>

#include <gtest/gtest.h>

namespace tapal::mailauth {
namespace {

constexpr std::string_view mine = "lists.example.org";

std::optional<OwnResults> gather(std::string_view header) {
  return own_results(split_header_block(header), mine);
}

struct ResultsCase {
  std::string name;
  std::string header;
  std::string payload;  // empty: nothing of ours
  std::optional<ArcStatus> chain = {};
};

const std::string ar = "Authentication-Results: lists.example.org; ";

TEST(OwnResults, are_all_results_of_our_name) {
  constexpr auto pass = ArcStatus::pass;
  const std::array cases = {
      ResultsCase{"none", "From: a\r\n", ""},
      ResultsCase{"another's", "Authentication-Results: x.example; spf=pass\r\n", ""},
      ResultsCase{
          "one", ar + "spf=pass smtp.mfrom=a\r\n", "lists.example.org; spf=pass smtp.mfrom=a"},
      ResultsCase{"case",
                  "AUTHENTICATION-results : LISTS.example.org;x=pass\r\n",
                  "lists.example.org; x=pass"},
      ResultsCase{"version, comments and quotes",
                  "Authentication-Results: (a;) \"lists.example.org\" (b) 1 ; spf=pass\r\n",
                  "lists.example.org; spf=pass"},
      ResultsCase{"a longer name", "Authentication-Results: lists.example.org.x; spf=pass\r\n", ""},
      ResultsCase{"two words", "Authentication-Results: lists.example.org is nice; a=b\r\n", ""},
      ResultsCase{"several fields are merged, top first",
                  ar + "arc=none;\r\n\tspf=pass\r\nFrom: a\r\n" + ar + "dkim=pass header.d=x;\r\n",
                  "lists.example.org; arc=none; spf=pass; dkim=pass header.d=x",
                  ArcStatus::none},
      ResultsCase{"semicolons in comments and quoted strings",
                  ar + "dkim=fail (a; (b;) \\); c) reason=\"d; \\\"e;\"; spf=pass\r\n",
                  "lists.example.org; dkim=fail (a; (b;) \\); c) reason=\"d; \\\"e;\"; spf=pass"},
      ResultsCase{
          "folds", ar + "\r\n  dkim=pass\r\n\t(good)\r\n", "lists.example.org; dkim=pass (good)"},
      ResultsCase{"no results", ar + "none\r\n", "lists.example.org; none"},
      ResultsCase{
          "no results and some", ar + "none\r\n" + ar + "a=b\r\n", "lists.example.org; a=b"},
      ResultsCase{"nothing behind the name",
                  "Authentication-Results: lists.example.org\r\n",
                  "lists.example.org; none"},
      ResultsCase{"chain", ar + "arc=pass\r\n", "lists.example.org; arc=pass", pass},
      ResultsCase{"chain with all the grammar allows",
                  ar + "ARC / 1 (a) = (b) Pass (c)\r\n",
                  "lists.example.org; ARC / 1 (a) = (b) Pass (c)",
                  pass},
      ResultsCase{"chain of another word", ar + "arc=maybe\r\n", "lists.example.org; arc=maybe"},
      ResultsCase{"chains agree",
                  ar + "arc=pass; arc=pass\r\n",
                  "lists.example.org; arc=pass; arc=pass",
                  pass},
      ResultsCase{"chains disagree",
                  ar + "arc=pass; arc=fail; arc=pass\r\n",
                  "lists.example.org; arc=pass; arc=fail; arc=pass"},
      ResultsCase{"chain in a comment",
                  ar + "spf=pass (arc=pass)\r\n",
                  "lists.example.org; spf=pass (arc=pass)"},
      ResultsCase{"no method", ar + "spfpass\r\n", "lists.example.org; spfpass"},
  };
  for (const ResultsCase& c : cases) {
    const auto own = gather(c.header);
    ASSERT_EQ(own.has_value(), !c.payload.empty()) << c.name;
    if (!own) continue;
    EXPECT_EQ(own->payload, c.payload) << c.name;
    EXPECT_EQ(own->chain, c.chain) << c.name;
  }
}

TEST(OwnResults, are_bounded) {
  std::string header;
  for (int i = 0; i < 1000; ++i) header += ar + "spf=pass reason=" + std::string(100, 'x') + "\r\n";
  EXPECT_LT(gather(header)->payload.size(), own_results_bytes_max + 100);
}

TEST(ChainAtArrival, is_what_we_said_when_it_came) {
  constexpr auto none = ArcStatus::none;
  constexpr auto pass = ArcStatus::pass;
  constexpr auto failed = ArcStatus::fail;
  for (const auto& [told, now, expected] :
       std::initializer_list<std::tuple<std::optional<ArcStatus>, ArcStatus, ArcStatus>>{
           {{}, pass, pass},
           {{}, none, none},
           {none, pass, pass},  // it speaks of another time than this chain's
           {pass, failed, pass},
           {failed, pass, failed}}) {
    EXPECT_EQ(chain_at_arrival({.payload = {}, .chain = told}, now), expected);
  }
}

}  // namespace
}  // namespace tapal::mailauth
