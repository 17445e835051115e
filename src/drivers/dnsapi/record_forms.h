// How records are written where providers keep them: names relative to the zone, data as master
// files have it, TXT with or without quotes.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "values/dns/record.h"

namespace tapal::dnsapi {

// "www" of "www.example.com" in "example.com"; `apex` for the zone's own name. `name` is in it.
std::string relative_name(std::string_view name,
                          std::string_view zone,
                          std::string_view apex = "@");
// The other way round; "", "@" and the zone itself are the zone.
std::string absolute_name(std::string_view relative, std::string_view zone);

// Data in master-file text (dns::data_to_text() writes it). Names without a final dot are complete
// too. Code::invalid when it is not one record of the type.
Result<dns::Data> data_from_content(dns::Type type, std::string_view content);

// A TXT value in one pair of quotes, whatever its length, with \" and \\ for " and \.
std::string quoted_text(std::string_view value);
// A TXT value as providers give it back: strings in quotes, or bare.
std::string text_from_content(std::string_view content);

}  // namespace tapal::dnsapi
