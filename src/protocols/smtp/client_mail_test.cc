#include "protocols/smtp/client_test_player.h"

namespace tapal::smtp {
namespace {

const std::string mail_line = "C: MAIL FROM:<from@sender.example>\n";
std::string rcpt_line(std::string_view local) {
  return "C: RCPT TO:<" + std::string(local) + "@rcpt.example>\n";
}
const std::string stuffed_lines = "C: Subject: x\nC: \nC: ..dot\nC: .\n";
const std::string chunk_lines = "C: BDAT 20 LAST\nC: Subject: x\nC: \nC: .dot\n";

std::vector<Dialogue> step_dialogues() {
  const ClientPlan two = plan_of({a_mail({"a", "b"}, short_body)});
  const std::string ok = "S: 250 ok\n";
  return {
      {"step by step",
       two,
       hello() + mail_line + ok + rcpt_line("a") + ok + rcpt_line("b") + ok +
           "C: DATA\nS: 354 go\n" + stuffed_lines + "S: 250 2.0.0 kept\n" + bye,
       "ready\ndone: 0 accepted at the end of the message 250 2.0.0; 1 accepted at the end of the "
       "message 250 2.0.0;\nready\nclose\n"},
      {"step by step, one refused",
       two,
       hello() + mail_line + ok + rcpt_line("a") + "S: 550 5.1.1 no\n" + rcpt_line("b") + ok +
           "C: DATA\nS: 354 go\n" + stuffed_lines + "S: 250 2.0.0 kept\n" + bye,
       "ready\ndone: 0 refused at RCPT TO 550 5.1.1; 1 accepted at the end of the message 250 "
       "2.0.0;\nready\nclose\n"},
      {"step by step, all refused",
       two,
       hello() + mail_line + ok + rcpt_line("a") + "S: 550 5.1.1 no\n" + rcpt_line("b") +
           "S: 450 4.2.1 no\n" + bye,
       "ready\ndone: 0 refused at RCPT TO 550 5.1.1; 1 refused at RCPT TO 450 "
       "4.2.1;\nready\nclose\n"},
      {"DATA refused, then another mail after RSET",
       plan_of({a_mail({"a"}, short_body), a_mail({"b"}, short_body)}),
       hello() + mail_line + ok + rcpt_line("a") + ok + "C: DATA\nS: 451 4.3.0 no\nC: RSET\n" + ok +
           mail_line + ok + rcpt_line("b") + ok + "C: DATA\nS: 354 go\n" + stuffed_lines +
           "S: 554 5.6.0 no\n" + bye,
       "ready\ndone: 0 refused at DATA 451 4.3.0;\nready\ndone: 0 refused at the end of the "
       "message 554 5.6.0;\nready\nclose\n"},
      {"RSET refused",
       plan_of({a_mail({"a"}, short_body), a_mail({"b"}, short_body)}),
       hello() + mail_line + ok + rcpt_line("a") + "S: 550 5.1.1 no\nC: RSET\nS: 500 what\n",
       "ready\ndone: 0 refused at RCPT TO 550 5.1.1;\nready\ndone: 0 not tried at MAIL "
       "FROM;\nfailed protocol at MAIL FROM 500 what\nclose\n"},
      {"250 to DATA",
       two,
       hello() + mail_line + ok + rcpt_line("a") + ok + rcpt_line("b") + ok +
           "C: DATA\nS: 250 go\n",
       "ready\ndone: 0 lost at DATA; 1 lost at DATA;\nfailed protocol at DATA 250 go\nclose\n"},
      {"421 to the second RCPT",
       two,
       hello() + mail_line + ok + rcpt_line("a") + "S: 550 5.1.1 no\n" + rcpt_line("b") +
           "S: 421 4.3.2 bye\n",
       "ready\ndone: 0 refused at RCPT TO 550 5.1.1; 1 refused at RCPT TO 421 4.3.2;\nfailed "
       "shutting_down at RCPT TO 421 4.3.2\nclose\n"},
      {"421 to the final dot",
       two,
       hello() + mail_line + ok + rcpt_line("a") + ok + rcpt_line("b") + ok +
           "C: DATA\nS: 354 go\n" + stuffed_lines + "S: 421 4.3.2 bye\n",
       "ready\ndone: 0 refused at the end of the message 421 4.3.2; 1 refused at the end of the "
       "message 421 4.3.2;\nfailed shutting_down at the end of the message 421 4.3.2\nclose\n"},
      {"lost after the final dot",
       two,
       hello() + mail_line + ok + rcpt_line("a") + "S: 550 5.1.1 no\n" + rcpt_line("b") + ok +
           "C: DATA\nS: 354 go\n" + stuffed_lines + "X:\n",
       "ready\ndone, maybe delivered: 0 refused at RCPT TO 550 5.1.1; 1 lost at the end of the "
       "message;\nfailed lost at the end of the message\nclose\n"},
      {"lost before DATA is answered",
       two,
       hello() + mail_line + ok + rcpt_line("a") + ok + rcpt_line("b") + ok + "C: DATA\nX:\n",
       "ready\ndone: 0 lost at DATA; 1 lost at DATA;\nfailed lost at DATA\nclose\n"},
      {"an empty message",
       plan_of({a_mail({"a"}, "")}),
       hello() + mail_line + ok + rcpt_line("a") + ok + "C: DATA\nS: 354 go\nC: .\n" + ok + bye,
       "ready\ndone: 0 accepted at the end of the message 250 ok;\nready\nclose\n"},
      {"a message without its last line's end",
       plan_of({a_mail({"a"}, "x")}),
       hello() + mail_line + ok + rcpt_line("a") + ok + "C: DATA\nS: 354 go\nC: x\nC: .\n" + ok +
           bye,
       "ready\ndone: 0 accepted at the end of the message 250 ok;\nready\nclose\n"},
      {"too many recipients goes on with those that are taken",
       two,
       hello() + mail_line + ok + rcpt_line("a") + ok + rcpt_line("b") +
           "S: 452 4.5.3 too many\nC: DATA\nS: 354 go\n" + stuffed_lines + ok + bye,
       "ready\ndone: 0 accepted at the end of the message 250 ok; 1 not tried at RCPT TO 452 "
       "4.5.3;\nready\nclose\n"},
      {"452 to the first is a refusal",
       two,
       hello() + mail_line + ok + rcpt_line("a") + "S: 452 4.5.3 too many\n" + rcpt_line("b") +
           "S: 452 4.3.1 disk\n" + bye,
       "ready\ndone: 0 refused at RCPT TO 452 4.5.3; 1 refused at RCPT TO 452 "
       "4.3.1;\nready\nclose\n"},
  };
}

std::vector<Dialogue> pipelined_dialogues() {
  const ClientPlan two = plan_of({a_mail({"a", "b"}, short_body)});
  const std::string group = mail_line + rcpt_line("a") + rcpt_line("b") + "C: DATA\n";
  const std::string start = hello("PIPELINING") + group;
  return {
      {"pipelined",
       two,
       start + "S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\n" + stuffed_lines + "S: 250 kept\n" +
           bye,
       "ready\ndone: 0 accepted at the end of the message 250 kept; 1 accepted at the end of the "
       "message 250 kept;\nready\nclose\n"},
      {"pipelined, MAIL refused",
       two,
       start + "S: 550 5.7.1 no\nS: 503 no\nS: 503 no\nS: 503 no\n" + bye,
       "ready\ndone: 0 refused at MAIL FROM 550 5.7.1; 1 refused at MAIL FROM 550 "
       "5.7.1;\nready\nclose\n"},
      {"pipelined, all refused and 354 all the same",
       two,
       start + "S: 250 ok\nS: 550 5.1.1 no\nS: 551 5.1.6 no\nS: 354 go\nC: .\nS: 554 no\n" + bye,
       "ready\ndone: 0 refused at RCPT TO 550 5.1.1; 1 refused at RCPT TO 551 "
       "5.1.6;\nready\nclose\n"},
      {"pipelined, MAIL refused and 354 all the same",
       two,
       start + "S: 550 5.7.1 no\nS: 250 ok\nS: 250 ok\nS: 354 go\nC: .\nS: 250 ok\n" + bye,
       "ready\ndone: 0 refused at MAIL FROM 550 5.7.1; 1 refused at MAIL FROM 550 "
       "5.7.1;\nready\nclose\n"},
      {"pipelined, all refused, RSET in front of the next",
       plan_of({a_mail({"a", "b"}, short_body), a_mail({"c"}, short_body)}),
       start + "S: 250 ok\nS: 550 5.1.1 no\nS: 550 5.1.1 no\nS: 503 no\nC: RSET\n" + mail_line +
           rcpt_line("c") + "C: DATA\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\n" +
           stuffed_lines + "S: 250 kept\n" + bye,
       "ready\ndone: 0 refused at RCPT TO 550 5.1.1; 1 refused at RCPT TO 550 "
       "5.1.1;\nready\ndone: 0 accepted at the end of the message 250 kept;\nready\nclose\n"},
      {"pipelined, DATA put off with a recipient taken",
       two,
       start + "S: 250 ok\nS: 250 ok\nS: 550 5.1.1 no\nS: 451 4.3.0 no\n" + bye,
       "ready\ndone: 0 refused at DATA 451 4.3.0; 1 refused at RCPT TO 550 "
       "5.1.1;\nready\nclose\n"},
      {"pipelined, 421 to MAIL",
       two,
       start + "S: 421 4.3.2 bye\n",
       "ready\ndone: 0 refused at MAIL FROM 421 4.3.2; 1 refused at MAIL FROM 421 4.3.2;\nfailed "
       "shutting_down at MAIL FROM 421 4.3.2\nclose\n"},
      {"pipelined, hung up within the replies",
       two,
       start + "S: 250 ok\nS: 550 5.1.1 no\nX:\n",
       "ready\ndone: 0 refused at RCPT TO 550 5.1.1; 1 lost at RCPT TO;\nfailed lost at RCPT "
       "TO\nclose\n"},
  };
}

std::vector<Dialogue> chunk_dialogues() {
  const ClientPlan two = plan_of({a_mail({"a", "b"}, short_body)});
  const std::string group = mail_line + rcpt_line("a") + rcpt_line("b") + chunk_lines;
  const std::string start = hello("PIPELINING,CHUNKING") + group;
  const auto late = [](auto& p) { p.options.early_body_bytes_max = 10; };
  return {
      {"all in one write",
       two,
       start + "S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 250 kept\n" + bye,
       "ready\ndone: 0 accepted at the end of the message 250 kept; 1 accepted at the end of the "
       "message 250 kept;\nready\nclose\n"},
      {"all in one write, one refused",
       two,
       start + "S: 250 ok\nS: 550 5.1.1 no\nS: 250 ok\nS: 250 kept\n" + bye,
       "ready\ndone: 0 refused at RCPT TO 550 5.1.1; 1 accepted at the end of the message 250 "
       "kept;\nready\nclose\n"},
      {"all in one write, all refused, then RSET",
       plan_of({a_mail({"a", "b"}, short_body), a_mail({"c"}, short_body)}),
       start + "S: 250 ok\nS: 550 5.1.1 no\nS: 550 5.1.1 no\nS: 554 no\nC: RSET\n" + mail_line +
           rcpt_line("c") + chunk_lines + "S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 250 kept\n" + bye,
       "ready\ndone: 0 refused at RCPT TO 550 5.1.1; 1 refused at RCPT TO 550 "
       "5.1.1;\nready\ndone: 0 accepted at the end of the message 250 kept;\nready\nclose\n"},
      {"all in one write, MAIL refused",
       two,
       start + "S: 452 4.3.1 full\nS: 503 no\nS: 503 no\nS: 503 no\n" + bye,
       "ready\ndone: 0 refused at MAIL FROM 452 4.3.1; 1 refused at MAIL FROM 452 "
       "4.3.1;\nready\nclose\n"},
      {"all in one write, the message refused",
       two,
       start + "S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 554 5.7.1 spam\n" + bye,
       "ready\ndone: 0 refused at the end of the message 554 5.7.1; 1 refused at the end of the "
       "message 554 5.7.1;\nready\nclose\n"},
      {"hung up when all was handed out",
       two,
       start + "S: 250 ok\nX:\n",
       "ready\ndone, maybe delivered: 0 lost at RCPT TO; 1 lost at RCPT TO;\nfailed lost at RCPT "
       "TO\nclose\n"},
      {"a large body waits for the recipients",
       with(two, late),
       hello("PIPELINING,CHUNKING") + mail_line + rcpt_line("a") + rcpt_line("b") +
           "S: 250 ok\nS: 550 5.1.1 no\nS: 250 ok\n" + chunk_lines + "S: 250 kept\n" + bye,
       "ready\ndone: 0 refused at RCPT TO 550 5.1.1; 1 accepted at the end of the message 250 "
       "kept;\nready\nclose\n"},
      {"a large body is not sent for nobody",
       with(two, late),
       hello("PIPELINING,CHUNKING") + mail_line + rcpt_line("a") + rcpt_line("b") +
           "S: 250 ok\nS: 550 5.1.1 no\nS: 550 5.1.1 no\n" + bye,
       "ready\ndone: 0 refused at RCPT TO 550 5.1.1; 1 refused at RCPT TO 550 "
       "5.1.1;\nready\nclose\n"},
      {"CHUNKING without PIPELINING",
       plan_of({a_mail({"a"}, short_body)}),
       hello("CHUNKING") + mail_line + "S: 250 ok\n" + rcpt_line("a") + "S: 250 ok\n" +
           chunk_lines + "S: 250 kept\n" + bye,
       "ready\ndone: 0 accepted at the end of the message 250 kept;\nready\nclose\n"},
  };
}

std::vector<Dialogue> lmtp_dialogues() {
  const std::string start = "S: 220 mx\nC: LHLO client.example\nS: 250-mx\nS: 250 PIPELINING\n" +
                            mail_line + rcpt_line("a") + rcpt_line("b") + rcpt_line("c") +
                            "C: DATA\n";
  const ClientPlan three = lmtp_plan({a_mail({"a", "b", "c"}, short_body)});
  return {
      {"LMTP answers for each recipient",
       three,
       start + "S: 250 ok\nS: 250 ok\nS: 550 5.1.1 no\nS: 250 ok\nS: 354 go\n" + stuffed_lines +
           "S: 250 kept\nS: 452 4.2.2 full\n" + bye,
       "ready\ndone: 0 accepted at the end of the message 250 kept; 1 refused at RCPT TO 550 "
       "5.1.1; 2 refused at the end of the message 452 4.2.2;\nready\nclose\n"},
      {"LMTP hung up between the answers",
       three,
       start + "S: 250 ok\nS: 250 ok\nS: 550 5.1.1 no\nS: 250 ok\nS: 354 go\n" + stuffed_lines +
           "S: 250 kept\nX:\n",
       "ready\ndone, maybe delivered: 0 accepted at the end of the message 250 kept; 1 refused at "
       "RCPT TO 550 5.1.1; 2 lost at the end of the message;\nfailed lost at the end of the "
       "message\nclose\n"},
      {"LMTP without a recipient",
       three,
       start + "S: 250 ok\nS: 550 no\nS: 550 no\nS: 550 no\nS: 503 no\n" + bye,
       "ready\ndone: 0 refused at RCPT TO 550 no; 1 refused at RCPT TO 550 no; 2 refused at RCPT "
       "TO 550 no;\nready\nclose\n"},
      {"LMTP, 354 without a recipient",
       three,
       start + "S: 250 ok\nS: 550 no\nS: 550 no\nS: 550 no\nS: 354 go\n",
       "ready\ndone: 0 refused at RCPT TO 550 no; 1 refused at RCPT TO 550 no; 2 refused at RCPT "
       "TO 550 no;\nfailed protocol at DATA 354 go\nclose\n"},
  };
}

std::vector<Dialogue> limit_dialogues() {
  const auto reject = [](std::string_view code) {
    return "ready\ndone: 0 refused before sending ours " + std::string(code) + ";\nready\nclose\n";
  };
  const auto needing = [](client::ContentNeeds needs) {
    ClientPlan made = plan_of({a_mail({"a"}, short_body)});
    made.mails[0].transaction.needs = needs;
    return made;
  };
  const auto require_tls = [](auto& p) { p.mails[0].transaction.envelope.require_tls = true; };
  const auto utf8_sender = [](auto& p) {
    p.mails[0].transaction.envelope.return_path = mail::Address{"\xd7\x90", "sender.example"};
  };
  const auto twice = plan_of({a_mail({"a"}, short_body), a_mail({"b"}, short_body)});
  return {
      {"too large for the peer",
       plan_of({a_mail({"a"}, short_body)}),
       hello("SIZE 19") + bye,
       reject("552 5.3.4")},
      {"8-bit text and no 8BITMIME",
       needing({.eight_bit = true}),
       hello() + bye,
       reject("554 5.6.3")},
      {"binary and no BINARYMIME",
       needing({.binary = true}),
       hello("CHUNKING") + bye,
       reject("554 5.6.1")},
      {"binary and no CHUNKING",
       needing({.binary = true}),
       hello("BINARYMIME") + bye,
       reject("554 5.6.1")},
      {"UTF-8 fields and no SMTPUTF8",
       needing({.utf8_header = true}),
       hello("8BITMIME") + bye,
       reject("554 5.6.9")},
      {"a UTF-8 sender and no SMTPUTF8",
       with(needing({}), utf8_sender),
       hello("8BITMIME") + bye,
       reject("550 5.6.7")},
      {"REQUIRETLS in clear",
       with(needing({}), require_tls),
       hello("REQUIRETLS") + bye,
       reject("550 5.7.3")},
      {"REQUIRETLS not offered",
       with(with(needing({}), require_tls), [](auto& p) { p.options.tls = ClientTls::implicit; }),
       hello() + bye,
       reject("550 5.7.3")},
      {"only the UTF-8 recipient is refused",
       plan_of({a_mail({"\xd7\x90", "b"}, short_body)}),
       hello() + mail_line + "S: 250 ok\n" + rcpt_line("b") + "S: 550 no\n" + bye,
       "ready\ndone: 0 refused before sending ours 550 5.6.7; 1 refused at RCPT TO 550 "
       "no;\nready\nclose\n"},
      {"RCPTMAX",
       plan_of({a_mail({"a", "b", "c"}, short_body)}),
       hello("LIMITS RCPTMAX=2,PIPELINING") + mail_line + rcpt_line("a") + rcpt_line("b") +
           "C: DATA\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\n" + stuffed_lines +
           "S: 250 kept\n" + bye,
       "ready\ndone: 0 accepted at the end of the message 250 kept; 1 accepted at the end of the "
       "message 250 kept; 2 not tried;\nready\nclose\n"},
      {"MAILMAX",
       twice,
       hello("LIMITS MAILMAX=1") + mail_line + "S: 550 5.7.1 no\n" + bye,
       "ready\ndone: 0 refused at MAIL FROM 550 5.7.1;\nready, spent\nclose\n"},
  };
}

std::vector<Dialogue> parameter_dialogues() {
  const auto rich = [](auto& p) {
    mail::Envelope& envelope = p.mails[0].transaction.envelope;
    envelope.return_content = mail::ReturnContent::headers;
    envelope.envelope_id = "id+1 =x";
    envelope.recipients[0].notify.never = true;
    envelope.recipients[0].original = "rfc822;a+b@x.example";
    envelope.recipients[1].notify.success = true;
    envelope.recipients[1].notify.delay = true;
  };
  const auto all = [](auto& p) {
    p.options.tls = ClientTls::implicit;
    client::Transaction& transaction = p.mails[0].transaction;
    transaction.envelope.return_path = {};
    transaction.envelope.require_tls = true;
    transaction.needs = {.eight_bit = true, .binary = false, .utf8_header = true};
  };
  const auto binary = [](auto& p) { p.mails[0].transaction.needs.binary = true; };
  const ClientPlan two = plan_of({a_mail({"a", "b"}, short_body)});
  const std::string refused = "S: 550 no\n" + bye;
  const std::string outcome =
      "ready\ndone: 0 refused at MAIL FROM 550 no; 1 refused at MAIL FROM 550 "
      "no;\nready\nclose\n";
  return {
      {"DSN parameters",
       with(two, rich),
       hello("DSN") +
           "C: MAIL FROM:<from@sender.example> RET=HDRS ENVID=id+2B1+20+3Dx\nS: 250 "
           "ok\nC: RCPT TO:<a@rcpt.example> NOTIFY=NEVER "
           "ORCPT=rfc822;a+2Bb@x.example\nS: 550 no\nC: RCPT TO:<b@rcpt.example> "
           "NOTIFY=SUCCESS,DELAY\n" +
           refused,
       "ready\ndone: 0 refused at RCPT TO 550 no; 1 refused at RCPT TO 550 "
       "no;\nready\nclose\n"},
      {"DSN not offered", with(two, rich), hello() + mail_line + refused, outcome},
      {"the null sender with everything",
       with(two, all),
       hello("SIZE,8BITMIME,SMTPUTF8,REQUIRETLS") +
           "C: MAIL FROM:<> SIZE=20 BODY=8BITMIME SMTPUTF8 REQUIRETLS\n" + refused,
       outcome},
      {"a binary message by BDAT",
       with(two, binary),
       hello("CHUNKING,BINARYMIME,SIZE 0") +
           "C: MAIL FROM:<from@sender.example> SIZE=20 BODY=BINARYMIME\n" + refused,
       outcome},
  };
}

std::vector<Dialogue> all_dialogues() {
  std::vector<Dialogue> all;
  for (const auto& some : {step_dialogues(),
                           pipelined_dialogues(),
                           chunk_dialogues(),
                           lmtp_dialogues(),
                           limit_dialogues(),
                           parameter_dialogues()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

TEST(ClientTransactions, end_as_they_should) { expect_outcomes(all_dialogues()); }

TEST(ClientTransactions, end_the_same_however_the_bytes_are_cut) {
  expect_same_however_cut(all_dialogues());
}

TEST(ClientTransactions, give_every_recipient_one_outcome_when_the_peer_is_lost_anywhere) {
  expect_one_outcome_when_lost_anywhere(all_dialogues());
}

}  // namespace
}  // namespace tapal::smtp
