// The formats of zone_export.h that are code: each gives the text of sets that are in `zone`.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "rules/provision/zone_export.h"

namespace tapal::provision {

std::string as_dnscontrol(std::string_view zone, std::span<const ExportedSet> sets);
std::string as_octodns(std::string_view zone, std::span<const ExportedSet> sets);
std::string as_terraform_cloudflare(std::string_view zone, std::span<const ExportedSet> sets);
std::string as_terraform(std::string_view zone, std::span<const ExportedSet> sets);

}  // namespace tapal::provision
