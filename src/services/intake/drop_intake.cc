#include "services/intake/drop_intake.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "services/intake/local_header.h"
#include "values/mail/header.h"
#include "values/mail/message_id.h"
#include "values/text/ascii.h"
#include "values/text/hex.h"

namespace tapal::intake {
namespace {

using smtp::make_reply;

constexpr std::size_t names_at_once_max = 1000;
constexpr std::chrono::seconds look_again_after{60};  // at what could not be taken before

smtp::Reply taken() { return make_reply(250, "2.0.0", "taken"); }

}  // namespace

DropIntake::DropIntake(DropWorld world)
    : world_(std::move(world)),
      options_(world_.session.options),
      memory_(options_.receiving_memory_max),
      timer_(world_.session.loop.make_timer()) {}

Task<void> DropIntake::run() {
  while (!is_stopped_) {
    is_woken_ = false;
    co_await take_in_all();
    if (!is_woken_ && !is_stopped_)
      co_await timer_->wait_until(world_.session.loop.now() + look_again_after);
  }
}

void DropIntake::wake() {
  is_woken_ = true;
  timer_->cancel();
}

void DropIntake::stop() {
  is_stopped_ = true;
  timer_->cancel();
}

// What must wait (a full disk, a full queue) lets the rest wait, too: it would fare no better.
Task<void> DropIntake::take_in_all() {
  for (;;) {
    auto look = [this] { return world_.folder.names(names_at_once_max); };
    auto names = co_await run_on(world_.workers, world_.session.loop, std::move(look));
    if (!names || !*names || (*names)->empty()) co_return;
    for (const auto& name : **names) {
      if (is_stopped_) co_return;
      if (co_await take_in(name) == Fate::later) co_return;
    }
  }
}

Result<DropIntake::Drop> DropIntake::read(const std::string& name) const {
  TAPAL_TRY(const auto file, world_.folder.read(name));
  TAPAL_TRY(auto mail, queue::read_dropped_mail(file.bytes));
  return Drop{world_.user_of(file.owner), std::move(mail)};
}

Task<DropIntake::Fate> DropIntake::take_in(const std::string& name) {
  auto& loop = world_.session.loop;
  auto read_it = [this, &name] { return read(name); };
  auto got = co_await run_on(world_.workers, loop, std::move(read_it));
  if (!got) co_return Fate::later;
  const auto& drop = *got;
  if (!drop && drop.error().code == Code::not_found) co_return Fate::done;
  if (!drop) {
    const bool is_mail = drop.error().code != Code::invalid;
    world_.session.log.write(Level::warning,
                             is_mail ? "dropped mail waits" : "dropped file thrown away",
                             {{"reason", drop.error().what}});
    if (is_mail) co_return Fate::later;
  } else if (co_await send(*drop, name) == Fate::later) {
    co_return Fate::later;
  }
  auto remove = [this, &name] { return world_.folder.remove(name); };
  const auto removed = co_await run_on(world_.workers, loop, std::move(remove));
  const bool is_gone = removed && *removed;
  if (!is_gone)
    world_.session.log.write(
        Level::error, "dropped mail stays, and may be sent twice", {{"file", name}});
  co_return is_gone ? Fate::done : Fate::later;
}

Task<DropIntake::Fate> DropIntake::send(const Drop& drop, const std::string& name) {
  Transaction transaction(
      world_.session, memory_, Client{Client::Standing::local, drop.user.login}, Endpoint{});
  std::vector<Refused> refused;
  auto reply = co_await submit(drop, transaction, refused);
  if (smtp::is_transient(reply)) {
    world_.session.log.write(
        Level::warning, "dropped mail waits", {{"file", name}, {"reply", smtp::one_line(reply)}});
    co_return Fate::later;
  }
  if (!smtp::is_positive(reply)) {
    refused.clear();
    refused.push_back({{}, std::move(reply)});
  }
  if (!refused.empty()) co_await tell_sender(drop, refused);
  co_return Fate::done;
}

Task<smtp::Reply> DropIntake::submit(const Drop& drop,
                                     Transaction& transaction,
                                     std::vector<Refused>& refused) {
  const auto& limits = options_.limits;
  if (drop.mail.message.size() > limits.message_bytes)
    co_return make_reply(
        552, "5.3.4", fmt::format("longer than the {} bytes allowed", limits.message_bytes));
  if (drop.mail.recipients.size() > limits.recipients)
    co_return make_reply(
        554, "5.5.3", fmt::format("more than the {} recipients allowed", limits.recipients));
  const auto sender = sender_of(drop);
  if (!sender) co_return make_reply(553, "5.1.7", sender.error().what);
  smtp::AskSender from;
  from.envelope.return_path = *sender;
  if (auto no = transaction.begin(from, "localhost", {})) co_return *std::move(no);
  for (const auto& recipient : drop.mail.recipients) {
    auto reply = add(transaction, recipient);
    if (smtp::is_transient(reply)) co_return reply;
    if (!smtp::is_positive(reply)) refused.push_back({recipient, std::move(reply)});
  }
  if (refused.size() == drop.mail.recipients.size()) co_return taken();  // each is told
  if (auto no = transaction.on_bytes(message_of(drop))) co_return *std::move(no);
  Arrival arrival;
  co_return co_await transaction.store(std::move(from.envelope), std::move(arrival));
}

// A name of this machine (root, www-data) that nobody has as an address is the postmaster's: so
// that what the system has to say is not lost.
smtp::Reply DropIntake::add(Transaction& transaction, const std::string& recipient) const {
  const auto address = address_of(recipient);
  if (!address) return make_reply(553, "5.1.3", address.error().what);
  auto refusal = transaction.add({.address = *address});
  if (refusal && !smtp::is_transient(*refusal) && !recipient.contains('@'))
    if (const auto postmaster = address_of("postmaster"))
      refusal = transaction.add({.address = *postmaster});
  return refusal ? *std::move(refusal) : taken();
}

Task<void> DropIntake::tell_sender(const Drop& drop, const std::vector<Refused>& refused) {
  auto& session = world_.session;
  for (const auto& [recipient, reply] : refused)
    session.log.write(Level::warning,
                      "dropped mail refused",
                      {{"user", drop.user.login},
                       {"to", recipient.empty() ? "all" : recipient},
                       {"reply", smtp::one_line(reply)}});
  const auto sender = sender_of(drop);
  const auto postmaster = address_of("postmaster");
  if (!postmaster) co_return;
  auto to = *postmaster;
  if (sender) {
    const auto& named = *sender;
    if (!named) co_return;  // never in answer to the null return path
    to = *named;
  }
  const auto letter = mail::compose(report_on(drop, refused, to));
  Transaction transaction(session, memory_, Client{Client::Standing::local, "tapal"}, Endpoint{});
  smtp::AskSender from;
  from.envelope.body = letter.body;
  from.envelope.smtputf8 = letter.smtputf8;
  auto no = transaction.begin(from, "localhost", {});
  if (!no) no = transaction.add({.address = to});
  if (no && !smtp::is_transient(*no)) no = transaction.add({.address = *postmaster});
  if (!no) no = transaction.on_bytes(letter.text);
  if (no) co_return;
  Arrival arrival;
  co_await transaction.store(std::move(from.envelope), std::move(arrival));
}

mail::DeliveryReport DropIntake::report_on(const Drop& drop,
                                           const std::vector<Refused>& refused,
                                           const mail::Address& to) const {
  auto& session = world_.session;
  mail::DeliveryReport report;
  report.host = options_.host_name;
  report.to = to;
  report.now = session.clock.wall_now();
  report.message_id = mail::make_message_id(session.random.bytes(16), options_.host_name);
  report.boundary = text::to_hex(session.random.bytes(16));
  report.original = drop.mail.message;
  for (const auto& [recipient, reply] : refused) {
    const auto& all = drop.mail.recipients;
    for (const auto& one : recipient.empty() ? all : std::vector{recipient}) {
      mail::RecipientReport told;
      told.recipient = address_of(one).value_or(mail::Address{text::printable(one, 64), {}});
      told.status = reply.status.empty() ? "5.0.0" : reply.status;
      told.reason = smtp::one_line(reply);
      report.recipients.push_back(std::move(told));
    }
  }
  return report;
}

std::string DropIntake::message_of(const Drop& drop) const {
  const std::string_view message = drop.mail.message;
  const auto body_at = mail::header_end(message);
  const auto header = message.substr(0, body_at ? *body_at - 2 : message.size());
  const auto& name = drop.mail.full_name.empty() ? drop.user.full_name : drop.mail.full_name;
  mail::Mailbox author{text::printable(name, 200), {}};
  if (auto user = address_of(drop.user.login)) author.address = *std::move(user);
  auto whole = complete_local_header(header, local_domain(), author);
  return whole.append("\r\n").append(body_at ? message.substr(*body_at) : "");
}

// That of the host's name, or above it; else the first.
std::string DropIntake::local_domain() const {
  const auto domains = world_.session.domains.get()->directory.domains();
  std::string_view above = options_.host_name;
  while (!above.empty()) {
    if (std::ranges::find(domains, above) != domains.end()) return std::string(above);
    const auto dot = above.find('.');
    above = dot == std::string_view::npos ? "" : above.substr(dot + 1);
  }
  return domains.empty() ? options_.host_name : domains.front();
}

Result<mail::Address> DropIntake::address_of(const std::string& text) const {
  return mail::parse_address(text.contains('@') ? text : text + "@" + local_domain());
}

Result<std::optional<mail::Address>> DropIntake::sender_of(const Drop& drop) const {
  if (drop.mail.sender && drop.mail.sender->empty()) return std::nullopt;
  TAPAL_TRY(auto address, address_of(drop.mail.sender.value_or(drop.user.login)));
  return address;
}

}  // namespace tapal::intake
