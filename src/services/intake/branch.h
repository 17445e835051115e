// Mail that is passed on to another server leaves under a return path and with header fields of its
// own, so one message taken in can become several: each of them is a branch.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "base/queue_id.h"
#include "ports/body.h"
#include "services/intake/admission.h"
#include "values/mail/envelope.h"

namespace tapal::intake {

// More aliases in one transaction are answered 452: the body is written once for each.
inline constexpr std::size_t branches_max = 100;

struct Branch {
  std::optional<mail::Address> alias;  // nothing: as the message came
  std::vector<mail::Recipient> recipients;
  QueueId id{};
  std::unique_ptr<BodyWriter> body = nullptr;
};

// The message's body: what follows the blank line that the branch's begins with. Good for as long
// as branch.body is.
BodyPtr body_of(const Branch& branch);

// Those that stay as they came first, if there are any.
std::vector<Branch> branches_of(std::vector<Placed> recipients);
std::size_t count_branches(const std::vector<Placed>& recipients);

}  // namespace tapal::intake
