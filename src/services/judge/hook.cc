#include "services/judge/hook.h"

#include <fmt/format.h>

#include "values/mail/grammar.h"
#include "values/text/ascii.h"
#include "values/text/utf8.h"

namespace tapal::judge {
namespace {

constexpr int refuse_code = 20;
constexpr int keep_aside_code = 21;
constexpr int defer_code = 75;
constexpr std::size_t fields_max = 50;

// A name's value as programs can take it.
std::string clean(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (mail::is_control_char(c)) c = '?';
  return out;
}

std::string last_line(const ProgramEnd& end, std::string_view otherwise) {
  for (const std::string_view output :
       {std::string_view(end.error_output), std::string_view(end.output)})
    if (const auto text = text::trim(output); !text.empty()) {
      const auto line = text.substr(text.rfind('\n') + 1);
      return clean(text::utf8_prefix(text::trim(line), reply_bytes_max));
    }
  return std::string(otherwise);
}

Result<std::vector<mail::HeaderEdit>> read_fields(std::string_view output) {
  std::vector<mail::HeaderEdit> edits;
  for (const std::string_view line : text::split(output, '\n')) {
    const auto text = line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
    if (text::trim(text).empty()) continue;
    if (text::is_blank(text.front()) && !edits.empty()) {  // a fold
      edits.back().body += fmt::format("\n{}", text);
      continue;
    }
    const std::size_t colon = text.find(':');
    if (colon == text.npos || !mail::is_field_name(text.substr(0, colon)) ||
        edits.size() == fields_max)
      return fail(Code::internal,
                  fmt::format("it prints \"{}\": expected up to {} header fields, \"Name: value\"",
                              text::printable(text, 100),
                              fields_max));
    const auto place = static_cast<std::int32_t>(edits.size());  // on top, in their order
    edits.push_back({mail::HeaderEdit::Kind::insert,
                     std::string(text.substr(0, colon)),
                     std::string(text.substr(colon + 1)),
                     place});
  }
  return edits;
}

}  // namespace

std::optional<HookCommand> HookCommand::from_text(std::string_view text) {
  HookCommand command;
  for (const auto word : text::words(text)) command.arguments.emplace_back(word);
  if (command.arguments.empty() || !command.arguments[0].starts_with('/')) return {};
  return command;
}

std::string HookCommand::text() const {
  std::string text;
  for (const auto& argument : arguments) text += (text.empty() ? "" : " ") + argument;
  return text;
}

std::vector<std::string> hook_environment(const Mail& mail) {
  std::vector<std::string> environment;
  const auto add = [&environment](std::string_view name, std::string_view value) {
    environment.push_back(fmt::format("{}={}", name, clean(value)));
  };
  std::string recipients;
  for (const auto& recipient : mail.recipients)
    recipients += (recipients.empty() ? "" : " ") + recipient.text();
  add("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  add("REMOTE_ADDR", mail.peer.text());
  add("REMOTE_NAME", mail.peer_name);
  add("EHLO_DOMAIN", mail.helo);
  add("MAIL_FROM", mail.return_path ? mail.return_path->text() : "");
  add("RCPT_TO", recipients);
  add("AUTH_AS", mail.user);
  add("ON_TLS", mail.tls_version.empty() ? "0" : "1");
  add("TLS_VERSION", mail.tls_version);
  add("SPF_PASS", mail.spf_domain.empty() ? "0" : "1");
  add("QUEUE_ID", mail.id.text());
  return environment;
}

Result<Opinion> hook_opinion(const ProgramEnd& end) {
  if (end.timed_out) return fail(Code::internal, "it took too long");
  if (end.signal != 0) return fail(Code::internal, fmt::format("signal {} ended it", end.signal));
  Opinion opinion;
  switch (end.exit_code) {
    case 0: {
      TAPAL_TRY(opinion.edits, read_fields(end.output));
      return opinion;
    }
    case refuse_code:
      opinion.action = Action::refuse;
      opinion.reason = last_line(end, "refused");
      opinion.reply = smtp::make_reply(554, "5.7.1", opinion.reason);
      return opinion;
    case defer_code:
      opinion.action = Action::defer;
      opinion.reason = last_line(end, "try again later");
      opinion.reply = smtp::make_reply(451, "4.7.1", opinion.reason);
      return opinion;
    case keep_aside_code:
      opinion.action = Action::keep_aside;
      opinion.reason = last_line(end, "kept aside");
      return opinion;
    default:
      return fail(Code::internal,
                  fmt::format("exit code {}: {}", end.exit_code, last_line(end, "no output")));
  }
}

Hook::Hook(HookCommand command, std::chrono::seconds time_max, Loop& loop, Programs& programs)
    : command_(std::move(command)),
      name_("hook " + command_.arguments.front()),
      time_max_(time_max),
      loop_(loop),
      programs_(programs) {}

Task<Result<Opinion>> Hook::look_at(const Mail& mail) {
  ProgramRun run;
  run.arguments = command_.arguments;
  run.environment = hook_environment(mail);
  run.input = mail.header + "\r\n";
  run.more_input = mail.body;
  run.time_max = time_max_;
  TAPAL_CO_TRY(const auto end, co_await programs_.run(loop_, std::move(run)));
  co_return hook_opinion(end);
}

}  // namespace tapal::judge
