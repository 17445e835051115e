#include "protocols/smtp/client_test_player.h"

namespace tapal::smtp {
namespace {

std::vector<Dialogue> session_dialogues() {
  return {
      {"a greeting that refuses",
       plan_of({}),
       "S: 554-no\nS: 554 mail here\nC: QUIT\n",
       "failed greeting_refused at the greeting 554 no / \nclose\n"},
      {"a greeting that puts off",
       plan_of({}),
       "S: 421 4.7.0 busy\n",
       "failed greeting_refused at the greeting 421 4.7.0\nclose\n"},
      {"no mail, several greeting lines",
       plan_of({}),
       "S: 220-mx\nS: 220 ready\nC: EHLO client.example\nS: 250 mx\n" + bye,
       "ready\nclose\n"},
      {"HELO where EHLO is not known",
       plan_of({}, ClientTls::opportunistic),
       "S: 220 mx\nC: EHLO client.example\nS: 502 what?\nC: HELO client.example\nS: 250 mx\n" + bye,
       "ready\nclose\n"},
      {"HELO refused too",
       plan_of({}),
       "S: 220 mx\nC: EHLO client.example\nS: 550 no\nC: HELO client.example\nS: 550 no\nC: QUIT\n",
       "failed greeting_refused at EHLO 550 no\nclose\n"},
      {"EHLO put off is no reason for HELO",
       plan_of({}),
       "S: 220 mx\nC: EHLO client.example\nS: 450 4.3.2 later\nC: QUIT\n",
       "failed greeting_refused at EHLO 450 4.3.2\nclose\n"},
      {"421 to EHLO",
       plan_of({}),
       "S: 220 mx\nC: EHLO client.example\nS: 421 later\n",
       "failed greeting_refused at EHLO 421 later\nclose\n"},
      {"LHLO has no fallback",
       lmtp_plan({}),
       "S: 220 mx\nC: LHLO client.example\nS: 500 what?\nC: QUIT\n",
       "failed greeting_refused at EHLO 500 what?\nclose\n"},
      {"no SMTP at all",
       plan_of({}),
       "S: HTTP/1.1 400 Bad Request\n",
       "failed protocol at the greeting\nclose\n"},
      {"354 to EHLO",
       plan_of({}),
       "S: 220 mx\nC: EHLO client.example\nS: 354 go\n",
       "failed protocol at EHLO 354 go\nclose\n"},
      {"the peer hangs up at once", plan_of({}), "X:\n", "failed lost at the greeting\nclose\n"},
      {"QUIT unanswered", plan_of({}), hello() + "C: QUIT\nX:\n", "ready\nclose\n"},
  };
}

std::vector<Dialogue> tls_dialogues() {
  const std::string tls_hello = hello("STARTTLS") + "C: STARTTLS\n";
  const std::string again = "C: EHLO client.example\nS: 250 mx\n" + bye;
  return {
      {"STARTTLS",
       plan_of({}, ClientTls::required),
       tls_hello + "S: 220 go\n" + again,
       "tls\nready\nclose\n"},
      {"STARTTLS offered and not wanted", plan_of({}), hello("STARTTLS") + bye, "ready\nclose\n"},
      {"TLS from the start",
       plan_of({}, ClientTls::implicit),
       hello("STARTTLS") + bye,
       "ready\nclose\n"},
      {"STARTTLS refused, and it is no matter",
       plan_of({}, ClientTls::opportunistic),
       tls_hello + "S: 454 4.7.0 not now\n" + bye,
       "ready\nclose\n"},
      {"STARTTLS refused and required",
       plan_of({}, ClientTls::required),
       tls_hello + "S: 454 4.7.0 not now\nC: QUIT\n",
       "failed tls_refused at STARTTLS 454 4.7.0\nclose\n"},
      {"STARTTLS not offered and required",
       plan_of({}, ClientTls::required),
       hello() + "C: QUIT\n",
       "failed tls_refused at STARTTLS\nclose\n"},
      {"HELO only and TLS required",
       plan_of({}, ClientTls::required),
       "S: 220 mx\nC: EHLO client.example\nS: 500 what\nC: HELO client.example\nS: 250 "
       "mx\nC: QUIT\n",
       "failed tls_refused at STARTTLS\nclose\n"},
      {"a handshake that fails",
       with(plan_of({}, ClientTls::opportunistic), [](auto& p) { p.tls_failure = "no cipher"; }),
       tls_hello + "S: 220 go\n",
       "tls\nfailed tls_failed at STARTTLS\nclose\n"},
      {"250 to STARTTLS",
       plan_of({}, ClientTls::opportunistic),
       tls_hello + "S: 250 go\n",
       "failed protocol at STARTTLS 250 go\nclose\n"},
      {"421 to STARTTLS",
       plan_of({}, ClientTls::opportunistic),
       tls_hello + "S: 421 4.3.2 going\n",
       "failed shutting_down at STARTTLS 421 4.3.2\nclose\n"},
      {"the clear text's offers are forgotten",
       plan_of({a_mail({"a"}, short_body)}, ClientTls::required),
       hello("STARTTLS,PIPELINING") +
           "C: STARTTLS\nS: 220 go\nC: EHLO client.example\nS: 250 mx\nC: MAIL "
           "FROM:<from@sender.example>\nS: 550 5.7.1 no\n" +
           bye,
       "tls\nready\ndone: 0 refused at MAIL FROM 550 5.7.1;\nready\nclose\n"},
  };
}

std::vector<Dialogue> auth_dialogues() {
  const std::string offer = hello("AUTH PLAIN LOGIN");
  const auto give_up_late = [](auto& p) { p.auth_doubt = "the peer did not prove itself"; };
  const auto in_clear = [](auto& p) { p.options.tls = ClientTls::opportunistic; };
  const auto allowed = [](auto& p) {
    p.options.tls = ClientTls::opportunistic;
    p.options.auth_in_clear_allowed = true;
  };
  const auto respond = [](auto& p) { p.auth_responses = {"user", "secret"}; };
  const ClientPlan plain = auth_plan("PLAIN", std::string("\0u\0p", 4));
  return {
      {"PLAIN",
       plain,
       offer + "C: AUTH PLAIN AHUAcA==\nS: 235 2.7.0 yes\n" + bye,
       "auth PLAIN LOGIN\nauth accepted\nready\nclose\n"},
      {"LOGIN in two steps",
       with(auth_plan("LOGIN", {}), respond),
       offer +
           "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: dXNlcg==\nS: 334 UGFzc3dvcmQ6\nC: "
           "c2VjcmV0\nS: 235 yes\n" +
           bye,
       "auth PLAIN LOGIN\nchallenge Username:\nchallenge Password:\nauth "
       "accepted\nready\nclose\n"},
      {"an empty initial response",
       auth_plan("EXTERNAL", ""),
       offer + "C: AUTH EXTERNAL =\nS: 235 yes\n" + bye,
       "auth PLAIN LOGIN\nauth accepted\nready\nclose\n"},
      {"a long initial response waits for its turn",
       auth_plan("PLAIN", std::string(600, 'x')),
       offer + "C: AUTH PLAIN\nS: 334\nC: " +
           [] {
             std::string text;
             for (int i = 0; i < 200; ++i) text += "eHh4";
             return text;
           }() +
           "\nS: 235 yes\n" + bye,
       "auth PLAIN LOGIN\nauth accepted\nready\nclose\n"},
      {"a wrong password",
       plain,
       offer + "C: AUTH PLAIN AHUAcA==\nS: 535 5.7.8 wrong\nC: QUIT\n",
       "auth PLAIN LOGIN\nfailed auth_failed at AUTH 535 5.7.8\nclose\n"},
      {"AUTH not offered", plain, hello() + "C: QUIT\n", "failed auth_failed at AUTH\nclose\n"},
      {"AUTH in clear is not done",
       with(plain, in_clear),
       offer + "C: QUIT\n",
       "failed auth_failed at AUTH\nclose\n"},
      {"AUTH in clear where it is allowed",
       with(plain, allowed),
       offer + "C: AUTH PLAIN AHUAcA==\nS: 235 2.7.0 yes\n" + bye,
       "auth PLAIN LOGIN\nauth accepted\nready\nclose\n"},
      {"no common mechanism",
       auth_plan("", {}),
       offer + "C: QUIT\n",
       "auth PLAIN LOGIN\nfailed auth_failed at AUTH\nclose\n"},
      {"an exchange given up",
       auth_plan("LOGIN", {}),
       offer + "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: *\nS: 501 ok\nC: QUIT\n",
       "auth PLAIN LOGIN\nchallenge Username:\nfailed auth_failed at AUTH\nclose\n"},
      {"a challenge that is not base64",
       auth_plan("LOGIN", {}),
       offer + "C: AUTH LOGIN\nS: 334 !\nC: *\nS: 501 ok\nC: QUIT\n",
       "auth PLAIN LOGIN\nfailed auth_failed at AUTH\nclose\n"},
      {"a peer that does not prove itself",
       with(plain, give_up_late),
       offer + "C: AUTH PLAIN AHUAcA==\nS: 235 2.7.0 yes\nC: QUIT\n",
       "auth PLAIN LOGIN\nauth accepted\nfailed auth_failed at AUTH\nclose\n"},
  };
}

std::vector<Dialogue> all_dialogues() {
  std::vector<Dialogue> all;
  for (const auto& some : {session_dialogues(), tls_dialogues(), auth_dialogues()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

TEST(ClientHandshakes, end_as_they_should) { expect_outcomes(all_dialogues()); }

TEST(ClientHandshakes, tell_what_was_wrong_with_tls_before_the_greeting) {
  ClientSession session({.tls = ClientTls::implicit}, Instant{});
  session.on_tls_failed("no good certificate");
  session.on_closed("gone");
  const auto action = session.next_action();
  ASSERT_TRUE(action);
  const auto* failed = std::get_if<client::SessionFailed>(&*action);
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->kind, client::SessionFailed::Kind::tls_failed);
  EXPECT_EQ(failed->what, "TLS handshake failed: no good certificate");
}

TEST(ClientHandshakes, end_the_same_however_the_bytes_are_cut) {
  expect_same_however_cut(all_dialogues());
}

TEST(ClientHandshakes, give_every_recipient_one_outcome_when_the_peer_is_lost_anywhere) {
  expect_one_outcome_when_lost_anywhere(all_dialogues());
}

}  // namespace
}  // namespace tapal::smtp
