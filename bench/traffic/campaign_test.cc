// The load generator against the sink, and against servers that say no, all in memory.
#include "bench/traffic/campaign.h"

#include <deque>
#include <functional>
#include <set>

#include <gtest/gtest.h>

#include "bench/traffic/idle_crowd.h"
#include "bench/traffic/sink_server.h"
#include "ports/test_loop.h"
#include "ports/test_stream.h"

namespace tapal::bench {
namespace {

using namespace std::chrono_literals;

struct NoTls final : TlsServer, TlsClient {};

// Hands each connection to a server of the test's choice.
class World final : public Network {
 public:
  using Serve = std::function<Task<void>(World&, Stream&)>;
  explicit World(Serve serve) : serve_(std::move(serve)) {}
  ~World() override {
    for (const auto& stream : streams_) stream->close();
    loop.run();
  }

  Task<Result<std::unique_ptr<Stream>>> connect(Endpoint,
                                                std::optional<IpAddress>,
                                                Instant) override {
    if (refused_connections > 0) {
      --refused_connections;
      co_return fail(Code::closed, "refused");
    }
    auto pair = PipeStream::make(loop);
    if (cut_after > 0) pair.client->cut_after(std::exchange(cut_after, 0));
    streams_.push_back(std::move(pair.server));
    servers_.spawn(run(*streams_.back()));
    co_return std::move(pair.client);
  }

  VirtualLoop loop;
  NoTls tls;
  SinkPolicy policy;
  Tally tally;
  int refused_connections = 0;
  std::uint64_t cut_after = 0;  // the next connection breaks after so many of the client's bytes

 private:
  Task<void> run(Stream& stream) {
    co_await serve_(*this, stream);
    stream.close();
  }

