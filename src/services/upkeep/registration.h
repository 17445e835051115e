// When a domain was registered and when it expires, by RDAP (RFC 9082, RFC 9083).
#pragma once

#include <string>
#include <string_view>

#include "base/task.h"
#include "ports/http_client.h"
#include "rules/provision/evidence.h"

namespace tapal::upkeep {

// Knows every registry and sends there (RFC 9224 by way of a redirect).
inline constexpr std::string_view rdap_everywhere = "https://rdap.org/";

// Follows redirects, a few. `server` ends in "/". Whatever goes wrong is a part of the answer.
Task<provision::RegistrationFact> ask_registration(HttpClient& http,
                                                   Loop& loop,
                                                   std::string server,
                                                   std::string domain);

// The JSON object of a domain.
provision::RegistrationFact registration_from_json(std::string_view json);

}  // namespace tapal::upkeep
