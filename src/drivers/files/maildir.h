// Mailboxes as Maildir folders: <folder>/<domain>/<user>/{tmp,new,cur}, mode 0700, and folders in
// them as Maildir++ has it (".Junk"). Messages are kept with the line ends of files here (LF), as
// readers of Maildir expect.
#pragma once

#include <filesystem>
#include <string>

#include "ports/mailbox.h"
#include "ports/workers.h"

namespace tapal::files {

// `name` is the message's file name under new/, chosen by the caller so that a second delivery of
// the same message replaces the first. Blocks until everything is on stable storage.
Result<void> deliver_to_maildir(const std::filesystem::path& maildir,
                                const std::string& name,
                                std::string_view prefix,
                                const Body& body);

class MaildirMailbox final : public Mailbox {
 public:
  // Both must outlive this object; delivery blocks a worker while the disk syncs.
  MaildirMailbox(std::filesystem::path folder, Workers& workers);

  Task<Result<void>> deliver(
      Loop& loop, MailboxPlace place, BodyPtr body, std::string prefix, QueueId id) override;

  // Where it is; invalid for a user whose name cannot be a folder's, and for a relative path other
  // than junk_folder.
  Result<std::filesystem::path> maildir_of(const MailboxPlace& place) const;
  // "<seconds>.<queue id>-<digest of the user>.tapal": the same for the same message and user.
  static std::string file_name(const mail::Address& user, QueueId id);

 private:
  std::filesystem::path folder_;
  Workers& workers_;
};

}  // namespace tapal::files
