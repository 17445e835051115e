// The command that programs of a Unix machine hand their mail to, as Sendmail made it known and
// Postfix and Exim have it: `sendmail`, `mailq` and `newaliases`. It needs no server and no rights:
// mail is left in the drop folder (docs/decisions/0030-sendmail.md).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/cli/command.h"
#include "base/result.h"
#include "rules/queue/dropped_mail.h"

namespace tapal::app {

struct SendmailOptions {
  enum class Mode : std::uint8_t {
    deliver,          // a message on standard input
    smtp,             // -bs: a dialogue on standard input and output
    list_queue,       // -bp, mailq
    retry_queue,      // -q
    rebuild_aliases,  // -bi, newaliases
  };
  Mode mode = Mode::deliver;
  bool recipients_in_header = false;  // -t
  bool dot_is_text = false;           // -i, -oi: a line with a dot alone does not end the message
  std::optional<std::string> sender;  // -f, -r; "": the null return path
  std::string full_name;              // -F
  std::vector<std::string> recipients;
};

// What the program is by its name: "/usr/sbin/sendmail", "mailq"; nothing for another.
std::optional<SendmailOptions::Mode> sendmail_mode_of(std::string_view program);

// `words` without the program's name. Options that mean something elsewhere and nothing here are
// accepted. Code::invalid: wrong usage.
Result<SendmailOptions> read_sendmail_options(SendmailOptions::Mode mode,
                                              const std::vector<std::string>& words);

// What to leave for the server. `text` is what the program wrote. Code::invalid: an address, or the
// header where recipients are wanted from it, cannot be read; not_found: there are no recipients.
Result<queue::DroppedMail> sendmail_mail(const SendmailOptions& options, std::string_view text);

// Codes of sysexits(3).
int run_sendmail(const CommonOptions& common,
                 SendmailOptions::Mode mode,
                 const std::vector<std::string>& words);

// -bs: an SMTP dialogue (RFC 5321) on two descriptors; `leave` takes each message.
void run_sendmail_dialogue(int from, int to, std::function<Result<void>(queue::DroppedMail)> leave);

}  // namespace tapal::app
