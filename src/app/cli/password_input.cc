#include "app/cli/password_input.h"

#include <cstdio>
#include <iostream>
#include <utility>

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include "drivers/files/files.h"
#include "drivers/system/random.h"
#include "protocols/sasl/mechanism.h"
#include "values/crypto/hash.h"
#include "values/crypto/password.h"
#include "values/crypto/scram_keys.h"

namespace tapal::app {
namespace {

// While it lives, what is typed does not show.
class NoEcho {
 public:
  NoEcho() : changed_(tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!changed_) return;
    auto quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  ~NoEcho() {
    if (changed_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  termios before_{};
  bool changed_;
};

std::string first_line(std::string text) {
  if (const auto end = text.find_first_of("\r\n"); end != std::string::npos) text.resize(end);
  return text;
}

Result<std::string> type_in(std::string_view prompt) {
  fmt::print(stderr, "{}: ", prompt);
  std::string line;
  {
    const NoEcho quiet;
    if (!std::getline(std::cin, line)) return fail(Code::invalid, "no password was given");
  }
  fmt::print(stderr, "\n");
  return line;
}

}  // namespace

Result<std::string> read_password(const PasswordSource& source, Ask ask) {
  if (!source.file.empty() && source.file != "-") {
    TAPAL_TRY(auto text, files::read_file(source.file, 4096));
    return first_line(std::move(text));
  }
  if (source.file == "-" || isatty(STDIN_FILENO) == 0) {
    std::string line;
    if (!std::getline(std::cin, line) || line.empty())
      return fail(Code::invalid,
                  "no password on standard input; --password-file FILE reads it from a file");
    return first_line(std::move(line));
  }
  TAPAL_TRY(auto password, type_in("password"));
  if (ask == Ask::once) return password;
  TAPAL_TRY(auto again, type_in("once more"));
  const bool same = crypto::constant_time_equal(password, again);
  crypto::wipe(again);
  if (!same) return fail(Code::invalid, "the two passwords differ");
  return password;
}

std::string generate_password() { return account::readable_password(SystemRandom().bytes(25)); }

Result<account::Credentials> make_credentials(const std::string& password,
                                              const crypto::PasswordCost& cost) {
  TAPAL_TRY(const auto prepared, sasl::prepared(password));
  TAPAL_TRY(auto hash, crypto::hash_password(prepared, cost));
  const auto salt = SystemRandom().bytes(16);
  return account::Credentials{std::move(hash), crypto::derive_scram_keys(prepared, salt).text()};
}

}  // namespace tapal::app
