#include "drivers/net/socket_stream.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "drivers/net/net_test_kit.h"

namespace tapal {
namespace {

using namespace net_test;
using std::chrono::milliseconds;

using Count = Result<std::size_t>;

Task<void> read_into(Stream& stream, Instant deadline, Count& count) {
  char byte = 0;
  count = co_await stream.read({&byte, 1}, deadline);
}

Task<void> write_from(Stream& stream, std::string_view text, Instant deadline, Result<void>& done) {
  done = co_await stream.write(text, deadline);
}

std::string some_text(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
  return text;
}

// More than the socket buffers of both sides hold together.
const std::string& too_much() {
  static const auto text = some_text(32UL << 20);
  return text;
}

TEST(SocketStream, carries_bytes_both_ways_over_both_families) {
  for (const auto& at : {any_v4, any_v6}) {
    NetLoop loop;
    run_to_end(loop, [&]() -> Task<void> {
      const auto pair = co_await connected_pair(loop, at);
      TaskGroup group;
      group.spawn(echo(*pair.server));
      for (const std::size_t size : {1U, 5U, 70'000U}) {
        const auto text = some_text(size);
        EXPECT_TRUE((co_await pair.client->write(text, soon())).has_value());
        EXPECT_EQ(co_await read_text(*pair.client, size), text);
      }
      EXPECT_EQ(pair.client->local(), pair.server->remote());
      EXPECT_EQ(pair.client->remote(), pair.server->local());
      EXPECT_EQ(pair.client->local().address, at.address);
      EXPECT_FALSE(pair.client->is_tls());
      EXPECT_EQ(pair.client->channel_binding(ChannelBinding::tls_exporter).error().code,
                Code::not_found);
      pair.client->close();
      co_await group.join();
    });
  }
}

TEST(SocketStream, reads_and_writes_at_the_same_time) {
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    const auto pair = co_await connected_pair(loop);
    TaskGroup group;
    group.spawn(echo(*pair.server));
    const auto text = some_text(8UL << 20);
    Result<void> written = fail(Code::internal, "not run");
    group.spawn(write_from(*pair.client, text, soon(), written));
    EXPECT_FALSE(written) << "the buffers hold it all: the test shows nothing";
    EXPECT_TRUE(co_await read_text(*pair.client, text.size()) == text);
    EXPECT_TRUE(written);
    pair.client->close();
    co_await group.join();
  });
}

TEST(SocketStream, tells_when_there_is_something_to_read) {
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    const auto pair = co_await connected_pair(loop);
    EXPECT_EQ((co_await pair.client->readable(in_ms(5))).error().code, Code::timed_out);
    EXPECT_TRUE((co_await pair.server->write("ab", soon())).has_value());
    for (const char* each : {"a", "b"}) {
      EXPECT_TRUE((co_await pair.client->readable(soon())).has_value());
      EXPECT_EQ(co_await read_text(*pair.client, 1), each);
    }
    pair.server->close();
    EXPECT_TRUE((co_await pair.client->readable(soon())).has_value());  // the end
    Count count = fail(Code::internal, "not run");
    co_await read_into(*pair.client, soon(), count);
    EXPECT_EQ(count.error().code, Code::closed);
    pair.client->close();
    EXPECT_EQ((co_await pair.client->readable(soon())).error().code, Code::closed);
  });
}

TEST(SocketStream, a_read_ends_at_its_deadline_and_the_stream_goes_on) {
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    const auto pair = co_await connected_pair(loop);
    // Later, sooner, past, later than before.
    for (const int wait : {20, 5, -1'000, 30}) {
      const auto start = loop.now();
      char byte = 0;
      const auto count = co_await pair.client->read({&byte, 1}, in_ms(wait));
      EXPECT_EQ(count.error().code, Code::timed_out);
      EXPECT_GE(loop.now() - start, milliseconds(wait));
    }
    EXPECT_TRUE((co_await pair.server->write("x", soon())).has_value());
    EXPECT_EQ(co_await read_text(*pair.client, 1), "x");
  });
}

