// How OVHcloud's API is spoken to: by its DNS zones and by its addresses' reverse names alike.
#pragma once

#include <string_view>

#include "drivers/dnsapi/api_client.h"
#include "drivers/dnsapi/providers.h"
#include "ports/clock.h"

namespace tapal::dnsapi {

// Found in the words of a refusal when the consumer key has no right to this call.
inline constexpr std::string_view ovh_not_granted = "NOT_GRANTED_CALL";

// `clock` must outlive what is made of it. Credentials: application_key, application_secret and
// consumer_key.
ApiDialect ovh_dialect(const AccountOptions& options, Clock& clock);

}  // namespace tapal::dnsapi
