// What is asked about a message from outside before it is accepted: whether its sender may send it
// (verification.h), what its author's domain wants done if not, and what the filters think of it.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/queue_id.h"
#include "base/task.h"
#include "ports/body.h"
#include "ports/log.h"
#include "protocols/smtp/reply.h"
#include "rules/account/domain_settings.h"
#include "services/intake/verification.h"
#include "services/judge/judges.h"

namespace tapal::intake {

// Of one loop. References outlive every inspection.
struct InspectionWorld {
  Loop& loop;
  Log& log;
  Resolver& resolver;
  const judge::Judges& judges;
  const dns::PublicSuffixes* suffixes = nullptr;  // may be null
};

struct InspectionInput {
  QueueId id;
  std::uint16_t peer_port = 0;
  std::vector<mail::Address> recipients;
  std::string tls_version;  // empty: it came in clear
  std::string tls_cipher;
  std::string header;  // what the filters see: CRLF lines, no blank line
  BodyPtr body;        // behind the blank line
  account::DmarcPractice practice = account::DmarcPractice::honour;
  Instant until;  // for all look-ups
};

struct Inspected {
  mailauth::Findings findings;
  std::string why_aside;   // spam by the look of it: passed on to nobody; empty: it is not
  judge::Verdict verdict;  // what the filters changed
};

class Inspection {
 public:
  // `header_block`: all fields with CRLF line ends, as they came.
  Inspection(VerificationSubject subject, std::string_view header_block)
      : subject_(subject), verification_(std::move(subject), header_block) {}

  void on_body(std::string_view chunk) { verification_.on_body(chunk); }
  // Once, after the whole body. The reply where the message is not to be taken.
  Task<std::expected<Inspected, smtp::Reply>> finish(InspectionWorld world, InspectionInput input);

 private:
  Task<judge::Verdict> judge(InspectionWorld world, InspectionInput input, const Inspected& so_far);

  VerificationSubject subject_;
  Verification verification_;
};

// What a DMARC result comes to here: a refusal, or why the message is kept aside, or neither.
struct DmarcDecision {
  std::optional<smtp::Reply> refusal;
  std::string why_aside;
};
DmarcDecision decide(const mailauth::DmarcResult& dmarc, account::DmarcPractice practice);

}  // namespace tapal::intake