TEST(SocketStream, reads_what_is_there_even_past_the_deadline) {
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    const auto pair = co_await connected_pair(loop);
    EXPECT_TRUE((co_await pair.server->write("x", Instant::min())).has_value());
    EXPECT_EQ(co_await read_text(*pair.client, 1), "x");
  });
}

// The one timer of a stream stays armed for a read that was over sooner.
TEST(SocketStream, an_old_deadline_does_not_end_a_later_read) {
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    const auto pair = co_await connected_pair(loop);
    for (const auto& deadline : {in_ms(10), in_ms(60'000), in_ms(15), never, in_ms(5)}) {
      Count count = fail(Code::internal, "not run");
      TaskGroup group;
      group.spawn(read_into(*pair.client, deadline, count));
      EXPECT_TRUE((co_await pair.server->write("x", soon())).has_value());
      co_await group.join();
      EXPECT_TRUE(count.has_value());
    }
    for (const auto& deadline : {never, in_ms(60'000)}) {
      Count count = fail(Code::internal, "not run");
      TaskGroup group;
      group.spawn(read_into(*pair.client, deadline, count));
      const auto timer = loop.make_timer();
      co_await timer->wait_until(in_ms(30));  // all short deadlines above are past
      EXPECT_EQ(group.running(), 1U);
      EXPECT_TRUE((co_await pair.server->write("x", soon())).has_value());
      co_await group.join();
      EXPECT_TRUE(count.has_value());
    }
  });
}

TEST(SocketStream, a_write_to_one_who_does_not_read_ends_at_its_deadline) {
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    const auto pair = co_await connected_pair(loop);
    const auto start = loop.now();
    const auto written = co_await pair.client->write(too_much(), in_ms(30));
    EXPECT_EQ(written.error().code, Code::timed_out);
    EXPECT_GE(loop.now() - start, milliseconds(30));
  });
}

// One deadline cancels both waits of the socket; the other one waits again.
TEST(SocketStream, the_writers_deadline_leaves_the_reader_waiting) {
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    const auto pair = co_await connected_pair(loop);
    for (const auto& readers : {soon(), never}) {
      TaskGroup group;
      Count count = fail(Code::internal, "not run");
      group.spawn(read_into(*pair.client, readers, count));
      const auto written = co_await pair.client->write(too_much(), in_ms(10));
      EXPECT_EQ(written.error().code, Code::timed_out);
      EXPECT_EQ(group.running(), 1U);
      EXPECT_TRUE((co_await pair.server->write("x", soon())).has_value());
      co_await group.join();
      EXPECT_TRUE(count.has_value());
    }
  });
}

TEST(SocketStream, the_readers_deadline_leaves_the_writer_writing) {
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    const auto pair = co_await connected_pair(loop);
    TaskGroup group;
    Result<void> written = fail(Code::internal, "not run");
    group.spawn(write_from(*pair.client, too_much(), soon(), written));
    for (int i = 0; i < 3; ++i) {
      Count count = fail(Code::internal, "not run");
      co_await read_into(*pair.client, in_ms(5), count);
      EXPECT_EQ(count.error().code, Code::timed_out);
    }
    EXPECT_EQ(group.running(), 1U);
    EXPECT_TRUE(co_await read_text(*pair.server, too_much().size()) == too_much());
    co_await group.join();
    EXPECT_TRUE(written.has_value());
  });
}

TEST(SocketStream, both_deadlines_at_the_same_time_end_both) {
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    const auto pair = co_await connected_pair(loop);
    const auto deadline = in_ms(10);
    TaskGroup group;
    Count count = fail(Code::internal, "not run");
    Result<void> written = fail(Code::internal, "not run");
    group.spawn(read_into(*pair.client, deadline, count));
    group.spawn(write_from(*pair.client, too_much(), deadline, written));
    co_await group.join();
    EXPECT_EQ(count.error().code, Code::timed_out);
    EXPECT_EQ(written.error().code, Code::timed_out);
  });
}

