// Where mail for our own users ends up: mailboxes, and Maildir folders that an alias names.
#pragma once

#include <string>
#include <string_view>

#include "base/queue_id.h"
#include "base/result.h"
#include "base/task.h"
#include "ports/body.h"
#include "ports/loop.h"
#include "values/mail/address.h"

namespace tapal {

// Where our users find what is spam by the look of it.
inline constexpr std::string_view junk_folder = "Junk";

// For whom, and where: the user's own mailbox, junk_folder in it, or the Maildir folder at this
// absolute path.
struct MailboxPlace {
  mail::Address user;
  std::string folder;  // empty: the mailbox itself
};

struct Mailbox {
  virtual ~Mailbox() = default;
  // Puts `prefix` (header lines that end in CRLF: Return-Path, Delivered-To) and then `body` into
  // the mailbox, and comes back to `loop` once both are on stable storage. Giving the same place
  // the same message again replaces the copy that still lies unread in place of adding one.
  // Errors: full (no room on the disk, or too much waiting), denied, invalid (no such name can be
  // a mailbox), internal.
  virtual Task<Result<void>> deliver(
      Loop& loop, MailboxPlace place, BodyPtr body, std::string prefix, QueueId id) = 0;
};

}  // namespace tapal
