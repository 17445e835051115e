// What this machine knows of itself and of one of its domains, without asking anybody: the doctor's
// starting point. Gathered by the app; nothing in it is secret.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/time.h"
#include "rules/account/domain_settings.h"
#include "rules/provision/outside.h"
#include "values/crypto/certificate.h"

namespace tapal::provision {

struct OwnPort {
  enum class Door : std::uint8_t { relay, submission, submissions } door = Door::relay;
  std::uint16_t port = 25;
  bool operator==(const OwnPort&) const = default;
};

struct OwnSigningKey {  // one that signs, or would
  std::string selector;
  std::string record;  // as it is to be published: "v=DKIM1; k=rsa; p=..."
  int bits = 0;
  std::optional<WallTime> made;
  bool is_held_back = false;  // DNS shows something else, so nothing is signed with it for now
};

struct OwnCertificate {
  std::string name;  // of its folder
  crypto::CertificateFacts facts;
};

// Where mail to an address of ours ends.
struct Delivery {
  enum class Way : std::uint8_t { delivered, refused, endless, elsewhere } way = Way::delivered;
  std::string text;  // "ann@example.com", or why not
};

struct Forward {
  std::string from;  // ann@example.com
  std::string to;    // me@gmail.com
  std::string to_domain;
};

struct QueueFacts {
  std::size_t messages = 0;
  std::size_t waiting = 0;  // recipients
  std::size_t held = 0;
  std::chrono::seconds oldest{0};
};

struct DiskFacts {
  std::string path;
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
};

struct RenewalFacts {
  std::string name;
  std::optional<WallTime> next;
  std::string last_error;  // empty: the last one went well
};

struct BackupFacts {
  bool repository = false;
  std::string remote;                 // empty: none
  std::optional<WallTime> committed;  // last time
  std::size_t not_pushed = 0;         // commits
  std::vector<std::string> changed;   // files, since the last commit
  std::string trouble;                // why nobody could tell the rest; empty: it is told
};

// An account at a DNS provider that the settings name.
struct CredentialFacts {
  std::string provider;  // "cloudflare"
  std::string zone;      // that it reaches for us
  std::string problem;   // "is refused: the token has expired"; empty: it works
  std::string scope;     // the least that must be granted
};

// A file or folder of secrets that others may read.
struct LooseFile {
  std::string path;
  std::uint32_t mode = 0;  // 0644
};

struct Home {
  std::string domain;  // A-labels
  std::string host;    // A-labels; the name in EHLO
  WallTime now{};
  account::Role role = account::Role::receive;
  std::vector<IpAddress> egress;  // what mail leaves from
  bool egress_is_bound = false;   // those are set, and not just what the machine has
  bool on_test_network = false;   // private addresses are meant
  std::vector<OwnPort> ports;
  std::vector<IpNetwork> trusted_networks;
  std::vector<OwnSigningKey> signing_keys;
  std::vector<OwnCertificate> certificates;
  std::vector<Forward> forwards;
  std::function<Delivery(const std::string& address)> where_goes;
  std::string first_user;  // an address that missing roles may go to; empty: nobody
  std::vector<std::string> own_domains;

  Outside outside;
  std::uint16_t delivery_port = 25;
  std::string smarthost;  // mail to all others leaves through it; empty: none

  std::optional<QueueFacts> queue;  // nothing: no server is running
  std::vector<DiskFacts> disks;
  std::optional<std::vector<RenewalFacts>> renewals;  // nothing: certificates are renewed elsewhere
  std::optional<BackupFacts> backup;                  // nothing: not known
  std::vector<CredentialFacts> credentials;
  std::vector<LooseFile> loose_files;
};

}  // namespace tapal::provision