TEST(SocketStream, close_ends_a_waiting_reader_and_a_waiting_writer) {
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    const auto pair = co_await connected_pair(loop);
    TaskGroup group;
    Count count = fail(Code::internal, "not run");
    Result<void> written = fail(Code::internal, "not run");
    group.spawn(read_into(*pair.client, never, count));
    group.spawn(write_from(*pair.client, too_much(), soon(), written));
    EXPECT_EQ(group.running(), 2U);
    pair.client->close();
    pair.client->close();
    co_await group.join();
    EXPECT_EQ(count.error().code, Code::closed);
    EXPECT_EQ(written.error().code, Code::closed);
    EXPECT_EQ((co_await pair.client->write("x", soon())).error().code, Code::closed);
    co_await read_into(*pair.client, soon(), count);
    EXPECT_EQ(count.error().code, Code::closed);
  });
}

TEST(SocketStream, its_end_ends_a_waiting_reader_and_a_waiting_writer) {
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    auto pair = co_await connected_pair(loop);
    TaskGroup group;
    Count count = fail(Code::internal, "not run");
    Result<void> written = fail(Code::internal, "not run");
    group.spawn(read_into(*pair.client, soon(), count));
    group.spawn(write_from(*pair.client, too_much(), soon(), written));
    pair.client.reset();
    co_await group.join();
    EXPECT_EQ(count.error().code, Code::closed);
    EXPECT_EQ(written.error().code, Code::closed);
  });
}

// The timer fires in the same turn in which the stream goes, for many streams at once.
TEST(SocketStream, may_die_while_its_deadline_comes) {
  static constexpr auto die = [](NetLoop& loop, Instant when) -> Task<void> {
    auto pair = co_await connected_pair(loop);
    Count count = fail(Code::internal, "not run");
    TaskGroup group;
    group.spawn(read_into(*pair.client, when, count));
    const auto timer = loop.make_timer();
    co_await timer->wait_until(when);
    pair.client.reset();
    co_await group.join();
    EXPECT_FALSE(count.has_value());
  };
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    TaskGroup group;
    const auto when = in_ms(50);
    for (int i = 0; i < 50; ++i) group.spawn(die(loop, when));
    co_await group.join();
  });
}

TEST(SocketStream, tells_the_end_of_the_stream_and_a_reset) {
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    auto ended = co_await connected_pair(loop);
    ended.server->close();
    Count count = fail(Code::internal, "not run");
    co_await read_into(*ended.client, soon(), count);
    EXPECT_EQ(count.error().code, Code::closed);
    EXPECT_EQ(count.error().what, "the connection is closed");

    auto reset = co_await connected_pair(loop);
    EXPECT_TRUE((co_await reset.client->write("unread", soon())).has_value());
    reset.server->close();  // with bytes unread the kernel resets
    co_await read_into(*reset.client, soon(), count);
    EXPECT_EQ(count.error().code, Code::closed);
    EXPECT_EQ(count.error().what, "Connection reset by peer");
    EXPECT_EQ((co_await reset.client->write("x", soon())).error().code, Code::closed);
  });
}

TEST(SocketStream, a_reset_ends_a_writer_who_waits) {
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    const auto pair = co_await connected_pair(loop);
    TaskGroup group;
    Result<void> written = fail(Code::internal, "not run");
    group.spawn(write_from(*pair.client, too_much(), never, written));
    EXPECT_EQ(group.running(), 1U);
    pair.server->close();
    co_await group.join();
    EXPECT_EQ(written.error().code, Code::closed);
  });
}

TEST(SocketStream, a_far_deadline_of_a_read_that_is_over_does_not_hold_up_the_loops_end) {
  const auto before = open_descriptors();
  {
    NetLoop loop;
    const auto start = loop.now();
    run_to_end(loop, [&]() -> Task<void> {
      const auto pair = co_await connected_pair(loop);
      Count count = fail(Code::internal, "not run");
      TaskGroup group;
      group.spawn(read_into(*pair.client, soon(), count));
      EXPECT_TRUE((co_await pair.server->write("x", soon())).has_value());
      co_await group.join();
    });
    EXPECT_LT(loop.now() - start, std::chrono::seconds(30));
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace tapal
