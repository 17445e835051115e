#include "sim/ledger.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "rules/queue/message_life.h"

namespace tapal::sim {
namespace {

constexpr std::string_view own_domain = "own.example";

std::optional<std::uint64_t> number_after(std::string_view text, std::string_view mark) {
  const auto at = text.find(mark);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + mark.size());
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc()) return {};
  return number;
}

std::optional<std::uint64_t> mail_of(const queue::Message& message) {
  if (message.origin.kind == queue::Origin::Kind::notice) return {};
  return number_after(message.message_id, "<m");
}

// The groups of a delivery report, one for each recipient it tells of.
template <class Each>
void for_each_report(std::string_view notice, const Each& each) {
  constexpr std::string_view mark = "Final-Recipient: rfc822; ";
  for (auto at = notice.find(mark); at != std::string_view::npos; at = notice.find(mark)) {
    notice.remove_prefix(at + mark.size());
    const auto recipient = notice.substr(0, notice.find("\r\n"));
    each(recipient, notice.substr(0, notice.find("\r\n\r\n")));
  }
}

}  // namespace

// Many mails go to the same user of ours; elsewhere each mail has addresses of its own.
std::string Ledger::key(std::string_view recipient, std::uint64_t mail) {
  if (!recipient.ends_with(own_domain)) return std::string(recipient);
  return fmt::format("{}#{}", recipient, mail);
}

Mail& Ledger::submit(std::string sender, std::vector<std::string> recipients, std::string body) {
  const std::uint64_t number = accounts_.size() + 1;
  Account& account = accounts_[number];
  Mail& mail = account.mail;
  mail.number = number;
  mail.sender = std::move(sender);
  mail.recipients = std::move(recipients);
  mail.text = fmt::format(
      "Date: Sun, 22 Nov 2026 00:00:00 +0000\r\nFrom: <{}>\r\nTo: undisclosed-recipients:;\r\n"
      "Message-ID: <m{}@sim.example>\r\nSubject: mail {}\r\n\r\n{}\r\nend of m{}\r\n",
      mail.sender,
      number,
      number,
      body,
      number);
  for (const std::string& recipient : mail.recipients) fates_[key(recipient, number)].mail = number;
  return mail;
}

void Ledger::acknowledged(std::uint64_t mail, QueueId id) {
  chronicle_.tell("mail {} is acknowledged as {}", mail, id.text());
  accounts_.at(mail).acknowledged = true;
  if (!accounts_.at(mail).instances.contains(id.value))
    chronicle_.broken(
        "250 means kept", "mail {} was acknowledged, {} was never stored", mail, id.text());
}

void Ledger::stored(const queue::Message& message) {
  const auto mail = mail_of(message);
  if (!mail) return;
  accounts_.at(*mail).instances.insert(message.id.value);
  instance_[message.id.value] = *mail;
  arrived_[message.id.value] = message.arrived;
  open_.insert(message.id.value);
}

const Ledger::Account* Ledger::account_of(QueueId id) const {
  const auto found = instance_.find(id.value);
  return found == instance_.end() ? nullptr : &accounts_.at(found->second);
}

void Ledger::recovered(const queue::Message& message) {
  const auto mail = mail_of(message);
  if (!mail) return;
  stored(message);
  for (const queue::RecipientState& state : message.recipients) {
    const auto fate = fates_.find(key(state.recipient.address.text(), *mail));
    if (fate == fates_.end() || queue::has_ended(state)) continue;
    // The store's own laws say whether it may have forgotten that.
    for (Receipt& copy : fate->second.copies) copy.forgotten = true;
    fate->second.told.erase(message.id.value);
  }
}

void Ledger::tried(const queue::Message& message, FirstTry::Result result) {
  const auto mail = mail_of(message);
  if (!mail || result == FirstTry::Result::queued) return;
  const auto recipient = message.recipients.front().recipient.address.text();
  Fate& fate = fates_.at(key(recipient, *mail));
  chronicle_.tell("the session of mail {} tells what became of {}", *mail, recipient);
  if (result == FirstTry::Result::refused)
    fate.told.insert(message.id.value);
  else if (fate.copies.empty())
    chronicle_.broken("a session tells the truth", "{} has no copy of mail {}", recipient, *mail);
}

void Ledger::dropped(QueueId id) {
  if (const auto found = instance_.find(id.value); found != instance_.end())
    accounts_.at(found->second).dropped = true;
}

// Nothing, and a broken law, when the mail is not for this recipient or not as it was written.
Fate* Ledger::fate_of(const std::string& recipient, std::string_view text) {
  const auto mail = number_after(text, "Message-ID: <m");
  const auto fate = mail ? fates_.find(key(recipient, *mail)) : fates_.end();
  if (fate == fates_.end() || fate->second.mail != *mail) {
    chronicle_.broken("mail goes to its recipients", "{} got a mail that is not theirs", recipient);
    return nullptr;
  }
  chronicle_.tell("{} has mail {}", recipient, *mail);
  if (!text.ends_with(accounts_.at(*mail).mail.text))
    chronicle_.broken("nothing half is delivered",
                      "{} got mail {} with other content than was submitted",
                      recipient,
                      *mail);
  return &fate->second;
}

