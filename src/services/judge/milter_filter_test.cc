#include "services/judge/milter_filter.h"

#include "ports/test_stream.h"
#include "protocols/milter/test_filter.h"
#include "services/judge/test_mail.h"

namespace tapal::judge {
namespace {

using std::string_literals::operator""s;
using milter::answer;
using milter::Answer;

// A network with one place, at which a test filter answers.
class FilterNetwork final : public Network {
 public:
  explicit FilterNetwork(VirtualLoop& loop) : loop_(loop) {}
  Task<Result<std::unique_ptr<Stream>>> connect(Endpoint to,
                                                std::optional<IpAddress>,
                                                Instant) override {
    asked = to.text();
    co_return open();
  }
  Task<Result<std::unique_ptr<Stream>>> connect_unix(std::string path, Instant) override {
    asked = path;
    co_return open();
  }
  Task<void> close() {
    for (auto& server : servers_) server->close();
    co_await tasks_.join();
  }

  void hang_up() { servers_.back()->close(); }

  milter::TestFilter filter;
  std::string asked;
  int connections = 0;
  bool refuses = false;
  std::uint64_t cut_after = UINT64_MAX;  // bytes that the filter says

 private:
  Result<std::unique_ptr<Stream>> open() {
    if (refuses) return fail(Code::closed, "connection refused");
    ++connections;
    auto pair = PipeStream::make(loop_, {.read_bytes_max = 100});
    pair.server->cut_after(cut_after);
    servers_.push_back(std::move(pair.server));
    tasks_.spawn(serve(*servers_.back()));
    return std::move(pair.client);
  }
  Task<void> serve(PipeStream& server) {
    std::array<char, 4096> buffer{};
    for (;;) {
      const auto count = co_await server.read(buffer, never);
      if (!count) break;
      const auto said = filter.on_bytes({buffer.data(), *count});
      if (said.empty()) continue;
      if (!co_await server.write(said, never)) break;
    }
  }
  VirtualLoop& loop_;
  std::vector<std::unique_ptr<PipeStream>> servers_;
  TaskGroup tasks_;
};

struct MilterFilterTest : testing::Test {
  ~MilterFilterTest() override { loop.wait(network.close()); }
  Result<Opinion> look(std::string_view place = "127.0.0.1:8891") {
    MilterFilter judge(
        MilterPlace::from_text(place).value(), options, "mail.rcpt.example", loop, network);
    const auto mail = test_mail();
    return loop.wait(judge.look_at(mail)).value();
  }
  VirtualLoop loop;
  milter::Options options;
  FilterNetwork network{loop};
};

TEST(MilterPlace, reads_and_prints_itself) {
  for (const std::string text : {"unix:/run/x.sock", "127.0.0.1:8891", "[::1]:8891"})
    EXPECT_EQ(MilterPlace::from_text(text)->text(), text);
  EXPECT_EQ(MilterPlace::from_text("inet:127.0.0.1:8891")->text(), "127.0.0.1:8891");
  for (const std::string text :
       {"", "unix:", "unix:x.sock", "unix:/", "127.0.0.1", "127.0.0.1:0", "localhost:1"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(MilterPlace::from_text(text));
  }
}

TEST_F(MilterFilterTest, plays_the_whole_message) {
  network.filter.answers['E'] = {answer(Answer::insert_header, milter::number(1) + "X\0v\0"s) +
                                 answer(Answer::quarantine, "odd\0"s) + answer(Answer::accept)};
  const auto opinion = look();
  ASSERT_TRUE(opinion) << opinion.error().what;
  EXPECT_EQ(network.asked, "127.0.0.1:8891");
  EXPECT_EQ(opinion->action, Action::keep_aside);
  EXPECT_EQ(opinion->reason, "odd");
  ASSERT_EQ(opinion->edits.size(), 1U);
  EXPECT_EQ(network.filter.data_of('B'), std::vector<std::string>{"Hello\r\n"});
  EXPECT_EQ(network.filter.data_of('C')[0], "[8.8.4.4]\0"s + "4\x10\xE1" + "8.8.4.4\0"s);
  loop.run();
  EXPECT_EQ(network.filter.heard, "OCHMRRTLLNBE");
}

struct MilterReuse : MilterFilterTest {
  MilterFilter judge{
      MilterPlace::from_text("127.0.0.1:1").value(), options, "mail.rcpt.example", loop, network};
  Result<Opinion> look_again(std::uint16_t client_port = 4321) {
    auto mail = test_mail();
    mail.peer_port = client_port;
    return loop.wait(judge.look_at(mail)).value();
  }
};

TEST_F(MilterReuse, plays_the_next_message_over_the_same_connection) {
  network.filter.answers['M'] = {
      answer(Answer::proceed), answer(Answer::proceed), answer(Answer::reject)};
  EXPECT_EQ(look_again()->action, Action::accept);
  EXPECT_EQ(look_again()->action, Action::accept);
  EXPECT_EQ(look_again(5000)->action, Action::refuse);  // another client's
  EXPECT_EQ(network.connections, 1);
  loop.run();
  EXPECT_EQ(network.filter.heard, "OCHMRRTLLNBEMRRTLLNBEKCHMA");
}

TEST_F(MilterReuse, connects_anew_for_another_client_that_the_milter_cannot_hear_of) {
  network.filter.answers['E'] = {answer(Answer::accept)};
  EXPECT_TRUE(look_again());
  EXPECT_TRUE(look_again(5000));
  EXPECT_EQ(network.connections, 2);
  EXPECT_TRUE(look_again());
  EXPECT_EQ(network.connections, 2);
}

TEST_F(MilterReuse, connects_anew_where_the_milter_has_hung_up) {
  EXPECT_TRUE(look_again());
  network.hang_up();
  const auto again = look_again();
  EXPECT_TRUE(again) << again.error().what;
  EXPECT_EQ(network.connections, 2);
}

TEST_F(MilterReuse, connects_anew_after_a_while) {
  EXPECT_TRUE(look_again());
  loop.run_for(MilterFilter::idle_time_max + std::chrono::seconds(1));
  EXPECT_TRUE(look_again());
  EXPECT_EQ(network.connections, 2);
}

TEST_F(MilterFilterTest, reaches_unix_sockets_and_passes_refusals_on) {
  network.filter.answers['M'] = {answer(Answer::reply, "550 5.7.1 not you\0"s)};
  const auto opinion = look("unix:/run/x.sock");
  ASSERT_TRUE(opinion);
  EXPECT_EQ(network.asked, "/run/x.sock");
  EXPECT_EQ(opinion->action, Action::refuse);
  EXPECT_EQ(smtp::one_line(opinion->reply), "550 5.7.1 not you");
}

TEST_F(MilterFilterTest, is_down_when_it_cannot_be_reached_or_hangs_up) {
  network.refuses = true;
  EXPECT_EQ(look().error().what, "connection refused");
}

TEST_F(MilterFilterTest, is_down_wherever_the_line_is_cut) {
  for (std::uint64_t cut = 0; cut < 60; ++cut) {
    SCOPED_TRACE(cut);
    FilterNetwork own(loop);
    own.cut_after = cut;
    MilterFilter judge(MilterPlace::from_text("127.0.0.1:1").value(), options, "h", loop, own);
    const auto mail = test_mail();
    EXPECT_FALSE(loop.wait(judge.look_at(mail)).value());
    loop.wait(own.close());
  }
}

TEST_F(MilterFilterTest, is_down_when_it_is_silent) {
  network.filter.answers['H'] = {""};
  const auto before = loop.now();
  EXPECT_EQ(look().error().what, "no answer to HELO in time");
  EXPECT_EQ(loop.now() - before, options.answer_time_max);
}

}  // namespace
}  // namespace tapal::judge
