#include "rules/bounce/classify.h"

#include <set>

namespace tapal::bounce {
namespace {

struct ReplyCase {
  std::string_view name;
  Phase phase;
  int code;
  std::string_view status, text;
  Verdict verdict;
  Scope scope;
  std::string_view wanted_status;
};

TEST(Classify, reads_replies) {
  using enum Verdict;
  const ReplyCase cases[] = {
      {"accepted", Phase::end, 250, "2.0.0", "queued", accepted, Scope::recipient, "2.0.0"},
      {"accepted without status", Phase::end, 250, "", "ok", accepted, Scope::recipient, "2.0.0"},
      {"go ahead", Phase::data, 354, "", "go ahead", accepted, Scope::recipient, "2.0.0"},
      {"no such user",
       Phase::recipient,
       550,
       "5.1.1",
       "unknown",
       permanent,
       Scope::recipient,
       "5.1.1"},
      {"550 to RCPT without status",
       Phase::recipient,
       550,
       "",
       "no",
       permanent,
       Scope::recipient,
       "5.1.1"},
      {"550 to the message without status",
       Phase::end,
       550,
       "",
       "no",
       permanent,
       Scope::message,
       "5.0.0"},
      {"mailbox full",
       Phase::recipient,
       552,
       "5.2.2",
       "over quota",
       permanent,
       Scope::recipient,
       "5.2.2"},
      {"552 to RCPT without status",
       Phase::recipient,
       552,
       "",
       "quota",
       permanent,
       Scope::recipient,
       "5.2.2"},
      {"552 for too many recipients",
       Phase::recipient,
       552,
       "",
       "Too many recipients",
       temporary,
       Scope::message,
       "4.5.3"},
      {"552 with 5.5.3", Phase::recipient, 552, "5.5.3", "", temporary, Scope::message, "4.5.3"},
      {"too large", Phase::end, 552, "", "too big", permanent, Scope::message, "5.3.4"},
      {"greylisted",
       Phase::recipient,
       450,
       "4.7.1",
       "greylisted",
       temporary,
       Scope::recipient,
       "4.7.1"},
      {"451 without status", Phase::end, 451, "", "later", temporary, Scope::message, "4.3.0"},
      {"452 without status",
       Phase::recipient,
       452,
       "",
       "later",
       temporary,
       Scope::recipient,
       "4.3.1"},
      {"sender refused", Phase::mail, 550, "5.7.1", "spf", permanent, Scope::message, "5.7.1"},
      {"content refused", Phase::end, 554, "5.7.1", "spam", permanent, Scope::message, "5.7.1"},
      {"the code rules over the status",
       Phase::recipient,
       450,
       "5.7.1",
       "odd",
       temporary,
       Scope::recipient,
       "4.7.1"},
      {"and the other way",
       Phase::recipient,
       550,
       "4.2.2",
       "odd",
       permanent,
       Scope::recipient,
       "5.2.2"},
      {"421 anywhere", Phase::recipient, 421, "", "closing", temporary, Scope::server, "4.3.2"},
      {"busy greeting", Phase::greeting, 421, "4.3.2", "busy", temporary, Scope::server, "4.3.2"},
      {"bad reputation at the greeting",
       Phase::greeting,
       554,
       "5.7.1",
       "blocked",
       temporary,
       Scope::server,
       "4.7.1"},
      {"554 greeting without a word",
       Phase::greeting,
       554,
       "",
       "blocked",
       temporary,
       Scope::server,
       "4.0.0"},
      {"no SMTP service here",
       Phase::greeting,
       554,
       "",
       "No SMTP service here",
       permanent,
       Scope::server,
       "5.0.0"},
      {"521 greeting", Phase::greeting, 521, "", "no mail", permanent, Scope::server, "5.3.2"},
      {"521 to EHLO", Phase::hello, 521, "5.3.2", "no mail", permanent, Scope::server, "5.3.2"},
      {"521 to RCPT", Phase::recipient, 521, "", "no mail", permanent, Scope::recipient, "5.3.2"},
      {"556 to RCPT", Phase::recipient, 556, "", "null MX", permanent, Scope::recipient, "5.1.10"},
      {"EHLO refused", Phase::hello, 550, "5.7.1", "name", temporary, Scope::server, "4.7.1"},
      {"STARTTLS refused", Phase::start_tls, 501, "", "syntax", temporary, Scope::server, "4.5.4"},
      {"STARTTLS not now",
       Phase::start_tls,
       454,
       "4.7.0",
       "later",
       temporary,
       Scope::server,
       "4.7.0"},
      {"wrong password", Phase::auth, 535, "", "wrong", temporary, Scope::server, "4.7.8"},
      {"sequence at RCPT",
       Phase::recipient,
       503,
       "5.5.1",
       "MAIL first",
       temporary,
       Scope::server,
       "4.5.1"},
      {"354 in the wrong place", Phase::recipient, 354, "", "", temporary, Scope::server, "4.5.0"},
      {"no code at all", Phase::end, 0, "", "", temporary, Scope::server, "4.5.0"},
      {"unknown 4xx", Phase::recipient, 499, "", "", temporary, Scope::recipient, "4.0.0"},
      {"unknown 5xx", Phase::recipient, 599, "", "", permanent, Scope::recipient, "5.0.0"},
  };
  for (const ReplyCase& one : cases) {
    const Judgement judgement =
        classify(one.phase, {one.code, std::string(one.status), {std::string(one.text)}});
    EXPECT_EQ(judgement.verdict, one.verdict) << one.name;
    EXPECT_EQ(judgement.scope, one.scope) << one.name;
    EXPECT_EQ(judgement.status, one.wanted_status) << one.name;
    EXPECT_FALSE(judgement.reason.empty()) << one.name;
  }
}

struct FailureCase {
  Failure failure;
  Verdict verdict;
  Scope scope;
  std::string_view status;
};

TEST(Classify, knows_every_failure_of_ours) {
  using enum Verdict;
  using enum Scope;
  const FailureCase cases[] = {
      {Failure::unreachable, temporary, server, "4.4.1"},
      {Failure::connection_lost, temporary, server, "4.4.2"},
      {Failure::timed_out, temporary, server, "4.4.2"},
      {Failure::unreadable_reply, temporary, server, "4.5.0"},
      {Failure::tls_failed, temporary, server, "4.7.5"},
      {Failure::tls_not_offered, temporary, server, "4.7.10"},
      {Failure::require_tls_lacking, permanent, server, "5.7.30"},
      {Failure::auth_not_offered, temporary, server, "4.7.0"},
      {Failure::dns_failed, temporary, recipient, "4.4.3"},
      {Failure::dns_bogus, temporary, recipient, "4.4.3"},
      {Failure::no_such_domain, permanent, recipient, "5.1.2"},
      {Failure::no_mail_host, permanent, recipient, "5.4.4"},
      {Failure::null_mx, permanent, recipient, "5.1.10"},
      {Failure::address_refused, permanent, server, "5.4.4"},
      {Failure::loops_to_us, permanent, recipient, "5.4.6"},
      {Failure::too_many_hops, permanent, message, "5.4.6"},
      {Failure::expired, permanent, recipient, "5.4.7"},
      {Failure::too_large, permanent, message, "5.3.4"},
      {Failure::needs_8bit, permanent, message, "5.6.3"},
      {Failure::needs_binary, permanent, message, "5.6.3"},
      {Failure::needs_smtputf8, permanent, message, "5.6.7"},
      {Failure::local_mailbox, temporary, recipient, "4.2.0"},
      {Failure::local_disk_full, temporary, recipient, "4.3.1"},
      {Failure::handover_unusable, temporary, recipient, "4.3.5"},
      {Failure::program_died, temporary, recipient, "4.3.0"},
      {Failure::no_such_user, permanent, recipient, "5.1.1"},
      {Failure::dropped_by_operator, permanent, recipient, "5.7.0"},
  };
  std::set<std::string_view> reasons;
  for (const FailureCase& one : cases) {
    const Judgement judgement = classify(one.failure);
    EXPECT_EQ(judgement.verdict, one.verdict) << one.status;
    EXPECT_EQ(judgement.scope, one.scope) << one.status;
    EXPECT_EQ(judgement.status, one.status);
    reasons.insert(judgement.reason);
  }
  EXPECT_EQ(reasons.size(), std::size(cases)) << "each failure has a reason of its own";
}

TEST(Classify, keeps_the_class_of_the_status_in_step_with_the_verdict) {
  for (int phase = 0; phase <= static_cast<int>(Phase::end); ++phase) {
    for (int code = 200; code < 600; ++code) {
      const Judgement judgement = classify(static_cast<Phase>(phase), {code, "", {}});
      const char wanted = judgement.verdict == Verdict::accepted    ? '2'
                          : judgement.verdict == Verdict::temporary ? '4'
                                                                    : '5';
      EXPECT_EQ(judgement.status.front(), wanted) << phase << " " << code;
    }
  }
}

TEST(GiveUp, names_time_or_security) {
  EXPECT_EQ(status_at_give_up("4.7.5"), "5.7.5");
  EXPECT_EQ(status_at_give_up("4.7.10"), "5.7.10");
  EXPECT_EQ(status_at_give_up("4.4.1"), "5.4.7");
  EXPECT_EQ(status_at_give_up("4.2.2"), "5.4.7");
  EXPECT_EQ(status_at_give_up(""), "5.4.7");
}

}  // namespace
}  // namespace tapal::bounce