void Ledger::delivered(const std::string& recipient, std::string_view text, Receipt receipt) {
  if (Fate* fate = fate_of(recipient, text)) fate->copies.push_back(std::move(receipt));
}

void Ledger::put_into_mailbox(const std::string& user, QueueId id, std::string_view text) {
  Fate* fate = fate_of(user, text);
  if (fate != nullptr && fate->in_mailbox.insert(id.value).second) fate->copies.emplace_back();
}

void Ledger::refused(const std::string& recipient) {
  if (const auto fate = fates_.find(recipient); fate != fates_.end()) fate->second.refused = true;
}

void Ledger::told(QueueId notice, std::string_view text) {
  const auto mail = number_after(text, "Original-Envelope-Id: m");
  if (!mail || !accounts_.contains(*mail)) {
    chronicle_.broken("notices name their mail", "notice {} names no mail", notice.text());
    return;
  }
  for_each_report(text, [&](std::string_view recipient, std::string_view report) {
    if (!report.contains("Action: failed")) return;
    const auto fate = fates_.find(key(recipient, *mail));
    chronicle_.tell("the sender of mail {} is told that {} failed", *mail, recipient);
    if (fate == fates_.end() || fate->second.mail != *mail) {
      chronicle_.broken(
          "notices name their mail", "{} is no recipient of mail {}", recipient, *mail);
      return;
    }
    fate->second.notices.insert(notice.value);
  });
}

void Ledger::removed(QueueId id, WallTime now) {
  open_.erase(id.value);
  const Account* account = account_of(id);
  if (account == nullptr || account->dropped) return;
  for (const std::string& recipient : account->mail.recipients) {
    const Fate& fate = fates_.at(key(recipient, account->mail.number));
    if (fate.copies.empty() && !fate.refused && now < arrived_.at(id.value) + give_up)
      chronicle_.broken("nothing acknowledged is lost",
                        "{} was removed, but {} has no copy and was refused by nobody",
                        id.text(),
                        recipient);
  }
}

// One for each instance, and one more for each copy the server could not know of.
std::uint64_t Ledger::ends_explained(const Account& account, const Fate& fate) {
  const auto unknown = std::ranges::count_if(
      fate.copies, [](const Receipt& receipt) { return !receipt.server_knows(); });
  return account.instances.size() + static_cast<std::uint64_t>(unknown);
}

void Ledger::judge(const Account& account, const std::string& recipient) const {
  const Fate& fate = fates_.at(key(recipient, account.mail.number));
  const auto ends = fate.copies.size() + fate.notices.size() + fate.told.size();
  if (ends == 0 && account.acknowledged && !account.dropped)
    chronicle_.broken("every recipient ends delivered, bounced or queued",
                      "{} of mail {} has neither",
                      recipient,
                      account.mail.number);
  const auto allowed = ends_explained(account, fate);
  if (ends > allowed)
    chronicle_.broken("every recipient ends once",
                      "{} of mail {}: {} copies, {} notices, told {} times, {} ends are explained",
                      recipient,
                      account.mail.number,
                      fate.copies.size(),
                      fate.notices.size(),
                      fate.told.size(),
                      allowed);
}

void Ledger::judge() const {
  for (const auto& [number, account] : accounts_)
    for (const std::string& recipient : account.mail.recipients) judge(account, recipient);
}

Ledger::Sums& Ledger::Sums::operator+=(const Sums& more) {
  mails += more.mails;
  acknowledged += more.acknowledged;
  recipients += more.recipients;
  delivered += more.delivered;
  bounced += more.bounced;
  duplicates += more.duplicates;
  dropped += more.dropped;
  return *this;
}

Ledger::Sums Ledger::sums() const {
  Sums sums;
  for (const auto& [number, account] : accounts_) {
    ++sums.mails;
    if (account.acknowledged) ++sums.acknowledged;
    if (account.dropped) ++sums.dropped;
  }
  for (const auto& [name, fate] : fates_) {
    ++sums.recipients;
    if (!fate.copies.empty()) ++sums.delivered, sums.duplicates += fate.copies.size() - 1;
    if (!fate.notices.empty() || !fate.told.empty()) ++sums.bounced;
  }
  return sums;
}

std::vector<QueueId> Ledger::open_ids() const {
  std::vector<QueueId> ids;
  ids.reserve(open_.size());
  for (const std::uint64_t id : open_) ids.push_back(QueueId{id});
  return ids;
}

}  // namespace tapal::sim
