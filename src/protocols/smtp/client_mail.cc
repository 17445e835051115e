// ClientSession's transactions: MAIL, RCPT, the body, and what becomes of each recipient.
#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "protocols/smtp/client_commands.h"
#include "protocols/smtp/client_session.h"

namespace tapal::smtp {

using client::Outcome;
using client::Phase;
using client::RecipientResult;
using Kind = client::SessionFailed::Kind;

namespace {

// Commands written before their replies are read. More could fill both directions' buffers while
// each side waits for the other to read (RFC 2920 section 3.1).
constexpr std::size_t pipelined_commands_max = 200;

// RFC 5321 section 4.5.3.1.10: 452, or 552 from servers of old, to a further RCPT says that this
// transaction is full, when the status does not say something else.
bool says_too_many(const Reply& reply) {
  if (reply.code != 452 && reply.code != 552) return false;
  return reply.status.empty() || reply.status == "4.5.3" || reply.status == "5.5.3";
}

std::vector<RecipientResult> untried(std::size_t count, std::string_view what) {
  std::vector<RecipientResult> results(count);
  for (std::size_t i = 0; i < count; ++i) {
    results[i].index = i;
    results[i].outcome = Outcome::not_tried;
    results[i].what = what;
  }
  return results;
}

}  // namespace

void ClientSession::start(client::Transaction transaction, Instant now) {
  now_ = now;
  const std::size_t count = transaction.envelope.recipients.size();
  const bool idle = stage_ == Stage::idle;
  const bool spent = extensions_.mails_max && mails_ >= *extensions_.mails_max;
  if (idle) {
    std::erase_if(actions_, [](const client::Action& each) {
      return std::holds_alternative<client::Ready>(each);
    });
  }
  if (!idle || spent) {
    actions_.emplace_front(
        client::TransactionDone{untried(count, "the session takes no message now"), false});
    if (idle) become_ready();
    return;
  }
  transaction_ = std::move(transaction);
  results_ = untried(count, "");
  steps_.assign(count, RecipientStep::unsent);
  next_recipient_ = 0;
  stuffer_ = {};
  body_taken_ = 0;
  in_transaction_ = true;
  mail_sent_ = mail_accepted_ = content_asked_ = body_ended_ = handed_out_ = false;
  armed_at_ = now_;
  if (!reader_.is_empty()) return fail_protocol("bytes that nobody asked for");
  stage_ = Stage::commands;
  plan_recipients();
  if (std::ranges::count(steps_, RecipientStep::unsent) == 0) return conclude();
  ++mails_;
  const bool chunking = extensions_.has(Extension::chunking) &&
                        (transaction_.needs.binary || options_.variant == ClientVariant::smtp);
  const bool early = extensions_.has(Extension::pipelining) &&
                     options_.variant == ClientVariant::smtp &&
                     transaction_.body_bytes <= options_.early_body_bytes_max;
  delivery_ = !chunking ? Delivery::data : early ? Delivery::early_bdat : Delivery::bdat;
  issue();
}

// Which recipients go into this transaction (RFC 9422 section 4).
void ClientSession::plan_recipients() {
  const client::PeerFacts peer{extensions_, tls_on_};
  const auto refusal = client::check_message(transaction_, peer);
  std::set<std::string_view> domains;
  std::size_t planned = 0;
  for (std::size_t i = 0; i < results_.size(); ++i) {
    const mail::Recipient& recipient = transaction_.envelope.recipients[i];
    steps_[i] = RecipientStep::settled;
    if (const auto own = refusal ? refusal : client::check_recipient(recipient, peer)) {
      results_[i].outcome = Outcome::refused;
      results_[i].ours = true;
      results_[i].reply = *own;
      continue;
    }
    const bool new_domain = !domains.contains(recipient.address.domain);
    const bool room =
        planned < extensions_.recipients_max.value_or(UINT32_MAX) &&
        (!new_domain || domains.size() < extensions_.recipient_domains_max.value_or(UINT32_MAX));
    if (!room) {
      results_[i].what = "the peer takes no more recipients in one transaction (LIMITS)";
      continue;
    }
    domains.insert(recipient.address.domain);
    ++planned;
    steps_[i] = RecipientStep::unsent;
  }
}

void ClientSession::issue() {
  const bool pipelining = extensions_.has(Extension::pipelining);
  for (std::size_t i = 0; i < (pipelining ? pipelined_commands_max : 1); ++i)
    if (!issue_one()) return;
}

// Says the next command; false when nothing may follow it in the same write.
bool ClientSession::issue_one() {
  using Command = Awaited::Command;
  if (std::exchange(reset_due_, false)) {
    command({Command::reset}, "RSET\r\n");
    return true;
  }
  if (!std::exchange(mail_sent_, true)) {
    command({Command::mail}, client::mail_command(transaction_, extensions_));
    return true;
  }
  const auto unsent =
      std::ranges::find(steps_.begin() + static_cast<std::ptrdiff_t>(next_recipient_),
                        steps_.end(),
                        RecipientStep::unsent);
  next_recipient_ = static_cast<std::size_t>(unsent - steps_.begin());
  if (unsent != steps_.end()) {
    *unsent = RecipientStep::sent;
    const mail::Recipient& recipient = transaction_.envelope.recipients[next_recipient_];
    command({Command::rcpt, next_recipient_}, client::rcpt_command(recipient, extensions_));
    return true;
  }
  // A large body waits until a recipient is taken.
  if (delivery_ == Delivery::bdat && !awaited_.empty()) return false;
  content_asked_ = true;
  if (delivery_ == Delivery::data) {
    command({Command::data}, "DATA\r\n");
  } else {
    out_ += fmt::format("BDAT {} LAST\r\n", transaction_.body_bytes);
    begin_body();
  }
  return false;
}

// All that was said is answered.
void ClientSession::advance() {
  if (stage_ != Stage::commands && stage_ != Stage::final) return;
  if (content_asked_) return conclude();
  const bool hopeless = mail_sent_ && std::ranges::none_of(steps_, [](RecipientStep step) {
                          return step == RecipientStep::unsent || step == RecipientStep::taken;
                        });
  if (!hopeless) return issue();
  reset_due_ = mail_accepted_;
  conclude();
}

void ClientSession::on_mail(const Reply& reply) {
  mail_accepted_ = is_positive(reply);
  if (mail_accepted_) return;
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (is_open(i)) settle(i, Outcome::refused, Phase::mail, reply);
}

void ClientSession::on_rcpt(std::size_t index, const Reply& reply) {
  if (!is_open(index)) return;  // after a refused MAIL
  if (is_positive(reply)) {
    steps_[index] = RecipientStep::taken;
    return;
  }
  const bool full = says_too_many(reply) && has_taken();
  settle(index, full ? Outcome::not_tried : Outcome::refused, Phase::rcpt, reply);
  if (full) results_[index].what = "the peer takes no more recipients in one transaction";
}

void ClientSession::on_data(const Reply& reply) {
  if (is_positive(reply)) return fail_protocol("DATA needs 354", reply);
  if (!is_intermediate(reply)) {
    settle_open(Outcome::refused, Phase::data, reply);
    reset_due_ = mail_accepted_;
    return conclude();
  }
  if (has_taken()) return begin_body();
  // RFC 2920 section 3.1: no recipient was taken, and yet the peer waits for a message.
  if (options_.variant == ClientVariant::lmtp)
    return fail_protocol("354 without a recipient", reply);
  stage_ = Stage::final;
  command({Awaited::Command::final}, ".\r\n");
}

void ClientSession::begin_body() {
  stage_ = Stage::body;
  out_.reserve(out_.size() +
               std::min<std::uint64_t>(transaction_.body_bytes + 64, buffered_bytes_max));
  if (transaction_.body_bytes == 0) end_body();
}

void ClientSession::on_body(std::string_view bytes) {
  if (stage_ != Stage::body) return;
  if (bytes.empty()) return on_body_failed("it is shorter than it was said to be");
  if (bytes.size() > transaction_.body_bytes - body_taken_)
    return on_body_failed("it is longer than it was said to be");
  body_taken_ += bytes.size();
  if (delivery_ == Delivery::data) {
    stuffer_.append(bytes, out_);
  } else {
    out_ += bytes;
  }
  if (body_taken_ == transaction_.body_bytes) end_body();
}

void ClientSession::end_body() {
  if (delivery_ == Delivery::data) stuffer_.finish(out_);
  body_ended_ = true;
  stage_ = Stage::final;
  if (options_.variant == ClientVariant::smtp) {
    awaited_.push_back({Awaited::Command::final});
    return;
  }
  for (std::size_t i = 0; i < steps_.size(); ++i)  // RFC 2033 section 4.2
    if (steps_[i] == RecipientStep::taken) awaited_.push_back({Awaited::Command::final, i});
}

void ClientSession::on_body_failed(std::string_view reason) {
  if (stage_ != Stage::body) return;
  fail({.kind = Kind::body_failed,
        .phase = Phase::body,
        .reply = {},
        .what = fmt::format("the message cannot be read: {}", reason)});
}

void ClientSession::on_final(std::size_t index, const Reply& reply) {
  const Outcome outcome = is_positive(reply) ? Outcome::accepted : Outcome::refused;
  // RFC 3030 section 2: after a refused BDAT only RSET makes the peer's state certain.
  if (delivery_ != Delivery::data && outcome == Outcome::refused) reset_due_ = true;
  if (options_.variant == ClientVariant::lmtp) return settle(index, outcome, Phase::final, reply);
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (steps_[i] == RecipientStep::taken) settle(i, outcome, Phase::final, reply);
}

// The peer answers before it has the whole message. A no counts; a yes cannot be meant. Either way
// the two sides no longer agree on where they are.
void ClientSession::on_early_reply(const Reply& reply) {
  if (!is_positive(reply) && !is_intermediate(reply))
    settle_open(Outcome::refused, Phase::body, reply);
  fail_protocol("the peer answered before the end of the message", reply);
}

bool ClientSession::has_taken() const {
  return std::ranges::find(steps_, RecipientStep::taken) != steps_.end();
}

bool ClientSession::is_open(std::size_t index) const {
  return steps_[index] != RecipientStep::settled;
}

void ClientSession::settle(std::size_t index, Outcome outcome, Phase phase, const Reply& reply) {
  if (!is_open(index)) return;
  steps_[index] = RecipientStep::settled;
  results_[index].outcome = outcome;
  results_[index].phase = phase;
  results_[index].reply = reply;
}

void ClientSession::settle_open(Outcome outcome, Phase phase, const Reply& reply) {
  for (std::size_t i = 0; i < steps_.size(); ++i) settle(i, outcome, phase, reply);
}

// The session ends within the transaction. 421 is the peer's word to all that it has not answered;
// otherwise nobody knows.
void ClientSession::lose_open(const client::SessionFailed& failure) {
  bool lost = false;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (!is_open(i)) continue;
    if (failure.kind == Kind::shutting_down && failure.reply) {
      settle(i, Outcome::refused, failure.phase, *failure.reply);
    } else {
      settle(i, mail_sent_ ? Outcome::lost : Outcome::not_tried, failure.phase, {});
      results_[i].what = failure.what;
      lost = true;
    }
  }
  in_transaction_ = false;
  actions_.emplace_back(client::TransactionDone{std::move(results_), lost && handed_out_});
}

void ClientSession::conclude() {
  in_transaction_ = false;
  actions_.emplace_back(client::TransactionDone{std::move(results_), false});
  become_ready();
}

}  // namespace tapal::smtp
