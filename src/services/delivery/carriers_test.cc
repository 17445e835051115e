#include "services/delivery/carriers.h"

#include <gtest/gtest.h>

#include "ports/test_handover.h"
#include "services/delivery/test_lmtp.h"
#include "services/delivery/test_world.h"
#include "values/crypto/hash.h"
#include "values/text/hex.h"

namespace tapal::delivery {
namespace {

using mail::Handover;
using Kind = Handover::Kind;

struct World : CourierTestWorld {
  MemoryMailbox mailbox;
  FakePrograms programs;
  FakeHttpClient http;
  shaping::ProviderTable providers = shaping::read_providers({}, {}).value();
  Sites sites{{loop, names, random, options, own, providers}};
  std::optional<Carriers> made;

  World() { options.webhook.key = "the key"; }
  ~World() { loop.wait(carriers().stop()); }

  Carriers& carriers() {
    if (!made)
      made.emplace(CarriersWorld{
          .loop = loop,
          .clock = loop,
          .couriers = {&courier()},
          .mailbox = mailbox,
          .programs = programs,
          .http = http,
          .options = options,
          .sites = sites,
          .is_local = [](const mail::Address& to) { return to.domain == "own.example"; }});
    return *made;
  }
  Attempt attempt(const std::vector<std::string>& to, const Handover& handover) {
    auto made_attempt = attempt_to(to, body);
    for (auto& recipient : made_attempt.envelope.recipients) recipient.handover = handover;
    made_attempt.destination = made_attempt.site =
        destination_of(made_attempt.envelope.recipients.front(), queue::Origin::Kind::received);
    return made_attempt;
  }
  std::string destination_of(const mail::Recipient& recipient, queue::Origin::Kind origin) {
    return carriers().place_of(recipient, origin).destination;
  }
  std::string carry(const std::vector<std::string>& to, const Handover& handover) {
    return carry(attempt(to, handover));
  }
  std::string carry(Attempt given) {
    last = loop.wait(carriers().carry(std::move(given))).value();
    return text_of(last);
  }
  std::string reason(std::size_t of = 0) const { return last.recipients.at(of).outcome.text; }

