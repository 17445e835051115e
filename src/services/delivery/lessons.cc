#include "services/delivery/lessons.h"

#include "rules/shaping/site_name.h"

namespace tapal::delivery {

using queue::Attempted;
using shaping::Lesson;
using shaping::Reaction;

namespace {

Lesson::Kind kind_of(Contact contact) {
  switch (contact) {
    case Contact::served: return Lesson::Kind::went_well;
    case Contact::put_off: return Lesson::Kind::put_off;
    case Contact::no_answer: return Lesson::Kind::no_answer;
    case Contact::none:
    case Contact::recipient_put_off: break;
  }
  return Lesson::Kind::nothing;
}

void apply(const shaping::ReplyRule& rule, Attempted& attempted) {
  if (rule.reaction == Reaction::bounce) attempted.result = Attempted::Result::failed;
  if (rule.reaction == Reaction::retry_in) attempted.retry_in = rule.time;
  attempted.note = rule.note;
}

}  // namespace

Lesson take_lesson(AttemptReport& report,
                   const shaping::ProviderTable& providers,
                   std::string_view site) {
  const auto* provider = shaping::provider_of_site(providers, site);
  Lesson lesson{.kind = kind_of(report.contact), .connected_anew = report.connected_anew};
  for (auto& attempted : report.recipients) {
    lesson.accepted |= attempted.result == Attempted::Result::delivered;
    if (attempted.result == Attempted::Result::delivered || attempted.outcome.remote.empty())
      continue;
    lesson.said = attempted.outcome.text;
    const auto* rule = providers.rule_for(provider, attempted.outcome.text);
    if (rule == nullptr) continue;
    if (lesson.rule == nullptr) lesson.rule = rule;
    if (attempted.result == Attempted::Result::deferred) apply(*rule, attempted);
  }
  return lesson;
}

}  // namespace tapal::delivery
