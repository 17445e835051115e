// Records in the forms that other tools and people take: files to import, code to keep, and the
// fields of a provider's form to fill in by hand.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "values/dns/record_set.h"

namespace tapal::provision {

enum class ExportFormat : std::uint8_t {
  bind,                  // a master file (RFC 1035 section 5)
  cloudflare,            // the same with Cloudflare's marks: nothing goes through its proxy
  dnscontrol,            // dnsconfig.js
  octodns,               // a zone's YAML
  terraform_cloudflare,  // resources of Cloudflare's provider, version 5
  terraform,             // a map to make any provider's record sets from
  table,                 // fields to copy by hand
};
const std::vector<std::string>& export_format_names();  // "terraform-cloudflare"
std::optional<ExportFormat> export_format(std::string_view name);

struct ExportedSet {
  dns::RecordSet set;
  std::string comment;  // one line, for people
};

// `zone` is what names are relative to. Sets that are not in it are left out and named in a comment
// at the end: another zone has them. SOA and NS are never written.
std::string export_records(ExportFormat format,
                           std::string_view zone,
                           std::span<const ExportedSet> sets);

// A record as forms ask for it: "Type", "Host", "Value", "Priority", "TTL" and what its type needs.
// The host is without the zone, "@" for the zone itself; names are without a final dot.
using FormFields = std::vector<std::pair<std::string, std::string>>;
FormFields form_fields(const dns::RecordSet& set, const dns::Data& data, std::string_view zone);

// The name without the zone; "@" is the zone itself.
std::string host_in_zone(std::string_view name, std::string_view zone);

}  // namespace tapal::provision
