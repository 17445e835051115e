#include "drivers/dnsapi/api_client.h"

#include <gtest/gtest.h>

#include "drivers/dnsapi/json_call.h"
#include "drivers/dnsapi/test_script.h"

namespace tapal::dnsapi {
namespace {

using std::chrono::seconds;

struct ApiClientTest : testing::Test {
  VirtualLoop loop;
  ScriptedHttp http;
  ApiDialect dialect;
  int authorized = 0;
  ApiClientTest() {
    http.url = "https://api.example/v1";
    dialect.provider = "Example";
    dialect.base_url = http.url;
    dialect.secrets = {"s3cret", "x"};
    dialect.authorize = [this](HttpRequest&) -> Result<void> {
      ++authorized;
      return {};
    };
    dialect.refusal = [](const http::Response& response) -> std::optional<Refusal> {
      if (response.body.starts_with("fine")) return std::nullopt;
      if (response.body == "throttled") return Refusal{response.body, Code::full};
      return Refusal{response.body, std::nullopt};
    };
  }
  Result<http::Response> send(ApiCall call) {
    ApiClient client(dialect, http, loop);
    started = loop.now();
    auto answer = *loop.wait(client.send(loop, std::move(call)));
    EXPECT_TRUE(http.is_over());
    return answer;
  }
  seconds waited() const { return std::chrono::duration_cast<seconds>(loop.now() - started); }
  Instant started;
};

ApiCall call_of(std::string method) {
  ApiCall call;
  call.method = std::move(method);
  call.target = "/a";
  return call;
}

struct StatusCase {
  int status;
  const char* body;
  Code code;
  const char* what;
};

TEST_F(ApiClientTest, turns_each_refusal_into_a_code_and_the_providers_words) {
  const StatusCase cases[] = {
      {401,
       "who?",
       Code::denied,
       "Example: 401 who? (are the credentials right, and do they reach this zone?)"},
      {403,
       "no",
       Code::denied,
       "Example: 403 no (are the credentials right, and do they reach this zone?)"},
      {404, "none", Code::not_found, "Example: 404 none"},
      {422, "bad name", Code::invalid, "Example: 422 bad name"},
      {400, "", Code::invalid, "Example: 400 without a reason"},
      {301, "", Code::invalid, "Example: 301 it sends us elsewhere: is the URL of its API right?"},
      {400, "bad token s3cret\n!", Code::invalid, "Example: 400 bad token ***\\x0A!"},
      {500, "oops", Code::try_later, "Example: 500 oops"},
      {200, "denied", Code::try_later, "Example: denied"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    http.on("POST", "/a");
    http.answer(c.status, c.body);
    const auto answer = send(call_of("POST"));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, c.code);
    EXPECT_EQ(answer.error().what, c.what);
  }
}

TEST_F(ApiClientTest, waits_as_long_as_it_is_asked_to) {
  http.on("POST", "/a");
  http.answer(429, "slow down", {{"Retry-After", "7"}});
  http.on("POST", "/a");
  http.answer(503, "busy", {{"retry-after", "Sun, 22 Nov 2026 01:00:17 GMT"}});
  http.on("POST", "/a");
  http.answer(200, "throttled");
  http.on("POST", "/a");
  http.answer(200, "fine");
  EXPECT_TRUE(send(call_of("POST")));
  EXPECT_EQ(waited(), seconds(7 + 10 + 4));
  EXPECT_EQ(authorized, 4);
}

TEST_F(ApiClientTest, gives_up_where_waiting_would_take_too_long) {
  http.on("GET", "/a");
  http.answer(429, "slow down", {{"Retry-After", "3600"}});
  const auto answer = send(call_of("GET"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::full);
  EXPECT_EQ(answer.error().what,
            "Example: 429 slow down (its rate limit is reached; try again later); it asks to wait "
            "3600 s");
  EXPECT_EQ(waited(), seconds(0));
}

TEST_F(ApiClientTest, gives_up_after_four_attempts) {
  for (int i = 0; i < ApiClient::attempts_max; ++i) {
    http.on("GET", "/a");
    http.answer(502, "bad gateway");
  }
  const auto answer = send(call_of("GET"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::try_later);
  EXPECT_EQ(waited(), seconds(1 + 2 + 4));
}

TEST_F(ApiClientTest, sends_nothing_twice_that_may_have_arrived_unless_it_is_harmless) {
  http.on("POST", "/a");
  http.fails(Code::timed_out);
  EXPECT_FALSE(send(call_of("POST")));
  http.on("POST", "/a");
  http.fails(Code::try_later);  // it never connected
  http.on("POST", "/a");
  http.answer(200, "fine");
  EXPECT_TRUE(send(call_of("POST")));
  auto reading = call_of("POST");
  reading.repeat = ApiCall::Repeat::harmless;
  http.on("POST", "/a");
  http.fails(Code::closed);
  http.on("POST", "/a");
  http.answer(500, "oops");
  http.on("POST", "/a");
  http.answer(200, "fine");
  EXPECT_TRUE(send(reading));
}

TEST_F(ApiClientTest, does_not_try_again_what_cannot_get_better) {
  for (const Code code : {Code::invalid, Code::denied, Code::full}) {
    http.on("GET", "/a");
    http.fails(code);
    const auto answer = send(call_of("GET"));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().what, "Example: api.example: as the test says");
  }
}

TEST_F(ApiClientTest, takes_only_json_for_json) {
  dialect.refusal = {};
  ApiClient client(dialect, http, loop);
  const auto ask = [&](std::string body) {
    http.on("GET", "/a");
    http.steps_back().more.push_back({"Accept", "application/json"});
    http.answer(200, std::move(body));
    return *loop.wait(send_json(client, loop, call_of("GET")));
  };
  EXPECT_EQ(ask("").value(), json::value(nullptr));
  EXPECT_EQ(text_at(ask(R"({"a":"b"})").value(), "a"), "b");
  EXPECT_EQ(ask("<html>").error().what, "Example: its answer is not JSON");
  EXPECT_FALSE(ask(std::string(1000, '[')));
}

TEST(JsonValues, are_read_without_trusting_their_shape) {
  const auto value =
      read_json(R"({"t":"x","n":7,"d":1.5,"a":[1],"o":{"k":"v"},"big":18446744073709551615})")
          .value();
  EXPECT_EQ(text_at(value, "t"), "x");
  EXPECT_EQ(text_at(value, "n"), "7");
  EXPECT_EQ(text_at(value, "big"), "18446744073709551615");
  EXPECT_EQ(text_at(value, "a"), "");
  EXPECT_EQ(number_at(value, "n"), 7);
  EXPECT_EQ(number_at(value, "t"), 0);
  EXPECT_EQ(number_at(value, "big"), 0);
  EXPECT_EQ(array_at(value, "a").size(), 1U);
  EXPECT_TRUE(array_at(value, "o").empty());
  EXPECT_EQ(text_at(value_at(value, "o"), "k"), "v");
  EXPECT_EQ(text_at(value_at(value_at(value, "none"), "none"), "none"), "");
}

}  // namespace
}  // namespace tapal::dnsapi
