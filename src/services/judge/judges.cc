#include "services/judge/judges.h"

#include <set>

#include "ports/memory_body.h"
#include "values/text/ascii.h"

namespace tapal::judge {
namespace {

bool is_final(Action action) { return action > Action::keep_aside; }

void change_recipients(const Opinion& opinion, Verdict& verdict) {
  if (opinion.added_recipients.empty() && opinion.removed_recipients.empty()) return;
  auto& recipients = verdict.mail.recipients;
  std::set<std::string> keys;
  for (const auto& removed : opinion.removed_recipients) keys.insert(removed.key());
  const auto is_removed = [&keys](const auto& address) { return keys.contains(address.key()); };
  verdict.envelope_changed |= std::erase_if(recipients, is_removed) > 0;
  keys.clear();
  for (const auto& there : recipients) keys.insert(there.key());
  for (const auto& added : opinion.added_recipients) {
    if (!keys.insert(added.key()).second) continue;
    recipients.push_back(added);
    verdict.envelope_changed = true;
  }
}

}  // namespace

std::string_view action_text(Action action) {
  switch (action) {
    case Action::accept: return "accept";
    case Action::keep_aside: return "keep aside";
    case Action::discard: return "discard";
    case Action::defer: return "defer";
    case Action::refuse: break;
  }
  return "refuse";
}

void Judges::add(std::unique_ptr<Judge> judge, WhenDown when_down) {
  seats_.push_back({std::move(judge), when_down});
}

Task<Verdict> Judges::look_at(Mail mail) const {
  Verdict verdict;
  verdict.mail = std::move(mail);
  for (const Seat& seat : seats_) {
    auto opinion = co_await seat.judge->look_at(verdict.mail);
    if (opinion)
      take_in(seat, *std::move(opinion), verdict);
    else
      on_down(seat, opinion.error(), verdict);
    if (is_final(verdict.action)) break;
  }
  co_return verdict;
}

void Judges::on_down(const Seat& seat, const Error& error, Verdict& verdict) const {
  const bool defers = seat.when_down == WhenDown::defer;
  log_.write(Level::warning,
             "a filter cannot judge",
             {{"queue_id", verdict.mail.id.text()},
              {"filter", std::string(seat.judge->name())},
              {"reason", text::printable(error.what)},
              {"outcome", defers ? "defer" : "accept"}});
  if (!defers) return;
  verdict.action = Action::defer;
  verdict.reply =
      smtp::make_reply(451, "4.7.1", "this message cannot be checked now, try again later");
  verdict.by = seat.judge->name();
  verdict.reason = error.what;
}

void Judges::take_in(const Seat& seat, Opinion opinion, Verdict& verdict) const {
  if (opinion.action > verdict.action) {
    verdict.action = opinion.action;
    verdict.reply = std::move(opinion.reply);
    verdict.by = seat.judge->name();
    verdict.reason = std::move(opinion.reason);
  }
  if (is_final(verdict.action)) return;
  if (!opinion.edits.empty()) {
    auto edited = mail::edit_header(verdict.mail.header, opinion.edits);
    if (!edited) return on_down(seat, edited.error(), verdict);
    verdict.mail.header = *std::move(edited);
    verdict.header_changed = true;
  }
  if (opinion.body) {
    verdict.mail.body = std::make_shared<MemoryBody>(*std::move(opinion.body));
    verdict.body_changed = true;
  }
  change_recipients(opinion, verdict);
  if (opinion.return_path) {
    verdict.mail.return_path = *std::move(opinion.return_path);
    verdict.envelope_changed = true;
  }
  if (verdict.mail.recipients.empty()) {  // all were taken out
    verdict.action = Action::discard;
    verdict.by = seat.judge->name();
  }
}

}  // namespace tapal::judge
