#include <gtest/gtest.h>

#include "services/api/control_test_world.h"

namespace tapal::api {
namespace {

using World = ControlTestWorld;

TEST(QueueRequests, list_and_show_what_waits) {
  World w;
  const auto id = w.submit("x@far.example");
  w.submit("y@far.example");
  auto answer = w.ask(R"({"command":"queue list"})");
  EXPECT_TRUE(answer.at("ok").as_bool());
  EXPECT_EQ(answer.at("messages").as_array().size(), 2U);
  EXPECT_EQ(answer.at("total").to_number<int>(), 2);
  EXPECT_FALSE(answer.at("messages").at(0).as_object().contains("why"));
  answer = w.ask(R"({"command":"queue list","limit":1})");
  EXPECT_EQ(answer.at("messages").as_array().size(), 1U);
  EXPECT_EQ(answer.at("total").to_number<int>(), 2);
  answer = w.ask(R"({"command":"queue list","limit":-1})");
  EXPECT_EQ(answer.at("messages").as_array().size(), 0U);
  answer = w.ask(R"({"command":"queue show","id":")" + id + R"("})");
  EXPECT_TRUE(answer.at("message").is_object());
  EXPECT_TRUE(std::string(answer.at("why").as_string()).contains("451 4.3.0 not"));
  const auto& wait = answer.at("waits").at(0).as_object();
  EXPECT_EQ(wait.at("reason").as_string(), "time");
  EXPECT_EQ(wait.at("site").as_string(), "far.example");
  EXPECT_EQ(wait.at("recipients").at(0).as_string(), "x@far.example");
  EXPECT_TRUE(wait.contains("until"));
}

TEST(QueueRequests, list_and_count_what_a_filter_means) {
  World w;
  w.submit("x@far.example");
  w.submit("y@far.example");
  auto answer =
      w.ask(R"({"command":"queue list","filter":{"recipient":"y@far.example"},"why":true})");
  ASSERT_EQ(answer.at("messages").as_array().size(), 1U);
  const auto& listed = answer.at("messages").at(0).as_object();
  EXPECT_EQ(listed.at("matching").at(0).as_string(), "y@far.example");
  EXPECT_TRUE(std::string(listed.at("why").as_string()).contains("next attempt"));
  EXPECT_EQ(listed.at("waits").as_array().size(), 1U);
  const auto count = [&w](const std::string& filter) {
    return w.ask(R"({"command":"queue count","filter":)" + filter + "}")
        .at("recipients")
        .to_number<int>();
  };
  EXPECT_EQ(count("{}"), 2);
  EXPECT_EQ(count(R"({"site":"mx1.far.example"})"), 2);
  EXPECT_EQ(count(R"({"reason":"4.3.0"})"), 2);
  EXPECT_EQ(count(R"({"older":"1h"})"), 0);
  EXPECT_EQ(count(R"({"held":true})"), 0);
}

TEST(QueueRequests, tell_where_most_mail_waits) {
  World w;
  w.submit("x@far.example");
  const auto answer = w.ask(R"({"command":"queue sites"})");
  EXPECT_EQ(answer.at("total").to_number<int>(), 1);
  const auto& site = answer.at("sites").at(0).as_object();
  EXPECT_EQ(std::string(site.at("site").as_string()), "mx1.far.example");
  EXPECT_EQ(site.at("waiting").to_number<int>(), 1);
  EXPECT_TRUE(site.contains("next_due"));
  EXPECT_TRUE(w.ask(R"({"command":"queue sites","limit":0})").at("sites").as_array().empty());
}

TEST(QueueRequests, explain_by_id_and_by_address) {
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
    EXPECT_EQ(answer.at("waits").as_array().size(), found) << what;
  }
}

TEST(QueueRequests, give_orders) {
  World w;
  const auto id = w.submit("x@far.example");
  w.submit("y@far.example");
  const auto order = [&w](const std::string& what, const std::string& which) {
    return w.ask(R"({"command":"queue )" + what + R"(",)" + which + "}")
        .at("messages")
        .to_number<int>();
  };
  const auto one = R"("filter":{"ids":[")" + id + R"("]})";
  EXPECT_EQ(order("hold", one), 1);
  EXPECT_EQ(w.ask(R"({"command":"status"})").at("recipients_held").to_number<int>(), 1);
  EXPECT_EQ(order("release", one), 1);
  EXPECT_EQ(order("hold", R"("filter":{})"), 2);
  EXPECT_EQ(order("hold", R"("filter":{})"), 0) << "they are held";
  EXPECT_EQ(order("release", R"("filter":{"held":true})"), 2);
  const auto before = w.log.count("message deferred");
  w.loop.run_for(std::chrono::seconds(1));
  EXPECT_EQ(order("retry", R"("filter":{})"), 2);
  w.loop.run_for(std::chrono::seconds(1));
  EXPECT_GE(w.log.count("message deferred"), before + 2);
  EXPECT_EQ(order("move", R"("filter":{},"route":"relay.example:2525")"), 2);
  EXPECT_EQ(order("move", R"("filter":{},"route":"usual")"), 2);
  w.loop.run_for(std::chrono::seconds(30));
  EXPECT_EQ(order("drop", one), 1);
  EXPECT_EQ(order("bounce", R"("all":true,"text":"no more")"), 1);
  EXPECT_EQ(order("drop", R"("all":true)"), 0);
  w.loop.run_for(std::chrono::seconds(1));
  EXPECT_TRUE(w.notice_text().contains("no more"));
  const auto status = w.ask(R"({"command":"status"})");
  EXPECT_EQ(status.at("messages").to_number<int>(), 0);
  EXPECT_GT(status.at("disk_free_bytes").to_number<std::uint64_t>(), 0U);
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(QueueRequests, keep_hold_rules) {
  World w;
  w.submit("x@far.example");
  auto answer = w.ask(
      R"({"command":"queue rule add","filter":{"domain":"far.example"},"note":"they move","seconds":60})");
  EXPECT_EQ(answer.at("rule").to_number<int>(), 1);
  EXPECT_EQ(answer.at("recipients").to_number<int>(), 1);
  answer = w.ask(R"({"command":"queue list","filter":{"held":true},"why":true})");
  ASSERT_EQ(answer.at("messages").as_array().size(), 1U);
  const auto why = std::string(answer.at("messages").at(0).at("why").as_string());
  EXPECT_TRUE(why.contains("held by rule 1 (they move)")) << why;
  answer = w.ask(R"({"command":"queue rule list"})");
  const auto& rule = answer.at("rules").at(0).as_object();
  EXPECT_EQ(rule.at("options").as_string(), "--domain far.example");
  EXPECT_TRUE(rule.contains("until"));
  EXPECT_EQ(w.ask(R"({"command":"queue rule del","rule":1})").at("recipients").to_number<int>(), 1);
  EXPECT_TRUE(w.ask(R"({"command":"queue rule list"})").at("rules").as_array().empty());
}

TEST(QueueRequests, are_refused_when_they_cannot_be_done) {
  World w;
  for (const auto& [request, part] : {
           std::pair<std::string, std::string>{R"({"command":"queue show"})", "13 characters"},
           {R"({"command":"queue show","id":"all"})", "13 characters"},
           {R"({"command":"queue show","id":"0000000000000"})", "no such message"},
           {R"({"command":"queue list","filter":{"x":1}})", "nothing to filter by"},
           {R"({"command":"queue count","filter":"all"})", "one JSON object"},
           {R"({"command":"queue hold","filter":{"ids":["x"]}})", "13 characters"},
           {R"({"command":"queue drop","filter":{"ids":["0000000000000"]}})", "no such message"},
           {R"({"command":"queue drop"})", "--all"},
           {R"({"command":"queue bounce","filter":{}})", "--all"},
           {R"({"command":"queue bounce","all":true,"text":"a\nb"})", "one line"},
           {R"({"command":"queue move","filter":{}})", "has a route"},
           {R"({"command":"queue move","route":"a b"})", "no place to send to"},
           {R"({"command":"queue rule add"})", "hold all mail"},
           {R"({"command":"queue rule add","filter":{"held":true}})", "what a message is"},
           {R"({"command":"queue rule add","filter":{"domain":"x.example"},"until":"soon"})",
            "soon"},
           {R"({"command":"queue rule add","filter":{"domain":"x.example"},)"
            R"("until":"2001-01-01T00:00:00Z"})",
            "past"},
           {R"({"command":"queue rule del","rule":7})", "no hold rule 7"},
           {R"({"command":"queue rule del","rule":-1})", "no hold rule 0"},
       }) {
    const auto error = w.error(request);
    EXPECT_TRUE(error.contains(part)) << request << ": " << error;
  }
}

TEST(QueueRequests, say_so_when_the_spool_cannot_be_read_or_written_now) {
  World w;
  w.submit("x@far.example");
  w.workers.busy = true;
  for (const auto* request : {R"({"command":"queue list"})",
                              R"({"command":"queue count"})",
                              R"({"command":"why","what":"x@far.example"})"})
    EXPECT_FALSE(w.error(request).empty());
  w.store.memory.fail_with(Error{Code::full, "no space"});
  EXPECT_EQ(w.error(R"({"command":"queue drop","all":true})"), "no space");
}

}  // namespace
}  // namespace tapal::api
