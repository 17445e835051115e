#include "app/sendmail/sendmail.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <sysexits.h>
#include <unistd.h>

#include "app/commands/commands.h"
#include "app/sendmail/drops.h"
#include "app/settings/settings.h"
#include "drivers/files/drop_folder.h"

namespace tapal::app {
namespace {

using Mode = SendmailOptions::Mode;

int refuse(int code, std::string_view what) {
  fmt::print(stderr, "sendmail: {}\n", what);
  return code;
}

// The settings are the administrator's to read; who may not has the place that is everybody's.
std::filesystem::path place_for_mail(const CommonOptions& common) {
  const auto settings = load_settings(common.config);
  return drop_folder(settings ? settings->state_folder : Settings().state_folder);
}

Result<void> leave(const std::filesystem::path& folder, const queue::DroppedMail& mail) {
  return files::leave_drop(folder, queue::to_text(mail));
}

// As far as a line with a dot alone, unless that is text.
Result<std::string> read_input(const SendmailOptions& options) {
  std::string text;
  std::array<char, 65536> buffer{};
  for (std::size_t looked_at = 0;;) {
    const auto count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(Code::internal, "standard input cannot be read");
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > queue::dropped_message_bytes_max)
      return fail(
          Code::full,
          fmt::format("the message is longer than {} bytes", queue::dropped_message_bytes_max));
    while (!options.dot_is_text) {
      const auto end = text.find('\n', looked_at);
      if (end == std::string::npos) break;
      const auto line = std::string_view(text).substr(looked_at, end - looked_at);
      if (line == "." || line == ".\r") return text.substr(0, looked_at);
      looked_at = end + 1;
    }
  }
}

int code_of(Code code) {
  switch (code) {
    case Code::invalid: return EX_DATAERR;
    case Code::denied: return EX_NOPERM;
    case Code::not_found: return EX_UNAVAILABLE;
    default: return EX_TEMPFAIL;
  }
}

int deliver(const CommonOptions& common, const SendmailOptions& options) {
  const auto text = read_input(options);
  if (!text)
    return refuse(text.error().code == Code::full ? EX_DATAERR : EX_IOERR, text.error().what);
  const auto mail = sendmail_mail(options, *text);
  if (!mail)
    return refuse(mail.error().code == Code::not_found ? EX_USAGE : EX_DATAERR, mail.error().what);
  if (mail->message.size() > queue::dropped_message_bytes_max)
    return refuse(EX_DATAERR, "the message is too long");
  if (const auto left = leave(place_for_mail(common), *mail); !left)
    return refuse(code_of(left.error().code),
                  left.error().what + " (is tapal set up here? its server makes that folder)");
  return EX_OK;
}

int converse(const CommonOptions& common) {
  run_sendmail_dialogue(
      STDIN_FILENO, STDOUT_FILENO, [folder = place_for_mail(common)](const auto& mail) {
        return leave(folder, mail);
      });
  return EX_OK;
}

// Another command of tapal.
int run(const CommonOptions& common, const std::vector<std::string>& words) {
  const auto config = common.config.string();
  std::vector<const char*> all{"tapal", "--config", config.c_str()};
  all.reserve(all.size() + words.size());
  for (const auto& word : words) all.push_back(word.c_str());
  return run_command_line(static_cast<int>(all.size()), all.data());
}

}  // namespace

int run_sendmail(const CommonOptions& common, Mode mode, const std::vector<std::string>& words) {
  const auto options = read_sendmail_options(mode, words);
  if (!options) return refuse(EX_USAGE, options.error().what);
  const auto code_of_command = [](int code) { return code == exit_done ? EX_OK : EX_UNAVAILABLE; };
  switch (options->mode) {
    case Mode::deliver: break;
    case Mode::smtp: return converse(common);
    case Mode::list_queue: return code_of_command(run(common, {"queue", "list"}));
    case Mode::retry_queue: return code_of_command(run(common, {"queue", "retry", "--all"}));
    case Mode::rebuild_aliases: return code_of_command(run(common, {"reload"}));
  }
  return deliver(common, *options);
}

// For --help: the words behind it are sendmail's own, and run_command_line() takes them as they
// are.
void declare_sendmail(const Command& tapal) {
  tapal
      .add("sendmail",
           "hand a message to the server, as programs expect it of sendmail(8)",
           "sendmail -t -i < message")
      .runs([](const auto& common) { return run_sendmail(common, Mode::deliver, {}); });
}

}  // namespace tapal::app
