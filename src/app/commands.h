// The commands of `tapal`, one file each. Every function gives the exit code:
//   0 done, or the answer is yes    1 it failed, or the answer is no
//   2 wrong usage                   3 no server is running to ask
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace tapal::app {

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_no_server = 3;

enum class Output : std::uint8_t { text, json };

// What every command has.
struct CommonOptions {
  std::filesystem::path config;
  Output output = Output::text;
};

// Where a password comes from: a file ("-" is standard input), the environment, or a person at the
// terminal. Never the command line, where everybody on the machine can read it.
struct PasswordSource {
  std::string file;
  enum class Otherwise : std::uint8_t { ask, generate } otherwise = Otherwise::ask;
};

int run_serve(const CommonOptions& common);

struct DemoOptions {
  bool keep = false;
};
int run_demo(const DemoOptions& options);

struct InitOptions {
  std::string domain;
  std::string hostname;  // empty: mail.<domain>
  std::string user = "postmaster";
  std::string state_folder;  // empty: the default
  PasswordSource password;
};
int run_init(const CommonOptions& common, const InitOptions& options);

int run_user_add(const CommonOptions& common,
                 const std::string& address,
                 const PasswordSource& password);
int run_user_passwd(const CommonOptions& common,
                    const std::string& address,
                    const PasswordSource& password);
int run_user_del(const CommonOptions& common, const std::string& address);
int run_user_list(const CommonOptions& common, const std::string& domain);
int run_user_authenticate(const CommonOptions& common,
                          const std::string& address,
                          const PasswordSource& password);

struct DkimKeygenOptions {
  std::string domain;
  std::string selector;           // empty: from the date
  std::string algorithm = "rsa";  // or "ed25519"
  int bits = 2048;
};
struct DkimSignOptions {
  std::string domain;
  std::string selector;
  std::string key_file;
  std::string file;
};
struct DkimVerifyOptions {
  std::string dns_server;  // "host:port"; empty: as the settings or the system say
  std::string file;
};
int run_dkim_keygen(const CommonOptions& common, const DkimKeygenOptions& options);
int run_dkim_dns(const CommonOptions& common, const std::string& domain);
int run_dkim_sign(const DkimSignOptions& options);
// Done when an answer was reached, whatever it is: the first word of each line tells.
int run_dkim_verify(const CommonOptions& common, const DkimVerifyOptions& options);

struct SendOptions {
  std::string user;
  std::string password;  // from the environment or a file
  std::string to;
  std::string from;  // empty: the user
  std::string smtp;  // HOST or HOST:PORT; port 465 is TLS from the first byte, others STARTTLS
  std::string subject;
  std::string ca_file;  // trusted in place of the system's
  enum class Certificate : std::uint8_t { must_hold, any } certificate = Certificate::must_hold;
};
int run_send(const CommonOptions& common, const SendOptions& options);

int run_queue_list(const CommonOptions& common, std::int64_t limit);
int run_queue_show(const CommonOptions& common, const std::string& id);
// `order`: retry, hold, release or drop. `id` may be "all".
int run_queue_order(const CommonOptions& common, const std::string& order, const std::string& id);
int run_why(const CommonOptions& common, const std::string& what);
int run_reload(const CommonOptions& common);

int run_config_check(const CommonOptions& common);
int run_config_reference();
int run_config_sample(const std::string& hostname);
int run_version(const CommonOptions& common);

// argv to one of the above.
int run_command_line(int argc, const char* const* argv);

}  // namespace tapal::app
