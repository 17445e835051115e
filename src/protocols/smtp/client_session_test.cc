#include "protocols/smtp/client_session.h"

#include <random>

#include "protocols/smtp/client_test_player.h"

namespace tapal::smtp {
namespace {

using client::Outcome;
using std::chrono::seconds;

// Talks until the client waits for the replies to its transaction.
ClientShell begun(const ClientPlan& plan, std::string_view extensions) {
  ClientShell shell(plan);
  shell.run();
  shell.feed("220 mx\r\n");
  shell.feed("250-mx\r\n" + std::string(extensions) + "250 HELP\r\n");
  return shell;
}

TEST(ClientSession, sends_a_small_message_in_one_write) {
  const std::string body(4096, 'x');
  const ClientShell shell =
      begun(plan_of({a_mail({"a", "b"}, body)}), "250-PIPELINING\r\n250-CHUNKING\r\n");
  ASSERT_EQ(shell.writes.size(), 2u);
  EXPECT_EQ(shell.writes[1],
            "MAIL FROM:<from@sender.example>\r\nRCPT TO:<a@rcpt.example>\r\n"
            "RCPT TO:<b@rcpt.example>\r\nBDAT 4096 LAST\r\n" +
                body);
}

TEST(ClientSession, sends_mail_rcpt_and_data_in_one_write) {
  const ClientShell shell = begun(plan_of({a_mail({"a"}, "x\r\n")}), "250-PIPELINING\r\n");
  ASSERT_EQ(shell.writes.size(), 2u);
  EXPECT_EQ(shell.writes[1],
            "MAIL FROM:<from@sender.example>\r\nRCPT TO:<a@rcpt.example>\r\nDATA\r\n");
}

TEST(ClientSession, sends_the_message_and_its_end_in_one_write_when_it_is_small) {
  ClientShell shell = begun(plan_of({a_mail({"a"}, "x\r\n")}), "250-PIPELINING\r\n");
  shell.feed("250 ok\r\n250 ok\r\n354 go\r\n");
  ASSERT_EQ(shell.writes.size(), 3u);
  EXPECT_EQ(shell.writes[2], "x\r\n.\r\n");
}

TEST(ClientSession, holds_little_of_a_large_body) {
  for (const std::string extensions :
       {"250-PIPELINING\r\n", "250-PIPELINING\r\n250-CHUNKING\r\n"}) {
    std::string body;
    while (body.size() < 3'000'000) body += ".\r\n";
    ClientShell shell = begun(plan_of({a_mail({"a"}, body)}), extensions);
    shell.feed("250 ok\r\n250 ok\r\n");
    if (extensions.find("CHUNKING") == std::string::npos) shell.feed("354 go\r\n");
    EXPECT_GT(shell.writes.size(), 40u);
    for (const std::string& write : shell.writes)
      EXPECT_LE(write.size(), ClientSession::buffered_bytes_max * 3 / 2);
    EXPECT_LE(shell.largest_want, ClientSession::buffered_bytes_max);
    shell.feed("250 ok\r\n");
    EXPECT_EQ(shell.dones.at(0).recipients.at(0).outcome, Outcome::accepted);
  }
}

TEST(ClientSession, bounds_what_it_pipelines) {
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i) names.push_back("user" + std::to_string(i));
  ClientShell shell = begun(plan_of({a_mail(names, "x\r\n")}), "250-PIPELINING\r\n");
  std::size_t answered = 0;
  while (!shell.written.ends_with("DATA\r\n")) {
    const auto said = static_cast<std::size_t>(std::ranges::count(shell.written, '\n')) - 1;
    ASSERT_GT(said, answered);
    ASSERT_LE(said - answered, 200u);
    std::string replies;
    for (; answered < said; ++answered) replies += "250 ok\r\n";
    shell.feed(replies);
  }
  const auto said = static_cast<std::size_t>(std::ranges::count(shell.written, '\n')) - 1;
  for (++answered; answered < said; ++answered) shell.feed("250 ok\r\n");
  shell.feed("354 go\r\n");
  shell.feed("250 ok\r\n");
  ASSERT_EQ(shell.dones.size(), 1u);
  for (const auto& result : shell.dones[0].recipients) EXPECT_EQ(result.outcome, Outcome::accepted);
}

TEST(ClientSession, refuses_bytes_in_clear_behind_the_reply_to_starttls) {
  for (const std::string behind : {"250 injected\r\n", "x", "\n"}) {
    ClientShell shell(plan_of({}, ClientTls::opportunistic));
    shell.run();
    shell.feed("220 mx\r\n");
    shell.feed("250-mx\r\n250 STARTTLS\r\n");
    shell.feed("220 go\r\n" + behind);
    EXPECT_EQ(shell.what_happened(), "failed protocol at STARTTLS\nclose\n");
    EXPECT_FALSE(shell.session.tls_on());
  }
}

TEST(ClientSession, refuses_bytes_in_clear_while_the_handshake_is_to_begin) {
  const ClientPlan plan = plan_of({}, ClientTls::required);
  const Instant now{seconds(1)};
  ClientSession session(plan.options, now);
  for (const std::string_view bytes : {"220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go\r\n"}) {
    session.on_bytes(bytes, now);
    while (session.next_action()) {
    }
  }
  EXPECT_FALSE(session.wants_bytes());
  session.on_bytes("2", now);
  const auto action = session.next_action();
  ASSERT_TRUE(action && std::holds_alternative<client::SessionFailed>(*action));
  session.on_tls_started(now);
  EXPECT_FALSE(session.tls_on());
}

TEST(ClientSession, takes_an_early_no_for_the_message_and_an_early_yes_for_nothing) {
  struct Case {
    const char* name;
    std::string reply;
    Outcome outcome;
    client::SessionFailed::Kind kind;
  };
  using Kind = client::SessionFailed::Kind;
  for (const Case& c : {Case{"no", "552 5.3.4 too big\r\n", Outcome::refused, Kind::protocol},
                        Case{"421", "421 4.3.2 bye\r\n", Outcome::refused, Kind::shutting_down},
                        Case{"yes", "250 ok\r\n", Outcome::lost, Kind::protocol}}) {
    SCOPED_TRACE(c.name);
    const ClientPlan plan = plan_of({a_mail({"a"}, "x\r\n")});
    const Instant now{seconds(1)};
    ClientSession session(plan.options, now);
    const auto drain = [&] {
      std::optional<client::Action> last;
      while (auto action = session.next_action()) {
        last = std::move(action);
        if (std::holds_alternative<client::WantBody>(*last)) break;
      }
      return last;
    };
    session.on_bytes("220 mx\r\n", now);
    drain();
    session.on_bytes("250 mx\r\n", now);
    drain();
    session.start(plan.mails[0].transaction, now);
    for (const std::string_view bytes : {"250 ok\r\n", "250 ok\r\n", "354 go\r\n"}) {
      drain();
      session.on_bytes(bytes, now);
    }
    ASSERT_TRUE(session.wants_body());
    session.on_bytes(c.reply, now);
    const auto done = session.next_action();
    ASSERT_TRUE(done && std::holds_alternative<client::TransactionDone>(*done));
    EXPECT_EQ(std::get<client::TransactionDone>(*done).recipients.at(0).outcome, c.outcome);
    EXPECT_FALSE(std::get<client::TransactionDone>(*done).maybe_delivered);
    const auto failed = session.next_action();
    ASSERT_TRUE(failed && std::holds_alternative<client::SessionFailed>(*failed));
    EXPECT_EQ(std::get<client::SessionFailed>(*failed).kind, c.kind);
  }
}

TEST(ClientSession, never_ends_a_message_whose_body_is_shorter_than_said) {
  ClientPlan plan = plan_of({a_mail({"a"}, std::string(1000, 'x'))});
  plan.mails[0].transaction.body_bytes = 1001;
  ClientShell shell = begun(plan, "250-PIPELINING\r\n");
  shell.feed("250 ok\r\n250 ok\r\n354 go\r\n");
  EXPECT_EQ(shell.what_happened(),
            "ready\ndone: 0 lost while sending the message;\n"
            "failed body_failed while sending the message\nclose\n");
  EXPECT_TRUE(shell.written.ends_with("DATA\r\n")) << "what was gathered is dropped";
}

TEST(ClientSession, never_ends_a_message_whose_body_is_longer_than_said) {
  const ClientPlan plan = plan_of({a_mail({"a"}, "")});
  ClientShell shell = begun(plan, "250-PIPELINING\r\n250-CHUNKING\r\n");
  EXPECT_FALSE(shell.session.wants_body());
  shell.session.on_body("more");
  shell.session.on_body_failed("nobody asked");
  shell.run();
  EXPECT_TRUE(shell.failures.empty()) << "an empty body is complete";
  ClientSession session(plan.options, shell.now);
  for (const std::string_view bytes : {"220 mx\r\n", "250-mx\r\n250 CHUNKING\r\n"}) {
    session.on_bytes(bytes, shell.now);
    while (session.next_action()) {
    }
  }
  session.start(a_transaction({"a"}, 3), shell.now);
  for (int i = 0; i < 2; ++i) session.on_bytes("250 ok\r\n", shell.now);
  ASSERT_TRUE(session.wants_body());
  session.on_body("four");
  const auto done = session.next_action();
  ASSERT_TRUE(done && std::holds_alternative<client::TransactionDone>(*done));
  EXPECT_EQ(std::get<client::TransactionDone>(*done).recipients.at(0).outcome, Outcome::lost);
}

TEST(ClientSession, waits_as_long_as_rfc_5321_says) {
  const ClientTimeouts timeouts;
  ClientShell shell(plan_of({a_mail({"a"}, "x\r\n")}));
  const auto expect = [&](seconds wait) {
    EXPECT_EQ(shell.session.deadline() - shell.now, wait);
    shell.now += seconds(7);
  };
  shell.run();
  expect(timeouts.greeting);
  shell.feed("220 mx\r\n");
  expect(timeouts.hello);
  shell.feed("250-");  // half a reply does not begin the wait anew
  EXPECT_EQ(shell.session.deadline() - shell.now, timeouts.hello - seconds(7));
  shell.feed("mx\r\n250 x\r\n");
  expect(timeouts.mail);
  shell.feed("250 ok\r\n");
  expect(timeouts.rcpt);
  shell.feed("250 ok\r\n");
  expect(timeouts.data);
  shell.feed("354 ok\r\n");
  expect(timeouts.final);
  shell.feed("250 ok\r\n");
  expect(timeouts.quit);
  shell.session.on_time(shell.session.deadline());
  shell.run();
  EXPECT_EQ(shell.events.back(), "close");
  EXPECT_TRUE(shell.failures.empty());
}

TEST(ClientSession, may_be_told_to_quit_at_any_time) {
  ClientShell waiting = begun(plan_of({a_mail({"a"}, "x\r\n")}), "250-PIPELINING\r\n");
  waiting.session.quit(waiting.now);
  waiting.run();
  EXPECT_EQ(waiting.what_happened(),
            "ready\ndone: 0 lost at MAIL FROM;\nfailed lost at MAIL FROM\nclose\n");
  waiting.session.quit(waiting.now);
  waiting.run();
  EXPECT_EQ(waiting.closes, 1);
}

TEST(ClientSession, answers_a_start_that_comes_too_late) {
  ClientShell shell(plan_of({}));
  shell.run();
  shell.session.on_closed("reset");
  shell.run();
  shell.session.start(a_transaction({"a", "b"}, 1), shell.now);
  shell.run();
  ASSERT_EQ(shell.dones.size(), 1u);
  for (const auto& result : shell.dones[0].recipients)
    EXPECT_EQ(result.outcome, Outcome::not_tried);
}

TEST(ClientSession, never_lets_an_address_break_out_of_its_line) {
  ClientPlan plan = plan_of({a_mail({"a>\r\nRCPT TO:<evil"}, "x\r\n"), a_mail({"b"}, "x\r\n")});
  plan.mails[1].transaction.envelope.return_path = mail::Address{"a\r\nRSET", "x"};
  const ClientShell shell = begun(plan, "");
  EXPECT_EQ(shell.dones.at(0).recipients.at(0).reply.status, "5.1.3");
  EXPECT_EQ(shell.dones.at(1).recipients.at(0).reply.status, "5.1.7");
  EXPECT_EQ(shell.written, "EHLO client.example\r\nQUIT\r\n");
}

TEST(ClientSession, tells_what_it_knows_of_the_peer) {
  const ClientShell shell = begun(plan_of({a_mail({"a"}, "x")}), "250-SIZE 77\r\n");
  EXPECT_EQ(shell.session.greeting_name(), "mx");
  EXPECT_EQ(shell.session.extensions().name, "mx");
  EXPECT_EQ(shell.session.extensions().size_max, 77u);
  EXPECT_FALSE(shell.session.tls_on());
  EXPECT_FALSE(shell.session.authenticated());
}

// A peer that says anything at any time.
std::string random_reply(std::mt19937& random) {
  static const std::vector<std::string> replies = {
      "220 mx\r\n",
      "250 ok\r\n",
      "250 ok\r\n",
      "250 ok\r\n",
      "250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n",
      "250-mx\r\n250-STARTTLS\r\n250-AUTH PLAIN\r\n250 LIMITS RCPTMAX=2 MAILMAX=2\r\n",
      "250-mx\r\n250-PIPELINING\r\n250-SIZE 30\r\n250-8BITMIME\r\n250 AUTH LOGIN\r\n",
      "354 go\r\n",
      "334 dGVzdA==\r\n",
      "235 ok\r\n",
      "450 4.2.1 no\r\n",
      "452 4.5.3 many\r\n",
      "550 5.1.1 no\r\n",
      "503 no\r\n",
      "421 bye\r\n",
      "garbage\r\n",
      "250-unfinished",
  };
  return replies[random() % replies.size()];
}

ClientPlan random_plan(std::mt19937& random) {
  std::vector<ClientPlan::Mail> mails;
  for (std::size_t i = random() % 4; i > 0; --i) {
    std::vector<std::string> names;
    for (std::size_t k = random() % 4; k > 0; --k) names.push_back("user" + std::to_string(k));
    mails.push_back(a_mail(std::move(names), std::string(random() % 50, '.')));
    mails.back().transaction.needs.eight_bit = random() % 4 == 0;
  }
  ClientPlan made = plan_of(std::move(mails), static_cast<ClientTls>(random() % 4));
  made.options.variant = static_cast<ClientVariant>(random() % 2);
  made.options.auth = random() % 4 == 0 ? ClientAuth::required : ClientAuth::never;
  made.options.auth_in_clear_allowed = random() % 2 == 0;
  made.options.early_body_bytes_max = random() % 40;
  made.auth_mechanism = random() % 4 == 0 ? "" : "PLAIN";
  if (random() % 2 == 0) made.auth_initial = std::string(random() % 3, 'x');
  made.auth_responses.assign(random() % 3, "response");
  if (random() % 8 == 0) made.tls_failure = "no";
  if (random() % 8 == 0) made.auth_doubt = "no";
  return made;
}

TEST(ClientSession, keeps_its_laws_with_a_peer_that_says_anything) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::size_t accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    const ClientPlan plan = random_plan(random);
    const bool kind = random() % 2 == 0;  // greets, and says yes more often
    ClientShell shell(plan);
    shell.piece = 1 + random() % 60;
    shell.run();
    if (kind) shell.feed("220 mx\r\n");
    for (int turn = 0; turn < 40 && !shell.session.is_closed(); ++turn) {
      EXPECT_NE(shell.session.wants_bytes(), shell.session.deadline() == never);
      if (random() % 100 == 0)
        shell.session.on_closed("reset");
      else if (random() % 100 == 0)
        shell.session.on_time(shell.session.deadline());
      else
        shell.feed(kind && random() % 2 == 0 ? "250 ok\r\n" : random_reply(random));
      shell.run();
    }
    shell.session.on_closed("the end");
    shell.run();
    EXPECT_TRUE(shell.session.is_closed());
    expect_laws(shell, plan);
    for (const auto& done : shell.dones)
      for (const auto& result : done.recipients) accepted += result.outcome == Outcome::accepted;
    if (HasFailure()) {
      ADD_FAILURE() << "round " << round << "\n" << shell.what_happened() << shell.written;
      return;
    }
  }
  EXPECT_GT(accepted, 100u) << "the random peer must let some mail through";
}

}  // namespace
}  // namespace tapal::smtp
