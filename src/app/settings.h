// tapal.toml as typed values. What each setting is called, means and may be stands in the table of
// settings_table.cc; the sample file and docs/settings.md come from there.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "drivers/resolver/unbound_resolver.h"
#include "services/delivery/options.h"

namespace tapal::app {

struct ListenSettings {
  std::vector<Endpoint> smtp = {{IpAddress::v4({0, 0, 0, 0}), 25}, {IpAddress{}, 25}};
  std::vector<Endpoint> submission = {{IpAddress::v4({0, 0, 0, 0}), 587}, {IpAddress{}, 587}};
  std::vector<Endpoint> submissions = {{IpAddress::v4({0, 0, 0, 0}), 465}, {IpAddress{}, 465}};
  std::string control;  // empty: state_folder/control.sock
};

struct RelaySettings {
  std::vector<IpNetwork> trusted_networks;  // may send to anyone without a password
};

enum class TlsVersion : std::uint8_t { tls_1_2, tls_1_3 };

struct TlsSettings {
  std::string certificates_folder;  // empty: certs/ of the configuration folder
  std::string trusted_ca_file;      // empty: the system's
  TlsVersion minimum_version = TlsVersion::tls_1_2;
  bool tickets = true;
};

// What one client may ask of the SMTP listeners. Times without a word from the client and in all.
struct LimitSettings {
  std::uint64_t message_bytes = 50'000'000;
  std::size_t recipients_per_message_max = 1000;
  std::size_t header_bytes = 256U << 10U;
  std::size_t command_line_bytes = 4096;
  std::size_t text_line_bytes = 1000;  // with its CRLF (RFC 5321 section 4.5.3.1.6)
  std::size_t errors_max = 10;
  std::size_t commands_max = 100'000;
  std::size_t transactions_max = 10'000;
  std::size_t auth_attempts_max = 3;
  std::chrono::seconds idle{300};
  std::chrono::seconds session{3600};
  std::size_t connections_max = 10'000;
  std::size_t connections_per_address_max = 100;
};

struct QueueSettings {
  std::vector<std::chrono::seconds> retry = {
      std::chrono::minutes(1),  std::chrono::minutes(5), std::chrono::minutes(15),
      std::chrono::minutes(30), std::chrono::hours(1),   std::chrono::hours(2)};
  std::chrono::seconds retry_then_every = std::chrono::hours(4);
  std::chrono::seconds give_up = std::chrono::days(5);
  std::chrono::seconds delay_notice = std::chrono::hours(4);
  double jitter = 0.1;  // a wait is drawn from wait * (1 +- jitter)
  std::size_t messages_max = 1'000'000;
  std::uint64_t disk_reserve = 500'000'000;  // bytes that stay free on the spool's disk
};

struct SpoolSettings {
  std::uint64_t body_file_threshold = 128U << 10U;  // larger bodies get a file of their own
};

struct MailboxSettings {
  std::string folder;  // empty: state_folder/mail
};

// RFC 5321 section 4.5.3.2; delivery.timeouts.connect is in delivery::Options.
struct DeliveryTimeouts {
  std::chrono::seconds greeting = std::chrono::minutes(5);
  std::chrono::seconds ehlo = std::chrono::minutes(5);
  std::chrono::seconds tls = std::chrono::minutes(1);
  std::chrono::seconds mail = std::chrono::minutes(5);
  std::chrono::seconds rcpt = std::chrono::minutes(5);
  std::chrono::seconds data = std::chrono::minutes(2);
  std::chrono::seconds block = std::chrono::minutes(3);
  std::chrono::seconds final_dot = std::chrono::minutes(10);
};

enum class LogFormat : std::uint8_t { text, json, journal, automatic };
enum class LogLevel : std::uint8_t { debug, info, warning, error };

struct LogSettings {
  LogFormat format = LogFormat::automatic;
  LogLevel level = LogLevel::info;
};

struct WorkerSettings {
  std::size_t password_threads = 2;
};

struct AuthSettings {
  std::chrono::seconds cache_lifetime = std::chrono::minutes(5);
  std::uint64_t password_memory = 19U << 20U;  // bytes of argon2id
  std::size_t password_passes = 2;
};

struct Settings {
  std::string hostname;  // never empty once loaded: the system's name where the file has none
  std::string state_folder = "/var/lib/tapal";
  ListenSettings listen;
  RelaySettings relay;
  TlsSettings tls;
  LimitSettings limits;
  QueueSettings queue;
  SpoolSettings spool;
  MailboxSettings mailbox;
  delivery::Options delivery;  // with [routes]
  DeliveryTimeouts delivery_timeouts;
  ResolverOptions resolver;
  LogSettings log;
  WorkerSettings workers;
  AuthSettings auth;
  std::map<std::string, std::string> route_password_files;  // route -> file, not yet read

  std::filesystem::path control_socket() const;
  std::filesystem::path mail_folder() const;
  std::filesystem::path certificates_folder(const std::filesystem::path& config) const;
  std::chrono::seconds dkim_expiry() const;  // a signature outlives the last attempt: give_up + 2 d
};

inline constexpr std::string_view settings_file_name = "tapal.toml";
inline constexpr std::size_t settings_bytes_max = 1U << 20U;
inline constexpr std::size_t settings_problems_max = 50;

// What a settings text came to. Problems are "file:line:column: what, and what was expected"; any
// makes `settings` unfit for use.
struct ParsedSettings {
  Settings settings;
  std::vector<std::string> problems;
};
ParsedSettings parse_settings(std::string_view text, std::string_view file_name);

// The folder's tapal.toml, with the password files it names read and the host name filled in.
// Relative paths are taken from the folder. The Error holds all problems, one a line.
Result<Settings> load_settings(const std::filesystem::path& config_folder);

// --config, else $TAPAL_CONFIG, else /etc/tapal. `option` may be empty.
std::filesystem::path config_folder_path(std::string_view option);

// Names of the settings that differ and take effect only after a restart.
std::vector<std::string> changes_that_need_restart(const Settings& running, const Settings& loaded);

std::string settings_reference_markdown();  // docs/settings.md
// A complete tapal.toml with every setting commented out but the host name.
std::string sample_settings(std::string_view hostname);

}  // namespace tapal::app
