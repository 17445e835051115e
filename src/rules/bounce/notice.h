// Notices to senders: which are due for a queued message, and their making (RFC 3461, RFC 3464).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/queue_id.h"
#include "base/time.h"
#include "rules/queue/message.h"
#include "values/mail/envelope.h"

namespace tapal::bounce {

struct NoticePolicy {
  std::chrono::seconds delay_notice = std::chrono::hours(4);  // 0: never tell of delays
  std::chrono::seconds give_up = std::chrono::days(5);        // told as Will-Retry-Until
  std::uint64_t returned_bytes_max = 64 * 1024;  // larger messages return their header only
};

// A recipient that came to an end nobody is told of, and why: for the log.
struct Untold {
  std::size_t recipient = 0;
  std::string_view reason;
  bool operator==(const Untold&) const = default;
};

// Recipients by their index in Message::recipients.
struct DueNotices {
  std::vector<std::size_t> outcomes;  // failed, or delivered where NOTIFY=SUCCESS: one notice
  std::vector<std::size_t> delays;    // another
  std::vector<Untold> untold;         // failed; mark them sender_told as if they were told
  bool operator==(const DueNotices&) const = default;
};

// Never in answer to the null sender, nor to mail that nobody authenticated. A recipient that was
// handed to a server with DSN gets its success notice from there: whoever delivers sets sender_told
// then. Whoever commits a notice sets sender_told or sender_told_of_delay with it.
DueNotices due_notices(const queue::Message& message, WallTime now, const NoticePolicy& policy);

// How much of the original the notice needs: RET=FULL for failures, within the policy's size;
// else the header (RFC 3461 section 4.3).
mail::ReturnContent content_to_return(const queue::Message& message,
                                      const std::vector<std::size_t>& recipients,
                                      const NoticePolicy& policy);

struct NoticeInput {
  std::string host;  // our name: the reporting server
  QueueId id;        // of the notice
  WallTime now{};
  std::string random_bytes;             // 16 or more, fresh for each notice
  std::vector<std::size_t> recipients;  // from DueNotices::outcomes or ::delays, never both
  mail::ReturnContent returned = mail::ReturnContent::headers;
  std::string_view original;  // as content_to_return() says: the whole message, or its header
};

// A message for the queue: null return path, Origin::Kind::notice, due at once. It needs DKIM and
// nothing else.
struct Notice {
  queue::Message message;
  std::string text;
};

Notice make_notice(const queue::Message& message,
                   const NoticeInput& input,
                   const NoticePolicy& policy);

}  // namespace tapal::bounce
