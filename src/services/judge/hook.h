// A program of the owner's that judges a message: it is given the message and facts about it, and
// says what it thinks by its exit code.
//
//   exit code   meaning                       what it prints
//   0           accept                        "Name: value" lines are put on top of the header
//   20          refuse for good (554)         the last line is the text of the reply
//   75          try again later (451)         the last line is the text of the reply
//   21          keep aside                    the last line is the reason, for the log
//   any other, a signal, too slow             the hook is broken: what when-down says holds
//
// 20 is what chasquid's post-data hook uses, and so are most names of the environment: such hooks
// run here as they are. 75 is EX_TEMPFAIL of sysexits.h.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ports/loop.h"
#include "ports/programs.h"
#include "services/judge/judge.h"

namespace tapal::judge {

// An absolute path and its arguments, separated by spaces; no shell, no quotes.
struct HookCommand {
  std::vector<std::string> arguments;

  bool operator==(const HookCommand&) const = default;
  static std::optional<HookCommand> from_text(std::string_view text);
  std::string text() const;
};

// PATH, REMOTE_ADDR, REMOTE_NAME, EHLO_DOMAIN, MAIL_FROM, RCPT_TO (separated by spaces), AUTH_AS,
// ON_TLS and SPF_PASS ("1" or "0"), TLS_VERSION, QUEUE_ID. Control characters become "?".
std::vector<std::string> hook_environment(const Mail& mail);

// What the end of a hook means. Code::internal when it is broken.
Result<Opinion> hook_opinion(const ProgramEnd& end);

class Hook final : public Judge {
 public:
  Hook(HookCommand command, std::chrono::seconds time_max, Loop& loop, Programs& programs);
  std::string_view name() const override { return name_; }
  Task<Result<Opinion>> look_at(const Mail& mail) override;

 private:
  HookCommand command_;
  std::string name_;
  std::chrono::seconds time_max_;
  Loop& loop_;
  Programs& programs_;
};

}  // namespace tapal::judge