  Serve serve_;
  std::deque<std::unique_ptr<Stream>> streams_;
  TaskGroup servers_;
};

Task<void> as_sink(World& world, Stream& stream) {
  return serve({world.loop, world.policy, &world.tls, world.tally}, stream);
}

CampaignOptions few_messages() {
  CampaignOptions options;
  options.connections = 3;
  options.messages = 10;
  options.message_bytes = 1000;
  options.to = {{"b@d%d.example", 5}};
  return options;
}

TEST(Campaign, every_message_arrives_once) {
  World world(as_sink);
  std::set<std::uint64_t> accepted;
  Campaign campaign(
      world.loop, world, few_messages(), [&](std::uint64_t id) { accepted.insert(id); });
  const auto result = world.loop.wait(campaign.run());
  ASSERT_TRUE(result);
  EXPECT_EQ(result->accepted, 10U);
  EXPECT_EQ(result->connections, 3U);
  EXPECT_EQ(result->first_trouble, "");
  EXPECT_EQ(accepted.size(), 10U);
  EXPECT_EQ(world.tally.distinct(), 10U);
  EXPECT_EQ(world.tally.messages(), 10U);
}

TEST(Campaign, makes_a_session_for_every_message_when_told) {
  World world(as_sink);
  auto options = few_messages();
  options.messages_per_connection = 1;
  Campaign campaign(world.loop, world, options);
  EXPECT_EQ(world.loop.wait(campaign.run())->connections, 10U);
  EXPECT_EQ(world.tally.distinct(), 10U);
}

TEST(Campaign, speaks_tls_when_told) {
  World world(as_sink);
  world.policy.starttls_offered = true;
  auto options = few_messages();
  options.sender.tls = TlsUse::starttls;
  options.sender.tls_client = &world.tls;
  Campaign campaign(world.loop, world, options);
  EXPECT_EQ(world.loop.wait(campaign.run())->accepted, 10U);
  EXPECT_EQ(world.tally.tls_connections, 3U);
}

TEST(Campaign, tries_again_after_a_transient_refusal) {
  World world(as_sink);
  world.policy.defers = true;
  Campaign campaign(world.loop, world, few_messages());
  world.loop.call_at(world.loop.now() + 50ms, [&] { world.policy.defers = false; });
  const auto result = world.loop.wait(campaign.run());
  EXPECT_EQ(result->accepted, 10U);
  EXPECT_EQ(result->deferred, 9U);  // three connections, at 0, 20 and 40 ms
  EXPECT_EQ(world.tally.messages(), 10U);
  EXPECT_DOUBLE_EQ(result->accept.quantile_ms(1), 60);
}

TEST(Campaign, tries_again_when_connections_are_refused_or_break) {
  World world(as_sink);
  world.refused_connections = 2;
  world.cut_after = 700;
  Campaign campaign(world.loop, world, few_messages());
  const auto result = world.loop.wait(campaign.run());
  EXPECT_EQ(result->accepted, 10U);
  EXPECT_EQ(result->lost, 3U);
  EXPECT_EQ(world.tally.distinct(), 10U);
}

TEST(Campaign, ends_when_its_time_is_over) {
  World world(as_sink);
  world.policy.defers = true;
  auto options = few_messages();
  options.give_up_after = 1s;
  Campaign campaign(world.loop, world, options);
  const auto result = world.loop.wait(campaign.run(), 2s);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->accepted, 0U);
  EXPECT_GT(result->deferred, 100U);
}

TEST(Campaign, an_open_loop_keeps_its_rate) {
  World world(as_sink);
  auto options = few_messages();
  options.rate = 100;
  Campaign campaign(world.loop, world, options);
  const auto result = world.loop.wait(campaign.run());
  EXPECT_EQ(result->accepted, 10U);
  EXPECT_EQ(result->ended - result->began, 90ms);
  EXPECT_DOUBLE_EQ(result->accept.quantile_ms(1), 0);
}

// A server that says these replies, one for each read, whatever it is told.
World::Serve scripted(std::vector<std::string> replies) {
  return [replies = std::move(replies)](World&, Stream& stream) -> Task<void> {
    std::array<char, 4096> buffer{};
    for (const auto& reply : replies) {
      const auto written = co_await stream.write(reply, never);
      if (!written) co_return;
      const auto count = co_await stream.read(buffer, never);
      if (!count) co_return;
    }
  };
}

TEST(Campaign, does_not_repeat_what_is_refused_for_good) {
  World world(scripted(
      {"220 x\r\n", "250 x\r\n", "250 ok\r\n", "550 no\r\n", "250 reset\r\n", "552 no\r\n"}));
  auto options = few_messages();
  options.connections = 1;
  options.messages = 2;
  Campaign campaign(world.loop, world, options);
  const auto result = world.loop.wait(campaign.run());
  EXPECT_EQ(result->refused, 2U);
  EXPECT_EQ(result->accepted, 0U);
  EXPECT_EQ(result->first_trouble, "550 no\r\n");
}

TEST(Campaign, a_greeting_that_asks_to_come_later_counts_as_deferred) {
  World world(scripted({"421 busy\r\n"}));
  auto options = few_messages();
  options.connections = 1;
  options.messages = 1;
  options.give_up_after = 100ms;
  Campaign campaign(world.loop, world, options);
  const auto result = world.loop.wait(campaign.run());
  EXPECT_EQ(result->deferred, 5U);
  EXPECT_NE(result->json().find(R"("first_trouble":"greeting: 421 busy  ")"), std::string::npos)
      << result->json();
}

TEST(IdleCrowd, holds_its_connections_and_sees_those_that_end) {
  World world(as_sink);
  IdleOptions options;
  options.connections = 120;
  IdleCrowd crowd(world.loop, world, options);
  EXPECT_TRUE(world.loop.wait(crowd.open()));
  EXPECT_EQ(crowd.established(), 120U);
  EXPECT_EQ(world.tally.connections, 120U);
  EXPECT_EQ(crowd.dropped(), 0U);
  EXPECT_TRUE(world.loop.wait(crowd.close()));
  EXPECT_EQ(crowd.dropped(), 0U);
}

TEST(IdleCrowd, opens_others_in_place_of_those_that_fail) {
  World world(as_sink);
  world.refused_connections = 4;
  IdleOptions options;
  options.connections = 10;
  IdleCrowd crowd(world.loop, world, options);
  EXPECT_TRUE(world.loop.wait(crowd.open()));
  EXPECT_EQ(crowd.established(), 10U);
  EXPECT_EQ(crowd.failed(), 4U);
  EXPECT_EQ(crowd.first_trouble(), "refused");
  EXPECT_TRUE(world.loop.wait(crowd.close()));
}

TEST(IdleCrowd, gives_up_on_a_server_that_takes_nobody) {
  World world(as_sink);
  world.refused_connections = 1000;
  IdleOptions options;
  options.connections = 10;
  IdleCrowd crowd(world.loop, world, options);
  EXPECT_TRUE(world.loop.wait(crowd.open()));
  EXPECT_EQ(crowd.established(), 0U);
  EXPECT_GE(crowd.failed(), 10U);
  EXPECT_TRUE(world.loop.wait(crowd.close()));
}

}  // namespace
}  // namespace tapal::bench