  std::string body = test_message;
  AttemptReport last;
};

const Handover to_program{Kind::program, {}, {"/usr/bin/mailer", "-d"}};
const Handover to_hook{Kind::http, "https://hooks.example/secret?key=1", {}};
const std::string on_top = "Return-Path: <a@own.example>\r\nDelivered-To: u@own.example\r\n";

TEST(Carriers, know_where_mail_goes_by_a_key_that_people_can_read) {
  World w;
  w.options.routes["routed.example"] = Route{.host = "relay.example", .port = 26};
  const struct {
    std::string_view to;
    Handover handover;
    std::string_view key;
  } cases[] = {
      {"u@own.example", {}, "our mailboxes"},
      {"x@far.example", {}, "far.example"},
      {"x@routed.example", {}, "route:relay.example:26"},
      {"u@own.example", {Kind::host, "mx.b.example", {}}, "host mx.b.example"},
      {"u@own.example", {Kind::lmtp, "unix:/run/x", {}}, "LMTP unix:/run/x"},
      {"u@own.example", {Kind::maildir, "/srv/box", {}}, "Maildir /srv/box"},
      {"u@own.example", to_program, "program /usr/bin/mailer"},
      {"u@own.example", to_hook, "HTTP https://hooks.example"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(
        w.destination_of({.address = mail::parse_address(c.to).value(), .handover = c.handover},
                         queue::Origin::Kind::received),
        c.key);
  EXPECT_EQ(w.destination_of({.address = {"u", "far.example"}}, queue::Origin::Kind::forwarded),
            "far.example (forwarded)");
  w.options.routes["own.example"] = Route{.host = "relay.example", .port = 27};
  EXPECT_EQ(w.destination_of({.address = {"u", "own.example"}}, queue::Origin::Kind::received),
            "route:relay.example:27");
}

TEST(Carriers, know_the_site_of_a_domain_once_dns_was_asked) {
  World w;
  w.names.mx("far.example", 10, "aspmx.l.google.com");
  w.names.mx("other.example", 10, "mx2.host.example");
  w.names.mx("other.example", 20, "mx1.host.example");
  const auto site = [&w](const std::string& domain, queue::Origin::Kind origin) {
    return w.carriers().place_of({.address = {"u", domain}}, origin).site;
  };
  using Origin = queue::Origin::Kind;
  EXPECT_EQ(site("far.example", Origin::submitted), "") << "not asked yet";
  const auto find = [&w](const std::string& domain, Origin origin) {
    return w.loop.wait(w.carriers().find_site(domain, origin)).value();
  };
  EXPECT_EQ(find("far.example", Origin::submitted), "gmail");
  EXPECT_EQ(site("far.example", Origin::submitted), "gmail");
  EXPECT_EQ(site("far.example", Origin::forwarded), "gmail (forwarded)");
  EXPECT_EQ(find("other.example", Origin::forwarded),
            "mx1.host.example,mx2.host.example (forwarded)");
  EXPECT_EQ(site("own.example", Origin::submitted), "our mailboxes") << "no DNS for what ends here";
  w.loop.run_for(std::chrono::hours(2));
  EXPECT_EQ(site("far.example", Origin::submitted), "") << "hosts may have changed";
}

TEST(Carriers, do_not_know_a_site_that_dns_does_not_tell) {
  World w;
  w.names.failure = Error{Code::timed_out, "no answer"};
  EXPECT_EQ(
      w.loop.wait(w.carriers().find_site("down.example", queue::Origin::Kind::submitted)).value(),
      std::nullopt);
}

TEST(Carriers, put_mail_into_the_folder_of_a_handover) {
  World w;
  EXPECT_EQ(w.carry({"u@own.example"}, {Kind::maildir, "/srv/box/", {}}), "10 delivered 2.0.0");
  ASSERT_EQ(w.mailbox.kept["/srv/box/u@own.example"].size(), 1U);
  EXPECT_EQ(w.mailbox.kept["/srv/box/u@own.example"][0].text, on_top + test_message);
  w.mailbox.answer = [](const mail::Address&) -> Result<void> { return fail(Code::full, "full"); };
  EXPECT_EQ(w.carry({"u@own.example"}, {Kind::maildir, "/srv/box/", {}}), "10 deferred 4.3.1");
}

TEST(Carriers, tell_a_program_whose_mail_it_gets) {
  World w;
  auto attempt = w.attempt({"u+list@own.example"}, to_program);
  attempt.envelope.recipients[0].original = "rfc822;sales@own.example";
  EXPECT_EQ(w.carry(std::move(attempt)), "10 delivered 2.0.0");
  ASSERT_EQ(w.programs.runs.size(), 1U);
  const auto& run = w.programs.runs[0];
  EXPECT_EQ(run.arguments, to_program.arguments);
  EXPECT_EQ(run.input,
            "Return-Path: <a@own.example>\r\nDelivered-To: u+list@own.example\r\n" + test_message);
  EXPECT_EQ(run.line_ends, ProgramRun::LineEnds::local);
  EXPECT_EQ(run.environment,
            (std::vector<std::string>{"PATH=/usr/local/bin:/usr/bin:/bin",
                                      "SENDER=a@own.example",
                                      "RECIPIENT=u+list@own.example",
                                      "ORIGINAL_RECIPIENT=sales@own.example",
                                      "USER=u",
                                      "EXTENSION=list",
                                      "DOMAIN=own.example",
                                      "QUEUE_ID=" + QueueId{1}.text()}));
  auto bounce = w.attempt({"u@own.example"}, to_program);
  bounce.envelope.return_path.reset();
  w.carry(std::move(bounce));
  for (const auto* variable : {"SENDER=", "EXTENSION=", "ORIGINAL_RECIPIENT=u@own.example"})
    EXPECT_TRUE(w.programs.runs[1].has(variable)) << variable;
}

TEST(Carriers, take_a_program_s_word_for_it) {
  World w;
  const struct {
    Result<ProgramEnd> end;
    std::string_view verdict;
    std::string_view reason;
  } cases[] = {
      {ProgramEnd{.output = "Saved.\n"}, "10 delivered 2.0.0", "taken by the program"},
      {ProgramEnd{.exit_code = 75, .output = "out", .error_output = "x\n locked: try later \n\n"},
       "10 deferred 4.3.0",
       "locked: try later (the program's exit code is 75)"},
      {ProgramEnd{.exit_code = 67, .output = "first\nno such user\n"},
       "10 failed 5.1.1",
       "no such user (the program's exit code is 67)"},
      {ProgramEnd{.exit_code = 1, .output = "5.7.1 unwanted\x1b"},
       "10 failed 5.7.1",
       "5.7.1 unwanted\\x1B (the program's exit code is 1)"},
      {ProgramEnd{.exit_code = 1}, "10 deferred 4.3.0", "the program's exit code is 1"},
      {ProgramEnd{.exit_code = -1, .signal = 11},
       "10 deferred 4.3.0",
       "signal 11 ended the program"},
      {ProgramEnd{.exit_code = -1, .signal = 9, .timed_out = true},
       "10 deferred 4.3.0",
       "the program took too long"},
      {fail(Code::not_found, "/usr/bin/mailer: No such file or directory"),
       "10 deferred 4.3.5",
       "/usr/bin/mailer: No such file or directory"},
      {fail(Code::full, "too many"), "10 deferred 4.3.0", "too many"},
      {fail(Code::closed, "stopped"), "10 deferred 4.3.0", "stopped"},
  };
  for (const auto& c : cases) {
    w.programs.answer = [&c](const FakePrograms::Run&) { return c.end; };
    EXPECT_EQ(w.carry({"u@own.example"}, to_program), c.verdict);
    EXPECT_EQ(w.reason(), c.reason);
    EXPECT_EQ(w.last.recipients[0].outcome.remote, "");
  }
}

TEST(Carriers, run_a_program_for_each_recipient_until_it_takes_too_long) {
  World w;
  w.programs.answer = [&w](const FakePrograms::Run& run) -> Result<ProgramEnd> {
    if (run.has("USER=b")) return ProgramEnd{.exit_code = 67};
    return ProgramEnd{.timed_out = w.programs.runs.size() == 3};
  };
  EXPECT_EQ(
      w.carry({"a@own.example", "b@own.example", "c@own.example", "d@own.example"}, to_program),
      "10 delivered 2.0.0; 11 failed 5.1.1; 12 deferred 4.3.0; 13 deferred 4.3.0");
  EXPECT_EQ(w.programs.runs.size(), 3U);
}

TEST(Carriers, post_mail_signed_so_that_the_receiver_can_check_it) {
  World w;
  w.body = "Subject: big\r\n\r\n" + std::string(200'000, 'x') + "\r\n";
  EXPECT_EQ(w.carry({"u@own.example"}, to_hook), "10 delivered 2.0.0");
  ASSERT_EQ(w.http.requests.size(), 1U);
  const auto& sent = w.http.requests[0];
  EXPECT_EQ(sent.request.method, "POST");
  EXPECT_EQ(sent.request.url, to_hook.target);
  EXPECT_EQ(sent.body, on_top + w.body);
  EXPECT_EQ(sent.header("Content-Type"), "message/rfc822");
  EXPECT_EQ(sent.header("X-Tapal-Sender"), "a@own.example");
  EXPECT_EQ(sent.header("X-Tapal-Recipient"), "u@own.example");
  EXPECT_EQ(sent.header("X-Tapal-Queue-Id"), QueueId{1}.text());
  const auto timestamp = sent.header("X-Tapal-Timestamp");
  EXPECT_EQ(timestamp, "1795309200");
  const auto mac = crypto::hmac_sha256("the key", timestamp + "." + sent.body);
  EXPECT_EQ(sent.header("X-Tapal-Signature"), text::to_hex(crypto::bytes_of(mac)));
}

TEST(Carriers, take_a_web_server_s_word_for_it) {
  World w;
  const struct {
    Result<http::Response> response;
    std::string_view verdict;
    std::string_view reason;
  } cases[] = {
      {http::Response{204, {}, "thanks"}, "10 delivered 2.0.0", "HTTP status 204"},
      {http::Response{404, {}, "\nno such hook\nmore"},
       "10 failed 5.1.1",
       "HTTP status 404: no such hook"},
      {http::Response{429, {}, ""}, "10 deferred 4.4.5", "HTTP status 429"},
      {http::Response{500, {}, "\x01"}, "10 deferred 4.3.0", "HTTP status 500: \\x01"},
      {fail(Code::invalid, "bad URL"), "10 deferred 4.3.5", "bad URL"},
      {fail(Code::denied, "certificate"), "10 deferred 4.7.5", "certificate"},
      {fail(Code::timed_out, "slow"), "10 deferred 4.4.2", "slow"},
      {fail(Code::closed, "gone"), "10 deferred 4.4.2", "gone"},
      {fail(Code::try_later, "refused"), "10 deferred 4.4.1", "refused"},
      {fail(Code::full, "long"), "10 deferred 4.5.0", "long"},
  };
  for (const auto& c : cases) {
    w.http.answer = [&c](const FakeHttpClient::Request&) { return c.response; };
    EXPECT_EQ(w.carry({"u@own.example"}, to_hook), c.verdict);
    EXPECT_EQ(w.reason(), c.reason);
  }
}

TEST(Carriers, post_nothing_that_is_not_signed) {
  World w;
  w.options.webhook.key.clear();
  EXPECT_EQ(w.carry({"u@own.example"}, to_hook), "10 deferred 4.3.5");
  EXPECT_TRUE(w.reason().contains("webhook.key")) << w.reason();
  EXPECT_TRUE(w.http.requests.empty());
}

TEST(Carriers, speak_lmtp_to_a_socket_and_hear_about_each_recipient) {
  LmtpPeer box;  // outlives the world, which says goodbye to it
  World w;
  box.answer = [](const std::string& path) {
    return path == "<full@own.example>" ? "452 4.2.2 over quota"
           : path == "<no@own.example>" ? "550 5.1.1 no such user"
                                        : "250 2.0.0 saved";
  };
  w.network.at_socket("/run/lmtp").plan.talk = [&box](Stream& stream) { return box.talk(stream); };
  const Handover to_box{Kind::lmtp, "unix:/run/lmtp", {}};
  EXPECT_EQ(w.carry({"u@own.example", "full@own.example", "no@own.example"}, to_box),
            "10 delivered 2.0.0; 11 deferred 4.2.2; 12 failed 5.1.1");
  EXPECT_EQ(w.last.recipients[0].outcome.remote, "unix:/run/lmtp");
  EXPECT_EQ(box.mails, std::vector{test_message});  // the LMTP server writes Return-Path itself
  EXPECT_TRUE(box.commands.at(0).starts_with("LHLO "));
  EXPECT_EQ(w.carry({"u@own.example"}, {Kind::lmtp, "unix:/run/gone", {}}), "10 deferred 4.4.1");
  EXPECT_EQ(w.carry({"u@own.example"}, {Kind::lmtp, "unix:lmtp", {}}), "10 deferred 4.3.5");
  EXPECT_TRUE(w.reason().contains("unix:/path/to/socket")) << w.reason();
}

TEST(Carriers, send_to_the_host_of_a_handover_and_not_to_the_domain_s) {
  World w;
  w.domain("far.example", {"9.9.9.1"});
  w.names.address("mx.b.example", "9.9.9.2");
  auto& host = w.network.at("9.9.9.2:2525");
  auto& by_address = w.network.at("127.0.0.3:25");  // a handover is configuration: it may
  EXPECT_EQ(w.carry({"x@far.example"}, {Kind::host, "mx.b.example:2525", {}}),
            "10 delivered 2.0.0");
  EXPECT_EQ(host.mails.size(), 1U);
  EXPECT_EQ(w.carry({"x@far.example"}, {Kind::host, "127.0.0.3", {}}), "10 delivered 2.0.0");
  EXPECT_EQ(by_address.mails.size(), 1U);
  EXPECT_EQ(w.network.at("9.9.9.1:25").connections, 0U);
  EXPECT_EQ(w.carry({"x@far.example"}, {Kind::host, "misspelt.example", {}}), "10 deferred 4.4.4");
}

TEST(Carriers, fail_what_went_to_the_same_address_of_ours_before) {
  World w;
  w.body = "Received: x\r\nDelivered-To: U@own.example\r\n" + test_message;
  for (const auto& handover : {Handover{},
                               to_program,
                               to_hook,
                               Handover{Kind::maildir, "/srv/box", {}},
                               Handover{Kind::lmtp, "unix:/run/lmtp", {}}}) {
    EXPECT_EQ(w.carry({"u@own.example"}, handover), "10 failed 5.4.6");
    EXPECT_TRUE(w.reason().contains("delivered to u@own.example before")) << w.reason();
  }
  EXPECT_TRUE(w.mailbox.kept.empty());
  EXPECT_TRUE(w.programs.runs.empty());
  EXPECT_TRUE(w.http.requests.empty());
  EXPECT_EQ(w.carry({"u@own.example", "v@own.example"}, to_program),
            "10 failed 5.4.6; 11 delivered 2.0.0");
  EXPECT_TRUE(w.programs.runs.at(0).has("USER=v"));
}

// The mark is another server's business where the mail goes on, and its own fields are no marks.
TEST(Carriers, send_on_what_was_delivered_elsewhere_before) {
  World w;
  w.domain("far.example", {"9.9.9.1"});
  w.body = "Delivered-To: x@far.example\r\n" + test_message;
  EXPECT_EQ(w.carry({"x@far.example"}, {}), "10 delivered 2.0.0");
  w.body = test_message + "Delivered-To: u@own.example\r\n";
  EXPECT_EQ(w.carry({"u@own.example"}, {}), "10 delivered 2.0.0");
}

TEST(Carriers, stop_programs_too) {
  World w;
  w.loop.wait(w.carriers().stop());
  EXPECT_TRUE(w.programs.stopped);
}

}  // namespace
}  // namespace tapal::delivery
