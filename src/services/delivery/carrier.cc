#include "services/delivery/carrier.h"

#include "values/mail/trace.h"

namespace tapal::delivery {

std::string fields_on_top(const Attempt& attempt, const mail::Recipient& recipient) {
  return mail::return_path_field(attempt.envelope.return_path) +
         mail::delivered_to_field(recipient.address);
}

std::string sender_text(const Attempt& attempt) {
  return attempt.envelope.return_path ? attempt.envelope.return_path->text() : std::string();
}

}  // namespace tapal::delivery
