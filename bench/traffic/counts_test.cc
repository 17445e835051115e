// Of what is counted: latencies, the ledger, and the tally of both.
#include <chrono>

#include <gtest/gtest.h>

#include "bench/traffic/latencies.h"
#include "bench/traffic/ledger.h"
#include "bench/traffic/message.h"
#include "bench/traffic/tally.h"

namespace tapal::bench {
namespace {

using namespace std::chrono_literals;

TEST(Latencies, quantiles_are_the_nearest_rank) {
  Latencies all;
  for (int i = 100; i >= 1; --i) all.add(std::chrono::milliseconds(i));
  EXPECT_DOUBLE_EQ(all.quantile_ms(0.5), 50);
  EXPECT_DOUBLE_EQ(all.quantile_ms(0.99), 99);
  EXPECT_DOUBLE_EQ(all.quantile_ms(1), 100);
  EXPECT_DOUBLE_EQ(all.quantile_ms(0), 1);
  EXPECT_EQ(all.json(), R"({"p50":50.000,"p99":99.000,"max":100.000})");
}

TEST(Latencies, of_nothing_are_zero_and_extremes_are_cut) {
  Latencies none;
  EXPECT_DOUBLE_EQ(none.quantile_ms(0.5), 0);
  none.add(-5s);
  EXPECT_DOUBLE_EQ(none.quantile_ms(1), 0);
  none.add(24h);
  EXPECT_DOUBLE_EQ(none.quantile_ms(1), 3'600'000);
}

TEST(Ledger, tells_fresh_from_duplicate_and_lists_what_is_missing) {
  Ledger ledger;
  EXPECT_EQ(ledger.add(2), Ledger::Entry::fresh);
  EXPECT_EQ(ledger.add(0), Ledger::Entry::fresh);
  EXPECT_EQ(ledger.add(2), Ledger::Entry::duplicate);
  EXPECT_EQ(ledger.add(Ledger::ids_max), Ledger::Entry::beyond);
  EXPECT_EQ(ledger.distinct(), 2U);
  EXPECT_EQ(ledger.duplicates(), 1U);
  EXPECT_EQ(ledger.missing(5, 10), (std::vector<std::uint64_t>{1, 3, 4}));
  EXPECT_EQ(ledger.missing(5, 2), (std::vector<std::uint64_t>{1, 3}));
}

TEST(Tally, counts_what_lacks_a_stamp_or_a_signature) {
  const Instant start{1h};
  Message message({.size = 500, .from = "a@a.example", .to = "b@b.example"});
  message.stamp({7, start});
  const std::string header(message.bytes());
  Tally tally;
  tally.add_message(header, 500, start + 2ms);
  tally.add_message("DKIM-Signature: v=1\r\n" + header, 500, start + 9ms);
  tally.add_message("Subject: X DKIM-Signature: no\r\n", 10, start + 10ms);
  EXPECT_EQ(tally.messages(), 3U);
  EXPECT_EQ(tally.last_header(), "Subject: X DKIM-Signature: no\r\n");
  EXPECT_EQ(tally.distinct(), 1U);
  const auto json = tally.json();
  EXPECT_NE(json.find(R"("duplicates":1,"unstamped":1,"unsigned":2,"bytes":1010)"),
            std::string::npos)
      << json;
  EXPECT_NE(json.find(R"("latency_ms":{"p50":2.000,"p99":2.000,"max":2.000})"), std::string::npos)
      << json;
}

}  // namespace
}  // namespace tapal::bench
