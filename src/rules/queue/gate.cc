#include "rules/queue/gate.h"

namespace tapal::queue {

Sender sender_of(const Message& message) {
  Sender sender{message.origin.user, {}, message.origin.kind == Origin::Kind::forwarded};
  if (message.envelope.return_path) sender.domain = message.envelope.return_path->domain;
  return sender;
}

}  // namespace tapal::queue
