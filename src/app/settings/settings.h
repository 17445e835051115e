// tapal.toml as typed values. What each setting is called, means and may be stands in the table of
// settings_table.cc; the sample file and docs/settings.md come from there.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/connection_count.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "drivers/net/tls.h"
#include "drivers/resolver/unbound_resolver.h"
#include "drivers/rocksdb/rocksdb_store.h"
#include "ports/log.h"
#include "protocols/acme/challenge.h"
#include "protocols/smtp/client_session.h"
#include "protocols/smtp/server_options.h"
#include "rules/forward/plan.h"
#include "rules/provision/outside.h"
#include "rules/queue/retry.h"
#include "rules/shaping/shaper_options.h"
#include "services/delivery/options.h"
#include "services/intake/authenticator.h"
#include "services/judge/options.h"
#include "services/upkeep/key_options.h"

namespace tapal::app {

struct ListenSettings {
  std::vector<Endpoint> smtp = {{IpAddress::v4({0, 0, 0, 0}), 25}, {IpAddress{}, 25}};
  std::vector<Endpoint> submission = {{IpAddress::v4({0, 0, 0, 0}), 587}, {IpAddress{}, 587}};
  std::vector<Endpoint> submissions = {{IpAddress::v4({0, 0, 0, 0}), 465}, {IpAddress{}, 465}};
  std::vector<Endpoint> http;   // challenges; everything else is led to https
  std::vector<Endpoint> https;  // policies, settings for mail clients, challenges
  std::string control;          // empty: state_folder/control.sock
};

struct RelaySettings {
  std::vector<IpNetwork> trusted_networks;  // may send to anyone without a password
};

struct CheckSettings {
  std::chrono::seconds time_max{20};  // for all of DNS that the checks of one message ask
};

struct ForwardSettings {
  forward::Remedies remedies;
  bool arc = true;
  std::chrono::seconds patience{60};  // for a target's answer while the sender waits; 0: none
};

struct TlsSettings {
  std::string certificates_folder;  // empty: certs/ of the configuration folder
  std::string trusted_ca_file;      // empty: the system's
  TlsVersion minimum_version = TlsVersion::tls_1_2;
  bool tickets = true;
};

struct QueueSettings {
  queue::RetryOptions retry;
  std::size_t messages_max = 1'000'000;  // more are answered 452
};

struct MailboxSettings {
  std::string folder;  // empty: state_folder/mail
  bool junk_folder = true;
};

struct ProgramSettings {
  std::size_t at_once_max = 10;
  std::string user;  // empty: tapal's own, unless that is root
};

struct WebhookSettings {
  std::string key_file;  // empty: webhook.key of the configuration folder, which may be absent
};

struct AcmeSettings {
  std::string directory = "letsencrypt";  // a name of protocols/acme/authorities.h, or a URL
  std::vector<std::string> names;         // A-labels, "*." allowed
  std::string contact;
  std::string profile;
  std::vector<acme::ChallengeKind> challenges{
      acme::ChallengeKind::tls_alpn_01, acme::ChallengeKind::http_01, acme::ChallengeKind::dns_01};
  std::string external_account_id;
  std::string external_account_key_file;
  std::string trusted_ca_file;  // empty: as tls.trusted_ca_file
};

struct DoctorSettings {
  bool daily = true;
  std::chrono::seconds first_after{600};  // certificates and DNS come to rest after a start
  provision::Outside outside;
};

// How challenges are shown in DNS where it is not by an account
// (app/certificates/challenge_hook.h).
struct ChallengeHookSettings {
  std::string program;           // a file's name in dns-hooks/; empty: none
  std::string acme_sh;           // path of the user's acme.sh
  std::string acme_sh_script;    // "dns_cf"; empty: none
  std::string environment_file;  // lines NAME=value for either; empty: none
};

enum class LogFormat : std::uint8_t { text, json, journal, automatic };

struct LogSettings {
  LogFormat format = LogFormat::automatic;
  Level level = Level::info;
};

// An account at a DNS provider (app/dnsapi/account.h opens it).
struct DnsAccountSettings {
  std::string provider;          // empty: none
  std::string credentials_file;  // empty: the environment alone
  std::string url;               // of its API; empty: the provider's own
  bool operator==(const DnsAccountSettings&) const = default;
};

struct DnsSettings {
  DnsAccountSettings account;
  std::map<std::string, DnsAccountSettings, std::less<>> zones;  // that another account holds
};

// Keys that change by themselves.
struct KeySettings {
  upkeep::KeyKeeperOptions dkim;
  std::chrono::seconds srs_rotate_every = std::chrono::days(180);  // 0: never
};

struct WorkerSettings {
  std::size_t password_threads = 2;
};

struct Settings {
  std::string hostname;  // never empty once loaded: the system's name where the file has none
  std::string state_folder = "/var/lib/tapal";
  ListenSettings listen;
  RelaySettings relay;
  CheckSettings checks;
  ForwardSettings forward;
  TlsSettings tls;
  smtp::ServerLimits limits;
  ConnectionLimits connections;
  std::uint64_t receiving_memory = 128ULL * 1024 * 1024;  // of all loops together
  QueueSettings queue;
  RocksdbStoreOptions spool;  // its folder is state_folder/spool
  MailboxSettings mailbox;
  ProgramSettings programs;
  WebhookSettings webhook;
  delivery::Options delivery;  // with [routes], and the webhook's key
  shaping::ShaperOptions shaping;
  std::vector<std::string> bulk_users;
  smtp::ClientTimeouts delivery_timeouts;
  ResolverOptions resolver;
  judge::Options filters;
  DnsSettings dns;
  AcmeSettings acme;
  ChallengeHookSettings challenge_hook;
  LogSettings log;
  KeySettings keys;
  DoctorSettings doctor;
  WorkerSettings workers;
  intake::AuthenticatorOptions auth;
  std::map<std::string, std::string> route_password_files;  // route -> file, not yet read

  std::filesystem::path control_socket() const;
  std::filesystem::path mail_folder() const;
  std::filesystem::path certificates_folder(const std::filesystem::path& config) const;
  std::chrono::seconds dkim_expiry() const;  // a signature outlives the last attempt: give_up + 2 d
};

inline constexpr std::string_view settings_file_name = "tapal.toml";
inline constexpr std::string_view webhook_key_file_name = "webhook.key";
inline constexpr std::string_view dns_key_file_name = "dns.key";
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

// Names of the settings that differ: they take effect at the next start.
std::vector<std::string> changes_that_need_restart(const Settings& running, const Settings& loaded);

std::string settings_reference_markdown();  // docs/settings.md
std::string settings_manual();              // tapal.toml(5) behind its NAME, for scdoc(5)
// A complete tapal.toml with every setting commented out but the host name.
std::string sample_settings(std::string_view hostname);

}  // namespace tapal::app
