#include "drivers/resolver/answer_cache.h"

#include <gtest/gtest.h>

namespace tapal {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr AnswerCache::Limits roomy{.answers_max = 100, .bytes_max = 1 << 20};
const Instant start = Instant() + seconds(1000);

DnsQuestion question(int number) { return {"n" + std::to_string(number), dns::Type::a}; }

DnsAnswer answer(std::size_t bytes = 0) {
  DnsAnswer made;
  made.status = DnsAnswer::Status::found;
  made.ttl = seconds(60);
  made.records = {
      {.name = "n", .type = dns::Type::txt, .data = dns::Text{std::string(bytes, 'x')}}};
  return made;
}

TEST(AnswerCache, forgets_when_the_time_is_over) {
  AnswerCache cache(roomy);
  cache.put(question(1), answer(), start + seconds(60));
  EXPECT_EQ(cache.find(question(1), start).value().value().ttl, seconds(60));
  EXPECT_EQ(cache.find(question(1), start + milliseconds(30'500)).value().value().ttl, seconds(30));
  EXPECT_TRUE(cache.find(question(1), start + milliseconds(59'999)));
  EXPECT_FALSE(cache.find(question(1), start + seconds(60)));
  EXPECT_EQ(cache.size(), 0U);
}

TEST(AnswerCache, tells_questions_apart) {
  AnswerCache cache(roomy);
  cache.put({"n1", dns::Type::a}, answer(), start + seconds(60));
  EXPECT_FALSE(cache.find({"n1", dns::Type::aaaa}, start));
  EXPECT_FALSE(cache.find({"n2", dns::Type::a}, start));
}

TEST(AnswerCache, keeps_failures_too_and_the_newest_answer) {
  AnswerCache cache(roomy);
  cache.put(question(1), fail(Code::try_later, "no"), start + seconds(5));
  EXPECT_EQ(cache.find(question(1), start).value().error().code, Code::try_later);
  cache.put(question(1), answer(), start + seconds(60));
  EXPECT_TRUE(cache.find(question(1), start).value());
  EXPECT_EQ(cache.size(), 1U);
}

TEST(AnswerCache, drops_the_least_recently_used_over_its_number) {
  AnswerCache cache({.answers_max = 3, .bytes_max = 1 << 20});
  for (int i = 0; i < 3; ++i) cache.put(question(i), answer(), start + seconds(60));
  EXPECT_TRUE(cache.find(question(0), start));
  cache.put(question(3), answer(), start + seconds(60));
  EXPECT_EQ(cache.size(), 3U);
  EXPECT_TRUE(cache.find(question(0), start));
  EXPECT_FALSE(cache.find(question(1), start));
}

TEST(AnswerCache, is_bounded_in_bytes) {
  AnswerCache cache({.answers_max = 1000, .bytes_max = 100'000});
  for (int i = 0; i < 100; ++i) cache.put(question(i), answer(10'000), start + seconds(60));
  EXPECT_LE(cache.size(), 10U);
  EXPECT_GE(cache.size(), 8U);
  EXPECT_TRUE(cache.find(question(99), start));
  cache.put(question(100), answer(200'000), start + seconds(60));
  EXPECT_FALSE(cache.find(question(100), start));
  EXPECT_TRUE(cache.find(question(99), start));
}

}  // namespace
}  // namespace tapal
