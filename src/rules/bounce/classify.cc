#include "rules/bounce/classify.h"

#include <algorithm>
#include <optional>

#include "rules/bounce/code_status.h"
#include "values/text/ascii.h"

namespace tapal::bounce {

namespace {

// Where the peer gives no enhanced code: the nearest of RFC 3463 (RFC 5248 section 2.4 pairs them).
constexpr CodeStatus status_of_code[] = {
    {421, "4.3.2"}, {450, "4.2.0"}, {451, "4.3.0"}, {452, "4.3.1"}, {454, "4.7.0"},  {455, "4.5.4"},
    {458, "4.4.1"}, {500, "5.5.2"}, {501, "5.5.4"}, {502, "5.5.1"}, {503, "5.5.1"},  {504, "5.5.4"},
    {521, "5.3.2"}, {530, "5.7.0"}, {534, "5.7.9"}, {535, "5.7.8"}, {538, "5.7.11"}, {551, "5.1.6"},
    {553, "5.1.3"}, {555, "5.5.4"}, {556, "5.1.10"}};

bool text_has(const smtp::Reply& reply, std::string_view words) {
  return std::ranges::any_of(
      reply.lines, [&](const std::string& line) { return text::to_lower(line).contains(words); });
}

// The peer's own status, or the nearest to its code.
std::string status_of(Phase phase, const smtp::Reply& reply) {
  if (!reply.status.empty()) return reply.status;
  if (reply.code == 550 && phase == Phase::recipient) return "5.1.1";
  if (reply.code == 552) return phase == Phase::recipient ? "5.2.2" : "5.3.4";
  return std::string(status_in(status_of_code, reply.code, "0.0.0"));
}

std::string with_class(std::string status, Verdict verdict) {
  switch (verdict) {
    case Verdict::accepted: status.front() = '2'; break;
    case Verdict::temporary: status.front() = '4'; break;
    case Verdict::permanent: status.front() = '5'; break;
  }
  return status;
}

bool is_before_mail(Phase phase) { return phase < Phase::mail; }

// Refusals that say this host never takes mail, rather than that it does not like us now.
bool takes_no_mail(Phase phase, const smtp::Reply& reply) {
  if (phase != Phase::greeting && phase != Phase::hello) return false;
  if (reply.code == 521 || reply.code == 556) return true;  // RFC 7504 section 3
  // RFC 5321 section 3.1 has 554 for this, and many use it for a bad reputation of ours instead.
  return reply.code == 554 && (reply.status == "5.3.2" || text_has(reply, "no smtp service") ||
                               text_has(reply, "does not accept mail"));
}

Judgement judge_permanent(Phase phase, const smtp::Reply& reply) {
  const std::string status = status_of(phase, reply);
  if (takes_no_mail(phase, reply)) {
    return {Verdict::permanent, Scope::server, status, "the host takes no mail at all (RFC 7504)"};
  }
  if (is_before_mail(phase)) {
    return {Verdict::temporary,
            Scope::server,
            status,
            "a refusal before MAIL is about the two servers, not about the recipient"};
  }
  if (phase == Phase::recipient && reply.code == 552 &&
      (status.ends_with(".5.3") || text_has(reply, "too many"))) {
    return {Verdict::temporary,
            Scope::message,
            "4.5.3",
            "552 for too many recipients means 452 (RFC 5321 section 4.5.3.1.10)"};
  }
  if (phase == Phase::recipient && reply.code == 503) {
    return {Verdict::temporary,
            Scope::server,
            status,
            "the two servers disagree on the order of commands; a fresh connection may help"};
  }
  const Scope scope = phase == Phase::recipient ? Scope::recipient : Scope::message;
  return {Verdict::permanent, scope, status, "a reply of 5xx is for good (RFC 5321 section 4.2.1)"};
}

Judgement judge(Phase phase, const smtp::Reply& reply) {
  if (smtp::is_positive(reply) || (phase == Phase::data && reply.code == 354)) {
    return {Verdict::accepted, Scope::recipient, status_of(phase, reply), "accepted"};
  }
  if (smtp::is_permanent(reply)) return judge_permanent(phase, reply);
  if (!smtp::is_transient(reply)) {
    return {Verdict::temporary, Scope::server, "4.5.0", "the reply does not fit the command"};
  }
  const std::string status = status_of(phase, reply);
  if (reply.code == 421) {
    return {Verdict::temporary,
            Scope::server,
            status,
            "421 closes the connection (RFC 5321 section 3.8)"};
  }
  if (is_before_mail(phase)) {
    return {Verdict::temporary, Scope::server, status, "the server cannot take mail now"};
  }
  const Scope scope = phase == Phase::recipient ? Scope::recipient : Scope::message;
  return {Verdict::temporary,
          scope,
          status,
          "a reply of 4xx asks to try again (RFC 5321 section 4.2.1)"};
}

Judgement temporary(Scope scope, std::string status, std::string_view reason) {
  return {Verdict::temporary, scope, std::move(status), reason};
}

Judgement permanent(Scope scope, std::string status, std::string_view reason) {
  return {Verdict::permanent, scope, std::move(status), reason};
}

// Failures of the way to a server.
std::optional<Judgement> judge_network(Failure failure) {
  const auto server = [](std::string status, std::string_view reason) {
    return temporary(Scope::server, std::move(status), reason);
  };
  switch (failure) {
    case Failure::unreachable: return server("4.4.1", "no address of the mail host answers");
    case Failure::connection_lost:
      return server("4.4.2", "the connection ended before the message was accepted");
    case Failure::timed_out: return server("4.4.2", "the mail host did not answer in time");
    case Failure::unreadable_reply: return server("4.5.0", "the mail host does not speak SMTP");
    case Failure::tls_failed: return server("4.7.5", "TLS could not be agreed on");
    case Failure::tls_not_offered:
      return server("4.7.10", "the route requires TLS and the mail host does not offer it");
    case Failure::auth_not_offered:
      return server("4.7.0", "the route has a password and the server offers no way to use it");
    case Failure::address_refused:
      return permanent(
          Scope::server,
          "5.4.4",
          "every address of the mail host is private or our own (see delivery settings)");
    case Failure::loops_to_us:
      return permanent(Scope::recipient,
                       "5.4.6",
                       "the domain's best mail host is this one, which does not serve the domain");
    default: return {};
  }
}

std::optional<Judgement> judge_dns(Failure failure) {
  switch (failure) {
    case Failure::dns_failed:
      return temporary(Scope::recipient, "4.4.3", "DNS gives no answer about the domain");
    case Failure::dns_bogus:
      return temporary(Scope::recipient, "4.4.3", "DNSSEC rejects the answers about the domain");
    case Failure::no_such_domain:
      return permanent(Scope::recipient, "5.1.2", "the domain does not exist");
    case Failure::no_mail_host:
      return permanent(Scope::recipient, "5.4.4", "the domain has no address to send mail to");
    case Failure::null_mx:
      return permanent(
          Scope::recipient, "5.1.10", "the domain declares that it takes no mail (RFC 7505)");
    default: return {};
  }
}

std::optional<Judgement> judge_content(Failure failure) {
  switch (failure) {
    case Failure::require_tls_lacking:
      return permanent(Scope::server,
                       "5.7.30",
                       "the sender requires TLS all the way (RFC 8689) and the mail host does not "
                       "support that");
    case Failure::too_large:
      return permanent(Scope::message, "5.3.4", "the message is larger than the mail host takes");
    case Failure::needs_8bit:
      return permanent(Scope::message,
                       "5.6.3",
                       "the message has 8-bit text and the mail host takes 7-bit only (RFC 6152)");
    case Failure::needs_binary:
      return permanent(
          Scope::message,
          "5.6.3",
          "the message is binary and the mail host takes lines of text only (RFC 3030)");
    case Failure::needs_smtputf8:
      return permanent(Scope::message,
                       "5.6.7",
                       "the message has international addresses or header fields and the mail host "
                       "does not take those (RFC 6531)");
    default: return {};
  }
}

Judgement judge_local(Failure failure) {
  switch (failure) {
    case Failure::too_many_hops:
      return permanent(Scope::message, "5.4.6", "the message goes in circles");
    case Failure::local_mailbox:
      return temporary(Scope::recipient, "4.2.0", "the mailbox here cannot be written now");
    case Failure::local_disk_full:
      return temporary(Scope::recipient, "4.3.1", "the disk here is full");
    case Failure::handover_unusable:
      return temporary(
          Scope::recipient, "4.3.5", "what the alias says cannot be done as things are");
    case Failure::program_died:
      return temporary(Scope::recipient, "4.3.0", "the program did not come to its end");
    case Failure::no_such_user:
      return permanent(Scope::recipient, "5.1.1", "the address does not exist here");
    case Failure::dropped_by_operator:
      return permanent(Scope::recipient, "5.7.0", "the operator took the message out of the queue");
    default:
      return permanent(Scope::recipient, "5.4.7", "it was tried as long as the schedule allows");
  }
}

}  // namespace

Judgement classify(Phase phase, const smtp::Reply& reply) {
  Judgement judgement = judge(phase, reply);
  judgement.status = with_class(std::move(judgement.status), judgement.verdict);
  return judgement;
}

Judgement classify(Failure failure) {
  if (auto judgement = judge_network(failure)) return *std::move(judgement);
  if (auto judgement = judge_dns(failure)) return *std::move(judgement);
  if (auto judgement = judge_content(failure)) return *std::move(judgement);
  return judge_local(failure);
}

std::string status_at_give_up(std::string_view last_status) {
  if (last_status.starts_with("4.7."))
    return with_class(std::string(last_status), Verdict::permanent);
  return "5.4.7";
}

}  // namespace tapal::bounce
