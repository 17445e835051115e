#include "services/delivery/courier.h"

#include <gtest/gtest.h>

#include "services/delivery/test_world.h"

namespace tapal::delivery {
namespace {

using smtp::make_reply;
using HangUp = PeerPlan::HangUp;

struct World : CourierTestWorld {
  AttemptReport last;
  // The report in words.
  std::string deliver(Attempt attempt) {
    last = loop.wait(courier().deliver(std::move(attempt)), std::chrono::hours(3)).value();
    return text_of(last);
  }
};

TEST(Courier, delivers_and_keeps_the_connection_for_the_next_message) {
  World w;
  w.domain("far.example", {"9.9.9.1"});
  auto& peer = w.network.at("9.9.9.1:25");
  EXPECT_EQ(w.deliver(attempt_to({"x@far.example"})), "10 delivered 2.0.0");
  EXPECT_EQ(w.last.recipients[0].outcome.text, "250 2.0.0 queued as PEER");
  EXPECT_EQ(w.last.recipients[0].outcome.remote, "mx1.far.example 9.9.9.1:25");
  EXPECT_EQ(w.last.tls, "");
  EXPECT_FALSE(w.last.maybe_delivered);
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(w.deliver(attempt_to({"y@far.example"})), "10 delivered 2.0.0");
  EXPECT_EQ(peer.connections, 1U);
  ASSERT_EQ(peer.mails.size(), 6U);
  for (const auto& mail : peer.mails) EXPECT_EQ(mail.text, test_message);
  EXPECT_EQ(w.names.questions, 3U);  // MX, AAAA, A: once
  w.stop();
  EXPECT_EQ(peer.goodbyes, 1U);
}

TEST(Courier, delivers_a_body_of_any_size_byte_for_byte) {
  World w;
  w.domain("far.example", {"9.9.9.1"});
  for (const std::size_t size : {0U, 1U, 1000U, 70'000U, 300'000U}) {
    std::string body = "Subject: x\r\n\r\n";
    while (body.size() < size)
      body += "..a line that begins with dots, " + std::to_string(size) + "\r\n";
    EXPECT_EQ(w.deliver(attempt_to({"x@far.example"}, body)), "10 delivered 2.0.0");
    EXPECT_EQ(w.network.at("9.9.9.1:25").mails.back().text, body);
  }
  w.stop();
}

TEST(Courier, says_quit_when_a_connection_has_carried_enough) {
  World w;
  w.options.messages_per_connection_max = 2;
  w.domain("far.example", {"9.9.9.1"});
  for (int i = 0; i < 4; ++i) w.deliver(attempt_to({"x@far.example"}));
  EXPECT_EQ(w.network.at("9.9.9.1:25").connections, 2U);
  w.loop.run();
  EXPECT_EQ(w.network.at("9.9.9.1:25").goodbyes, 2U);
  EXPECT_EQ(w.network.at("9.9.9.1:25").open(), 0U);
  w.stop();
}

TEST(Courier, goes_on_over_a_new_connection_when_one_attempt_needs_more_messages_than_one_carries) {
  World w;
  w.options.messages_per_connection_max = 2;
  w.domain("far.example", {"9.9.9.1"});
  auto& peer = w.network.at("9.9.9.1:25");
  peer.plan.recipients_max = 1;
  EXPECT_EQ(w.deliver(attempt_to({"a@far.example", "b@far.example", "c@far.example"})),
            "10 delivered 2.0.0; 11 delivered 2.0.0; 12 delivered 2.0.0");
  EXPECT_EQ(peer.mails.size(), 3U);
  EXPECT_EQ(peer.connections, 2U);
  w.stop();
}

TEST(Courier, tries_again_on_a_fresh_connection_when_the_warm_one_is_gone) {
  World w;
  w.domain("far.example", {"9.9.9.1"});
  auto& peer = w.network.at("9.9.9.1:25");
  w.deliver(attempt_to({"x@far.example"}));
  peer.drop_all();
  EXPECT_EQ(w.deliver(attempt_to({"x@far.example", "y@far.example"})),
            "10 delivered 2.0.0; 11 delivered 2.0.0");
  EXPECT_FALSE(w.last.maybe_delivered);
  EXPECT_EQ(peer.connections, 2U);
  // The peer hangs up only when it sees the next MAIL.
  peer.plan.hangs_up = HangUp::at_sender;
  const auto report = w.deliver(attempt_to({"x@far.example"}));
  EXPECT_EQ(report, "10 deferred 4.4.2");
  EXPECT_EQ(peer.connections, 3U);
  w.stop();
}

TEST(Courier, leaves_from_the_source_of_its_permit) {
  World w;
  const auto ip = [](std::string_view text) { return IpAddress::from_text(text).value(); };
  w.options.source_ipv4 = ip("9.9.8.1");
  w.options.forward_source_ipv4 = ip("9.9.8.2");
  w.options.sources.sources = {{.name = "both", .ipv4 = ip("9.9.8.3"), .ipv6 = ip("2600::3")},
                               {.name = "v4", .ipv4 = ip("9.9.8.4")}};
  w.domain("far.example", {"9.9.9.1"});
  w.names.mx("six.example", 10, "mx.six.example");
  w.names.address("mx.six.example", "2600::9");
  w.network.at("[2600::9]:25");
  w.names.mx("six.example", 20, "mx1.far.example");
  struct Case {
    const char* source;
    bool forwarded;
    const char* to;
    std::optional<IpAddress> from;
  };
  for (const auto& c : {Case{"", false, "far.example", ip("9.9.8.1")},
                        Case{"", true, "far.example", ip("9.9.8.2")},
                        Case{"both", true, "far.example", ip("9.9.8.3")},
                        Case{"both", false, "six.example", ip("2600::3")},
                        Case{"v4", false, "six.example", ip("9.9.8.4")},
                        Case{"", false, "six.example", {}}}) {
    auto attempt = attempt_to({std::string("x@") + c.to});
    attempt.permit.source = c.source;
    attempt.forwarded = c.forwarded;
    attempt.site = attempt.peers = std::string(c.source) + c.to + (c.forwarded ? "F" : "");
    EXPECT_EQ(w.deliver(std::move(attempt)), "10 delivered 2.0.0");
    EXPECT_EQ(w.network.sources.back(), c.from) << c.source << " to " << c.to;
  }
  w.courier();
  w.sources_->mark("both", {true, false, "2600::3 has no name (PTR)"});
  auto attempt = attempt_to({"x@six.example"});
  attempt.permit.source = "both";
  attempt.site = attempt.peers = "another";
  EXPECT_EQ(w.deliver(std::move(attempt)), "10 delivered 2.0.0");
  EXPECT_EQ(w.network.sources.back(), ip("9.9.8.3"));
  w.stop();
}

TEST(Courier, goes_to_the_next_host_when_one_cannot_be_had) {
  World w;
  w.domain("far.example", {"9.9.9.1", "9.9.9.2", "9.9.9.3", "9.9.9.4", "9.9.9.5"});
  w.network.at("9.9.9.1:25").plan.refuses_connections = true;
  w.network.at("9.9.9.2:25").plan.greeting = "421 4.3.2 busy\r\n";
  w.network.at("9.9.9.3:25").plan.silent = true;
  w.network.at("9.9.9.4:25").plan.greeting = "what?\r\n";
  EXPECT_EQ(w.deliver(attempt_to({"x@far.example"})), "10 delivered 2.0.0");
  EXPECT_EQ(w.last.recipients[0].outcome.remote, "mx5.far.example 9.9.9.5:25");
  w.stop();
}

TEST(Courier, defers_when_no_host_can_be_had) {
  struct Case {
    const char* name;
    std::function<void(World&)> arrange;
    std::string_view report;
  };
  const Case cases[] = {
      {"refused",
       [](World& w) { w.network.at("9.9.9.1:25").plan.refuses_connections = true; },
       "10 deferred 4.4.1"},
      {"no answer to connecting",
       [](World& w) { w.network.latency = std::chrono::minutes(2); },
       "10 deferred 4.4.1"},
      {"silent",
       [](World& w) { w.network.at("9.9.9.1:25").plan.silent = true; },
       "10 deferred 4.4.2"},
      {"busy",
       [](World& w) { w.network.at("9.9.9.1:25").plan.greeting = "421 4.3.2 busy\r\n"; },
       "10 deferred 4.3.2"},
      {"DNS fails",
       [](World& w) { w.names.failure = Error{Code::try_later, "SERVFAIL"}; },
       "10 deferred 4.4.3"},
      {"gone before MAIL",
       [](World& w) { w.network.at("9.9.9.1:25").plan.hangs_up = HangUp::at_sender; },
       "10 deferred 4.4.2"},
      {"gone before RCPT",
       [](World& w) { w.network.at("9.9.9.1:25").plan.hangs_up = HangUp::at_recipient; },
       "10 deferred 4.4.2"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    World w;
    w.domain("far.example", {"9.9.9.1"});
    w.network.at("9.9.9.1:25");
    c.arrange(w);
    EXPECT_EQ(w.deliver(attempt_to({"x@far.example"})), c.report);
    EXPECT_FALSE(w.last.recipients[0].outcome.text.empty());
    w.stop();
  }
}

TEST(Courier, fails_for_good_where_there_is_no_such_domain) {
  World w;
  EXPECT_EQ(w.deliver(attempt_to({"x@none.example", "y@none.example"})),
            "10 failed 5.1.2; 11 failed 5.1.2");
  w.stop();
}

TEST(Courier, goes_in_clear_only_where_that_is_allowed_when_tls_fails) {
  struct Case {
    const char* name;
    TlsMode mode;
    bool require_tls;
    std::size_t mails;
  };
  for (const auto& c : {Case{"opportunistic", TlsMode::opportunistic, false, 1},
                        Case{"REQUIRETLS", TlsMode::opportunistic, true, 0},
                        Case{"required", TlsMode::required, false, 0}}) {
    SCOPED_TRACE(c.name);
    World w;
    w.options.tls = c.mode;
    w.domain("far.example", {"9.9.9.1", "9.9.9.2"});
    for (const auto* host : {"9.9.9.1:25", "9.9.9.2:25"}) {
      w.network.at(host).plan.tls = smtp::ServerTls::starttls;
      w.network.at(host).plan.tls_failure = Error{Code::denied, "handshake failure"};
    }
    auto attempt = attempt_to({"x@far.example"});
    attempt.envelope.require_tls = c.require_tls;
    const auto report = w.deliver(std::move(attempt));
    EXPECT_TRUE(report.starts_with(c.mails == 1 ? "10 delivered" : "10 deferred 4.7.5")) << report;
    EXPECT_EQ(w.network.at("9.9.9.1:25").mails.size(), c.mails);
    for (const auto& mail : w.network.at("9.9.9.1:25").mails) EXPECT_FALSE(mail.tls);
    EXPECT_EQ(w.network.at("9.9.9.2:25").mails.size(), 0U);
    w.stop();
  }
}

TEST(Courier, uses_tls_where_it_is_offered) {
  World w;
  w.domain("far.example", {"9.9.9.1"});
  auto& peer = w.network.at("9.9.9.1:25");
  peer.plan.tls = smtp::ServerTls::starttls;
  peer.plan.certificate_holds = false;
  EXPECT_EQ(w.deliver(attempt_to({"x@far.example"})), "10 delivered 2.0.0");
  EXPECT_EQ(w.last.tls, "TLSv1.3 TLS_AES_256_GCM_SHA384");
  EXPECT_TRUE(peer.mails.at(0).tls);
  w.stop();
}

TEST(Courier, delivers_nothing_without_the_tls_that_is_required) {
  for (const bool offered : {false, true}) {
    World w;
    w.options.tls = TlsMode::required;
    w.domain("far.example", {"9.9.9.1"});
    auto& peer = w.network.at("9.9.9.1:25");
    if (offered) peer.plan.tls = smtp::ServerTls::starttls;
    peer.plan.certificate_holds = false;
    EXPECT_TRUE(w.deliver(attempt_to({"x@far.example"})).starts_with("10 deferred 4.7"));
    peer.plan.tls = smtp::ServerTls::starttls;
    peer.plan.certificate_holds = true;
    EXPECT_EQ(w.deliver(attempt_to({"x@far.example"})), "10 delivered 2.0.0");
    EXPECT_EQ(peer.mails.size(), 1U);
    w.stop();
  }
}

TEST(Courier, delivers_no_requiretls_message_in_clear_over_a_warm_connection) {
  World w;
  w.domain("far.example", {"9.9.9.1"});
  w.deliver(attempt_to({"x@far.example"}));
  auto attempt = attempt_to({"x@far.example"});
  attempt.envelope.require_tls = true;
  EXPECT_FALSE(w.deliver(std::move(attempt)).contains("delivered"));
  EXPECT_EQ(w.network.at("9.9.9.1:25").mails.size(), 1U);
  w.stop();
}

TEST(Courier, tells_each_recipient_s_own_result) {
  World w;
  w.domain("far.example", {"9.9.9.1", "9.9.9.2"});
  auto& peer = w.network.at("9.9.9.1:25");
  peer.plan.recipient = [](const mail::Recipient& to) -> std::optional<smtp::Reply> {
    if (to.address.local == "no") return make_reply(550, "5.1.1", "no such user");
    if (to.address.local == "later") return make_reply(450, "4.2.1", "greylisted");
    return {};
  };
  EXPECT_EQ(w.deliver(attempt_to(
                {"no@far.example", "yes@far.example", "later@far.example", "also@far.example"})),
            "10 failed 5.1.1; 11 delivered 2.0.0; 12 deferred 4.2.1; 13 delivered 2.0.0");
  ASSERT_EQ(peer.mails.size(), 1U);
  EXPECT_EQ(peer.mails[0].envelope.recipients.size(), 2U);
  EXPECT_EQ(w.network.at("9.9.9.2:25").connections, 0U);
  EXPECT_EQ(w.deliver(attempt_to({"no@far.example", "later@far.example"})),
            "10 failed 5.1.1; 11 deferred 4.2.1");
  EXPECT_EQ(w.deliver(attempt_to({"yes@far.example"})), "10 delivered 2.0.0");
  EXPECT_EQ(peer.connections, 1U);
  w.stop();
}

TEST(Courier, applies_a_refusal_of_the_message_to_everybody) {
  World w;
  w.domain("far.example", {"9.9.9.1"});
  auto& plan = w.network.at("9.9.9.1:25").plan;
  plan.sender = [](const mail::Envelope&) { return make_reply(550, "5.7.1", "we know you"); };
  EXPECT_EQ(w.deliver(attempt_to({"x@far.example", "y@far.example"})),
            "10 failed 5.7.1; 11 failed 5.7.1");
  plan.sender = {};
  plan.stored = [](const mail::Envelope&) { return make_reply(451, "4.3.0", "not today"); };
  EXPECT_EQ(w.deliver(attempt_to({"x@far.example", "y@far.example"})),
            "10 deferred 4.3.0; 11 deferred 4.3.0");
  w.stop();
}

TEST(Courier, makes_several_transactions_where_the_peer_takes_few_recipients) {
  World w;
  w.domain("far.example", {"9.9.9.1"});
  auto& peer = w.network.at("9.9.9.1:25");
  peer.plan.recipients_max = 2;
  EXPECT_EQ(
      w.deliver(attempt_to(
          {"a@far.example", "b@far.example", "c@far.example", "d@far.example", "e@far.example"})),
      "10 delivered 2.0.0; 11 delivered 2.0.0; 12 delivered 2.0.0; 13 delivered 2.0.0; "
      "14 delivered 2.0.0");
  EXPECT_EQ(peer.connections, 1U);
  std::string who;
  for (const auto& mail : peer.mails) {
    for (const auto& recipient : mail.envelope.recipients) who += recipient.address.local;
    who += ' ';
  }
  EXPECT_EQ(who, "ab cd e ");
  w.stop();
}

TEST(Courier, says_that_a_message_may_have_arrived_when_the_line_is_lost_after_its_end) {
  for (const std::size_t size : {10U, 200'000U}) {
    World w;
    w.domain("far.example", {"9.9.9.1", "9.9.9.2"});
    w.network.at("9.9.9.1:25").plan.hangs_up = HangUp::at_end;
    std::string text = "Subject: x\r\n\r\n";
    while (text.size() < size) text += "a line\r\n";
    EXPECT_EQ(w.deliver(attempt_to({"x@far.example", "y@far.example"}, text)),
              "10 deferred 4.4.2; 11 deferred 4.4.2");
    EXPECT_TRUE(w.last.maybe_delivered);
    // Another host would make a second copy certain.
    EXPECT_EQ(w.network.at("9.9.9.2:25").connections, 0U);
    w.stop();
  }
}

TEST(Courier, tries_another_host_when_the_line_is_lost_within_a_large_body) {
  World w;
  w.domain("far.example", {"9.9.9.1", "9.9.9.2"});
  w.network.at("9.9.9.1:25").plan.hangs_up = HangUp::at_body;
  std::string text = "Subject: x\r\n\r\n";
  while (text.size() < 2'000'000) text += "a line of the body\r\n";
  EXPECT_EQ(w.deliver(attempt_to({"x@far.example"}, text)), "10 delivered 2.0.0");
  EXPECT_EQ(w.network.at("9.9.9.2:25").mails.size(), 1U);
  w.stop();
}

TEST(Courier, says_quit_to_a_connection_that_waits_too_long) {
  World w;
  w.options.idle_connection = std::chrono::seconds(10);
  w.domain("far.example", {"9.9.9.1"});
  w.domain("other.example", {"9.9.9.2"});
  w.deliver(attempt_to({"x@far.example"}));
  w.loop.run_for(std::chrono::seconds(6));
  w.deliver(attempt_to({"x@other.example"}));
  w.loop.run_for(std::chrono::seconds(6));
  EXPECT_EQ(w.network.at("9.9.9.1:25").goodbyes, 1U);
  EXPECT_EQ(w.network.at("9.9.9.1:25").open(), 0U);
  EXPECT_EQ(w.network.at("9.9.9.2:25").open(), 1U);
  w.loop.run_for(std::chrono::seconds(6));
  EXPECT_EQ(w.network.at("9.9.9.2:25").goodbyes, 1U);
  w.deliver(attempt_to({"x@far.example"}));
  EXPECT_EQ(w.network.at("9.9.9.1:25").connections, 2U);
  w.stop();
}

TEST(Courier, keeps_no_more_idle_connections_than_allowed) {
  World w;
  w.options.connections_max = 2;
  for (int i = 1; i <= 3; ++i) {
    const auto name = "d" + std::to_string(i) + ".example";
    w.domain(name, {"9.9.9." + std::to_string(i)});
    w.network.at("9.9.9." + std::to_string(i) + ":25");
    w.deliver(attempt_to({"x@" + name}));
  }
  w.loop.run();
  EXPECT_EQ(w.network.at("9.9.9.1:25").open(), 0U);
  EXPECT_EQ(w.network.at("9.9.9.2:25").open(), 1U);
  EXPECT_EQ(w.network.at("9.9.9.3:25").open(), 1U);
  w.stop();
}

TEST(Courier, hands_back_what_is_under_way_when_it_stops) {
  struct Case {
    const char* name;
    std::function<void(World&)> arrange;
  };
  const Case cases[] = {
      {"waiting for a greeting", [](World& w) { w.network.at("9.9.9.1:25").plan.silent = true; }},
      {"connecting", [](World& w) { w.network.latency = std::chrono::seconds(20); }},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    World w;
    w.domain("far.example", {"9.9.9.1", "9.9.9.2"});
    w.network.at("9.9.9.1:25");
    w.network.at("9.9.9.2:25").plan.silent = true;
    c.arrange(w);
    std::optional<AttemptReport> report;
    TaskGroup group;
    const auto deliver = [](Courier& courier, std::optional<AttemptReport>& into) -> Task<void> {
      auto attempt = attempt_to({"x@far.example"});
      into = co_await courier.deliver(std::move(attempt));
    };
    group.spawn(deliver(w.courier(), report));
    w.loop.run_for(std::chrono::seconds(10));
    EXPECT_FALSE(report);
    w.stop();
    w.loop.run_for(std::chrono::seconds(30));
    ASSERT_TRUE(report);
    EXPECT_TRUE(text_of(*report).starts_with("10 deferred")) << text_of(*report);
    EXPECT_EQ(w.network.at("9.9.9.2:25").connections, 0U);
  }
}

TEST(Courier, follows_a_route_and_sends_no_password_in_clear) {
  World w;
  w.options.routes["*"] = Route{.host = "9.9.9.7", .port = 2525, .tls = TlsMode::never};
  EXPECT_EQ(w.deliver(attempt_to({"x@anywhere.example"})), "10 deferred 4.4.1");
  w.network.at("9.9.9.7:2525");
  EXPECT_EQ(w.deliver(attempt_to({"x@anywhere.example"})), "10 delivered 2.0.0");
  EXPECT_EQ(w.names.questions, 0U);
  w.options.routes["*"].user = "me";
  w.options.routes["*"].password = "secret";
  w.loop.run_for(std::chrono::minutes(1));
  EXPECT_FALSE(w.deliver(attempt_to({"x@anywhere.example"})).contains("delivered"));
  w.stop();
}

}  // namespace
}  // namespace tapal::delivery
