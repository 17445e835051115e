#include "services/delivery/program_carrier.h"

#include <string>
#include <utility>
#include <vector>

#include "services/delivery/verdict.h"

namespace tapal::delivery {
namespace {

std::vector<std::string> environment_of(const Attempt& attempt, const mail::Recipient& recipient) {
  const auto& address = recipient.address;
  const auto plus = address.local.find('+');
  const auto original = recipient.original.substr(recipient.original.find(';') + 1);
  return {"PATH=/usr/local/bin:/usr/bin:/bin",
          "SENDER=" + sender_text(attempt),
          "RECIPIENT=" + address.text(),
          "ORIGINAL_RECIPIENT=" + (original.empty() ? address.text() : original),
          "USER=" + address.local.substr(0, plus),
          "EXTENSION=" + (plus == std::string::npos ? "" : address.local.substr(plus + 1)),
          "DOMAIN=" + address.domain,
          "QUEUE_ID=" + attempt.id.text()};
}

}  // namespace

Task<AttemptReport> ProgramCarrier::carry(Attempt attempt) {
  AttemptReport report;
  bool is_stuck = false;  // each of the others would take as long
  for (std::size_t i = 0; i < attempt.indexes.size(); ++i) {
    const auto& recipient = attempt.envelope.recipients[i];
    if (is_stuck) {
      report.recipients.push_back(
          {attempt.indexes[i],
           queue::Attempted::Result::deferred,
           {"4.3.0", "not tried: the program took too long with another recipient's copy", {}}});
      continue;
    }
    ProgramRun run;
    run.arguments = recipient.handover.arguments;
    run.environment = environment_of(attempt, recipient);
    run.input = fields_on_top(attempt, recipient);
    run.more_input = attempt.body;
    run.line_ends = ProgramRun::LineEnds::local;
    run.time_max = time_max_;
    const auto end = co_await programs_.run(loop_, std::move(run));
    is_stuck = end && end->timed_out;
    report.recipients.push_back(attempted(attempt.indexes[i], verdict_of_program(end)));
  }
  co_return report;
}

Task<void> ProgramCarrier::stop() {
  programs_.stop();
  co_return;
}

}  // namespace tapal::delivery
