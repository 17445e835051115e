#include "services/api/control.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "ports/memory_body.h"
#include "rules/queue/message_life.h"
#include "services/api/control_test_world.h"
#include "values/text/base64.h"

namespace tapal::api {
namespace {

namespace json = boost::json;

using std::chrono::seconds;

using World = ControlTestWorld;

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
       }) {
    const auto error = w.error(request);
    EXPECT_TRUE(error.contains(part)) << request << ": " << error;
    EXPECT_FALSE(error.contains('\n')) << error;
  }
}

TEST(Control, says_so_when_no_worker_is_free) {
  World w;
  w.workers.busy = true;
  EXPECT_FALSE(w.error(R"({"command":"reload"})").empty());
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
