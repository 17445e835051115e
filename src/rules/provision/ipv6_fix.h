// How IPv6 is switched on on a machine: what to write into which file, and what makes it hold.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"

namespace tapal::provision {

// Who sets the machine's addresses.
enum class NetworkManner : std::uint8_t { netplan, ifupdown, other };

struct Ipv6Facts {
  bool is_off = false;  // by sysctl
  NetworkManner manner = NetworkManner::other;
  std::string interface;             // that the way out leads over: "eth0"; empty: not known
  std::optional<IpAddress> address;  // to be the machine's; nothing: not told
};

struct FileToWrite {
  std::string path;  // absolute
  std::string text;
};

struct Ipv6Fix {
  std::vector<FileToWrite> files;  // new ones; none: nothing can be done from here
  std::string commands;            // a line each
};

// Its network is a /64 and its way out fe80::1, as nearly all hosters have it.
Ipv6Fix ipv6_fix(const Ipv6Facts& facts);

}  // namespace tapal::provision
