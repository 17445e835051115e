#include "services/delivery/mailbox_carrier.h"

#include <utility>

#include "services/delivery/verdict.h"

namespace tapal::delivery {

Task<AttemptReport> MailboxCarrier::carry(Attempt attempt) {
  AttemptReport report;
  for (std::size_t i = 0; i < attempt.indexes.size(); ++i) {
    const auto& recipient = attempt.envelope.recipients[i];
    MailboxPlace place{recipient.address, recipient.handover.target};
    auto prefix = fields_on_top(attempt, recipient);
    const auto put = co_await mailbox_.deliver(
        loop_, std::move(place), attempt.body, std::move(prefix), attempt.id);
    report.recipients.push_back(attempted(attempt.indexes[i], verdict_of_mailbox(put)));
  }
  co_return report;
}

}  // namespace tapal::delivery
