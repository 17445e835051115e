// Who rents out machines that send mail, how one is recognised, and what a person does there: the
// name of an address (reverse DNS), and port 25 outwards. Where there is an API for names, it has
// the same short name in drivers/dnsapi/reverse_apis.h.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tapal::provision {

using HosterSigns = std::array<std::string_view, 4>;  // in lower case; empty ones are none

struct Hoster {
  std::string_view name;   // "hetzner"
  std::string_view title;  // "Hetzner"
  // Exact steps: where to go, and what to enter. For steps_for().
  std::string_view reverse_steps;
  std::string_view port_25_steps;
  // Any of them tells it.
  HosterSigns machine_vendors;       // begins /sys/class/dmi/id/sys_vendor
  HosterSigns organisations;         // a part of a name in RDAP's answer
  HosterSigns host_suffixes;         // of the names that its addresses have at first
  std::string_view metadata_url;     // answers with 200 on its machines; or empty
  std::string_view metadata_header;  // "Name: value", sent with it; or empty
};

// In alphabetical order of their names. The last resort for all others is other_hoster().
std::span<const Hoster> hosters();
const Hoster* find_hoster(std::string_view name);
const Hoster& other_hoster();

struct HosterFacts {
  std::string machine_vendor;              // the text of sys_vendor
  std::vector<std::string> answered;       // hosters whose metadata_url answered
  std::vector<std::string> organisations;  // names of entities and networks in RDAP's answer
  std::vector<std::string> reverse_names;  // of the machine's addresses
};
// The surest sign first, in the order of the facts. Null: none tells.
const Hoster* recognised_hoster(const HosterFacts& facts);

// `steps` with the machine's own name and address where they say {host} and {address}, and a text
// to send to the hoster where they say {ticket}.
std::string steps_for(std::string_view steps, std::string_view host, std::string_view address);

}  // namespace tapal::provision
