// When a domain was registered and when it expires, by RDAP (RFC 9083).
#pragma once

#include <string>
#include <string_view>

#include "base/task.h"
#include "rules/provision/evidence.h"
#include "services/upkeep/rdap.h"

namespace tapal::upkeep {

// Whatever goes wrong is a part of the answer.
Task<provision::RegistrationFact> ask_registration(RdapWorld world, std::string domain);

// The JSON object of a domain.
provision::RegistrationFact registration_from_json(std::string_view json);

}  // namespace tapal::upkeep
