// What this machine knows of itself and of one of its domains, without asking anybody: the doctor's
// starting point. Gathered by the app; nothing in it is secret.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/time.h"
#include "rules/account/domain_settings.h"
#include "values/crypto/certificate.h"

namespace tapal::provision {

struct OwnPort {
  enum class Door : std::uint8_t { relay, submission, submissions } door = Door::relay;
  std::uint16_t port = 25;
  bool operator==(const OwnPort&) const = default;
};

struct OwnSigningKey {
  std::string selector;
  std::string record;  // as it is to be published: "v=DKIM1; k=rsa; p=..."
  int bits = 0;
  std::optional<WallTime> made;
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
  std::string remote;              // empty: none
  std::optional<WallTime> pushed;  // last time
  bool changed_since = false;      // there are changes that are not committed
};

struct CredentialFacts {
  std::string provider;  // "cloudflare"
  std::string problem;   // "is refused: the token has expired"; empty: it works
};

// A file or folder of secrets that others may read.
struct LooseFile {
  std::string path;
  std::filesystem::perms mode = std::filesystem::perms::none;
};

struct BlockLists {
  // zen.spamhaus.org is asked for by most receivers of the world; it comes first.
  std::vector<std::string> of_addresses = {
      "zen.spamhaus.org", "bl.spamcop.net", "b.barracudacentral.org", "psbl.surriel.com"};
  std::vector<std::string> of_domains = {"dbl.spamhaus.org", "multi.surbl.org", "multi.uribl.com"};
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

  std::vector<std::string> big_domains = {"gmail.com", "yahoo.com", "outlook.com"};
  std::uint16_t delivery_port = 25;
  std::string smarthost;  // mail to all others leaves through it; empty: none
  BlockLists lists;
  std::vector<std::string> clock_pages = {"https://acme-v02.api.letsencrypt.org/directory",
                                          "https://www.google.com/generate_204",
                                          "https://www.cloudflare.com/cdn-cgi/trace"};
  std::vector<std::string> issuers = {"letsencrypt.org"};  // who makes our certificates

  std::optional<QueueFacts> queue;  // nothing: no server is running
  std::vector<DiskFacts> disks;
  std::optional<std::vector<RenewalFacts>> renewals;  // nothing: certificates are renewed elsewhere
  std::optional<BackupFacts> backup;                  // nothing: not known
  std::vector<CredentialFacts> credentials;
  std::vector<LooseFile> loose_files;
};

}  // namespace tapal::provision
