#include "services/api/control.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "ports/memory_body.h"
#include "rules/queue/message_life.h"
#include "services/delivery/dispatcher_test_world.h"
#include "values/text/base64.h"

namespace tapal::api {
namespace {

namespace json = boost::json;

using std::chrono::seconds;

// A dispatcher with mail that waits, and its control.
struct World : delivery::DispatcherTestWorld {
  InlineWorkers workers;
  SeededRandom dice;
  intake::Authenticator authenticator{
      workers, loop, dice, {.password_cost = {.memory_kib = 8, .passes = 1}}};
  ConfirmationWatch confirmations;
  EventWatch events{log};
  ChallengeBoard challenges;
  std::optional<Control> control;
  Result<void> reloaded;
  std::size_t reloads = 0;

  World() {
    start();
    control.emplace(ControlWorld{.loop = loop,
                                 .dispatcher = *dispatcher,
                                 .store = store,
                                 .workers = workers,
                                 .clock = loop,
                                 .reload =
                                     [this] {
                                       ++reloads;
                                       return reloaded;
                                     },
                                 .authenticator = authenticator,
                                 .confirmations = confirmations,
                                 .events = events,
                                 .challenges = challenges});
    network.at("9.9.9.1:25").plan.recipient =
        [](const mail::Recipient&) -> std::optional<smtp::Reply> {
      return smtp::make_reply(451, "4.3.0", "not \xFF now");
    };
    domain("far.example", {"9.9.9.1"});
  }
  ~World() { loop.wait(control->stop()); }
  std::string submit(const std::string& to) {
    const auto id = DispatcherTestWorld::submit({to});
    loop.run_for(seconds(1));
    return id.text();
  }
  std::unique_ptr<PipeStream> open() {
    auto pipe = PipeStream::make(loop, {.read_bytes_max = 700});
    control->begin(std::move(pipe.server));
    return std::move(pipe.client);
  }
  // All that comes until nothing more does; nothing when the connection is closed.
  std::optional<std::string> talk(PipeStream& stream, std::string_view bytes) {
    if (!loop.wait(stream.write(bytes, never)).value()) return {};
    loop.run();
    std::string text;
    for (;;) {
      std::array<char, 4096> buffer{};
      const auto count = loop.wait(stream.read(buffer, loop.now())).value();
      if (count) {
        text.append(buffer.data(), *count);
      } else {
        if (text.empty() && count.error().code == Code::closed) return {};
        return text;
      }
    }
  }
  json::object ask(std::string_view request) {
    const auto stream = open();
    const auto answer = talk(*stream, std::string(request) + "\n");
    EXPECT_TRUE(answer && answer->ends_with("\n")) << request;
    return json::parse(answer.value_or("{}"), {}, {.allow_invalid_utf8 = true}).as_object();
  }
  std::string error(std::string_view request) {
    const auto answer = ask(request);
    EXPECT_FALSE(answer.at("ok").as_bool()) << request;
    return std::string(answer.at("error").as_string());
  }
};

TEST(Control, lists_and_shows_what_waits) {
  World w;
  const auto id = w.submit("x@far.example");
  w.submit("y@far.example");
  auto answer = w.ask(R"({"command":"queue list"})");
  EXPECT_TRUE(answer.at("ok").as_bool());
  EXPECT_EQ(answer.at("messages").as_array().size(), 2U);
  EXPECT_EQ(answer.at("total").to_number<int>(), 2);
  answer = w.ask(R"({"command":"queue list","limit":1})");
  EXPECT_EQ(answer.at("messages").as_array().size(), 1U);
  EXPECT_EQ(answer.at("total").to_number<int>(), 2);
  answer = w.ask(R"({"command":"queue list","limit":-1})");
  EXPECT_EQ(answer.at("messages").as_array().size(), 0U);
  answer = w.ask(R"({"command":"queue show","id":")" + id + R"("})");
  EXPECT_TRUE(answer.at("message").is_object());
  EXPECT_TRUE(std::string(answer.at("why").as_string()).contains("451 4.3.0 not"));
}

TEST(Control, explains_by_id_and_by_address) {
  World w;
  const auto id = w.submit("x@far.example");
  w.submit("y@far.example");
  for (const auto& [what, found] : {std::pair<std::string, std::size_t>{id, 1},
                                    {"x@far.example", 1},
                                    {"X@FAR.example", 1},
                                    {"a@own.example", 2},
                                    {"nobody@far.example", 0},
                                    {"", 0},
                                    {"0000000000000", 0}}) {
    const auto answer = w.ask(R"({"command":"why","what":")" + what + R"("})");
    EXPECT_TRUE(answer.at("ok").as_bool());
    EXPECT_EQ(answer.at("why").as_array().size(), found) << what;
  }
}

TEST(Control, gives_orders) {
  World w;
  const auto id = w.submit("x@far.example");
  w.submit("y@far.example");
  const auto order = [&w](const std::string& what, const std::string& which) {
    return w.ask(R"({"command":"queue )" + what + R"(","id":")" + which + R"("})")
        .at("messages")
        .to_number<int>();
  };
  EXPECT_EQ(order("hold", id), 1);
  EXPECT_EQ(w.ask(R"({"command":"status"})").at("recipients_held").to_number<int>(), 1);
  EXPECT_EQ(order("release", id), 1);
  EXPECT_EQ(order("hold", "all"), 2);
  EXPECT_EQ(w.ask(R"({"command":"status"})").at("recipients_held").to_number<int>(), 2);
  EXPECT_EQ(order("release", "all"), 2);
  const auto before = w.log.count("message deferred");
  w.loop.run_for(seconds(1));
  EXPECT_EQ(order("retry", "all"), 2);
  w.loop.run_for(seconds(1));
  EXPECT_GE(w.log.count("message deferred"), before + 2);
  EXPECT_EQ(order("drop", id), 1);
  EXPECT_EQ(order("drop", "all"), 1);
  EXPECT_EQ(order("drop", "all"), 0);
  const auto status = w.ask(R"({"command":"status"})");
  EXPECT_EQ(status.at("messages").to_number<int>(), 0);
  EXPECT_GT(status.at("disk_free_bytes").to_number<std::uint64_t>(), 0U);
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(Control, reloads) {
  World w;
  EXPECT_TRUE(w.ask(R"({"command":"reload"})").at("ok").as_bool());
  w.reloaded = fail(Code::invalid, "tapal.toml:3: what is this");
  EXPECT_EQ(w.error(R"({"command":"reload"})"), "tapal.toml:3: what is this");
  EXPECT_EQ(w.reloads, 2U);
}

TEST(Control, refuses_what_it_cannot_do) {
  World w;
  const auto deep = std::string(20, '[') + std::string(20, ']');
  for (const auto& [request, part] : {
           std::pair<std::string, std::string>{"", "one JSON object on one line"},
           {"{", "one JSON object on one line"},
           {"[]", "one JSON object on one line"},
           {"\"status\"", "one JSON object on one line"},
           {R"({"command":"status"} x)", "one JSON object on one line"},
           {R"({"command":)" + deep + "}", "one JSON object on one line"},
           {"{\"command\":\"\xFF\"}", "one JSON object on one line"},
           {"{}", "no such command: "},
           {R"({"command":17})", "no such command: "},
           {R"({"command":"queue","id":"all"})", "no such command: queue"},
           {R"({"command":"\u0007\n"})", "no such command: "},
           {R"({"command":"queue show"})", "13 characters"},
           {R"({"command":"queue show","id":"all"})", "13 characters"},
           {R"({"command":"queue show","id":"0000000000000"})", "no such message"},
           {R"({"command":"queue drop","id":"x"})", "13 characters"},
           {R"({"command":"queue drop","id":["all"]})", "13 characters"},
           {R"({"command":"queue drop","id":"0000000000000"})", "no such message"},
       }) {
    const auto error = w.error(request);
    EXPECT_TRUE(error.contains(part)) << request << ": " << error;
    EXPECT_FALSE(error.contains('\n')) << error;
  }
}

TEST(Control, says_so_when_the_spool_cannot_be_read_now) {
  World w;
  w.workers.busy = true;
  for (const auto* request : {R"({"command":"queue list"})",
                              R"({"command":"why","what":"x@far.example"})",
                              R"({"command":"reload"})"})
    EXPECT_FALSE(w.error(request).empty());
  w.submit("x@far.example");
  w.store.memory.fail_with(Error{Code::full, "no space"});
  EXPECT_EQ(w.error(R"({"command":"queue drop","id":"all"})"), "no space");
}

TEST(Control, answers_requests_in_their_order_however_they_are_cut) {
  World w;
  const std::string requests =
      "{\"command\":\"status\"}\n{\"command\":\"x\"}\n{\"command\":\"status\"}\n";
  const auto whole = w.talk(*w.open(), requests).value();
  EXPECT_EQ(std::ranges::count(whole, '\n'), 3);
  for (std::size_t at = 1; at < requests.size(); ++at) {
    const auto stream = w.open();
    auto text = w.talk(*stream, std::string_view(requests).substr(0, at)).value();
    text += w.talk(*stream, std::string_view(requests).substr(at)).value();
    ASSERT_EQ(text, whole) << at;
  }
}

TEST(Control, hangs_up_on_a_request_without_end) {
  World w;
  const auto stream = w.open();
  EXPECT_EQ(w.talk(*stream, std::string(70'000, 'x')),
            "{\"ok\":false,\"error\":\"the request is too long\"}\n");
  EXPECT_FALSE(w.talk(*stream, "{}\n").has_value());
  const auto many = w.open();
  std::string requests;
  for (int i = 0; i < 5000; ++i) requests += "{\"command\":\"x\"}\n";
  EXPECT_EQ(std::ranges::count(w.talk(*many, requests).value(), '\n'), 5000);
}

TEST(Control, hangs_up_on_a_silent_client_and_on_one_too_many) {
  World w;
  std::vector<std::unique_ptr<PipeStream>> streams;
  for (int i = 0; i < 33; ++i) streams.push_back(w.open());
  EXPECT_TRUE(w.talk(*streams[31], "{}\n").has_value());
  EXPECT_FALSE(w.talk(*streams[32], "{}\n").has_value());
  w.loop.run_for(seconds(61));
  for (const auto& stream : streams) EXPECT_FALSE(w.talk(*stream, "{}\n").has_value());
  EXPECT_TRUE(w.talk(*w.open(), "{}\n").has_value());
}

TEST(Control, tells_who_guesses) {
  World w;
  EXPECT_EQ(w.ask(R"({"command":"guesses"})").at("guesses").as_array().size(), 0U);
  const account::Guess guess{"x\ny", IpAddress::from_text("192.0.2.1").value()};
  for (int i = 0; i < 10; ++i) w.authenticator.on_wrong(guess);
  const auto answer = w.ask(R"({"command":"guesses"})");
  const auto& guesses = answer.at("guesses").as_array();
  ASSERT_EQ(guesses.size(), 3U);
  EXPECT_EQ(guesses[0].at("what").as_string(), "network 192.0.2.0/24");
  EXPECT_EQ(guesses[0].at("wrong").as_double(), 10);
  EXPECT_EQ(guesses[0].at("refused_seconds").to_number<int>(), 360);
}

// A message of Gmail's to somebody of ours, as the intake hands it on.
void arrive(World& w, const std::string& to, const std::string& subject) {
  const std::string text =
      "From: gmail-noreply@google.com\r\nSubject: " + subject + "\r\n\r\nhi\r\n";
  mail::Envelope envelope;
  envelope.recipients.push_back(
      {.address = mail::parse_address("me@far.example").value(), .original = "rfc822;" + to});
  auto message = queue::new_message(QueueId{}, std::move(envelope), WallTime{});
  message.subject = subject;
  w.confirmations.on_received(message, MemoryBody(text));
}

TEST(Control, waits_for_the_confirmation_of_one_address) {
  World w;
  arrive(w, "info@own.example", "(#111111111) Gmail");  // nobody waits for it yet
  const auto watching = w.open();
  const auto ask = [&w](PipeStream& stream) {
    return w.talk(stream,
                  "{\"command\":\"watch\",\"address\":\"Info@own.example\",\"seconds\":60}\n");
  };
  EXPECT_EQ(ask(*watching), "");
  w.loop.run_for(seconds(30));
  arrive(w, "sales@own.example", "(#222222222) Gmail");
  arrive(w, "info@own.example", "(#333333333) something else");
  w.loop.run_for(seconds(5));
  EXPECT_EQ(w.talk(*watching, ""), "");
  arrive(w, "info@own.example", "(#444444444) Gmail Confirmation");
  w.loop.run_for(seconds(1));
  const auto answer = json::parse(w.talk(*watching, "").value()).as_object();
  const auto& seen = answer.at("confirmation").as_object();
  EXPECT_EQ(seen.at("code").as_string(), "444444444");
  EXPECT_EQ(seen.at("kind").as_string(), "send mail as");
  EXPECT_TRUE(text::from_base64(std::string(seen.at("message").as_string()))
                  .value()
                  .starts_with("From: gmail-noreply"));
}

TEST(Control, shows_what_happens_to_a_message_while_somebody_follows) {
  World w;
  const auto following = w.open();
  w.events.write(Level::info, "message accepted", {{"queue_id", "A"}, {"peer", "before"}});
  EXPECT_EQ(w.talk(*following, "{\"command\":\"follow\"}\n"), "{\"ok\":true}\n");
  w.events.write(Level::info, "message accepted", {{"queue_id", "A"}, {"peer", "192.0.2.1"}});
  w.events.write(Level::info, "message accepted", {{"queue_id", "B"}});
  w.events.write(Level::info, "configuration reloaded", {});
  const auto ask = "{\"command\":\"events\",\"queue_id\":\"A\",\"seconds\":60}\n";
  const auto first = json::parse(w.talk(*following, ask).value()).as_object();
  ASSERT_EQ(first.at("events").as_array().size(), 1U);
  EXPECT_EQ(first.at("events").at(0).at("event").as_string(), "message accepted");
  EXPECT_EQ(first.at("events").at(0).at("peer").as_string(), "192.0.2.1");

  EXPECT_EQ(w.talk(*following, ask), "");
  w.events.write(Level::info, "message delivered", {{"queue_id", "B"}});
  w.loop.run_for(seconds(1));
  EXPECT_EQ(w.talk(*following, ""), "");
  w.events.write(Level::info, "message delivered", {{"queue_id", "A"}});
  w.loop.run_for(seconds(1));
  EXPECT_TRUE(w.talk(*following, "").value().contains("message delivered"));

  EXPECT_EQ(w.talk(*following, ask), "");
  w.loop.run_for(seconds(61));
  EXPECT_EQ(w.talk(*following, ""), "{\"ok\":true,\"events\":[]}\n");
  EXPECT_TRUE(w.error(R"({"command":"events","queue_id":"A"})").contains("follow"));
}

TEST(Control, forgets_old_events_where_nobody_asks_for_them) {
  World w;
  EventWatch::Watcher watcher(w.events);
  for (std::size_t i = 0; i <= EventWatch::events_max; ++i)
    w.events.write(Level::info, "message accepted", {{"queue_id", i == 0 ? "first" : "later"}});
  EXPECT_TRUE(watcher.take("first").empty());
  EXPECT_EQ(watcher.take("later").size(), EventWatch::events_max);
  EXPECT_EQ(w.log.count("message accepted"), EventWatch::events_max + 1);
}

TEST(Control, waits_no_longer_than_asked_nor_for_a_client_that_left) {
  World w;
  const auto patient = w.open();
  EXPECT_EQ(
      w.talk(*patient, "{\"command\":\"watch\",\"address\":\"a@own.example\",\"seconds\":60}\n"),
      "");
  const auto leaving = w.open();
  EXPECT_EQ(
      w.talk(*leaving, "{\"command\":\"watch\",\"address\":\"a@own.example\",\"seconds\":3600}\n"),
      "");
  leaving->close();
  w.loop.run_for(seconds(59));
  EXPECT_EQ(w.talk(*patient, ""), "");
  w.loop.run_for(seconds(2));
  EXPECT_TRUE(w.talk(*patient, "").value().contains("\"confirmation\":null"));
  EXPECT_FALSE(w.error(R"({"command":"watch","address":"nobody"})").empty());
}

TEST(Control, shows_the_answers_of_another_acme_client) {
  World w;
  w.ask(R"({"command":"challenge show","token":"t","authorization":"t.print"})");
  w.ask(R"({"command":"challenge show","host":"A.example","chain":"C","key":"K"})");
  EXPECT_EQ(w.challenges.http("t"), "t.print");
  ASSERT_TRUE(w.challenges.tls("a.example"));
  EXPECT_EQ(w.challenges.tls("a.example")->key_pem, "K");
  w.ask(R"({"command":"challenge withdraw","token":"t"})");
  w.ask(R"({"command":"challenge withdraw","host":"a.example"})");
  EXPECT_FALSE(w.challenges.http("t"));
  EXPECT_FALSE(w.challenges.tls("a.example"));
  EXPECT_FALSE(w.error(R"({"command":"challenge show"})").empty());
}

}  // namespace
}  // namespace tapal::api
