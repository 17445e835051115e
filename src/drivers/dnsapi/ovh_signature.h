// How OVHcloud's API is spoken to: by its DNS zones and by its addresses' reverse names alike.
#pragma once

#include "drivers/dnsapi/api_client.h"
#include "drivers/dnsapi/providers.h"
#include "ports/clock.h"

namespace tapal::dnsapi {

// Whether it refuses because the consumer key has no right to this very call.
bool ovh_has_not_granted(const http::Response& response);

// `clock` must outlive what is made of it. Credentials: application_key, application_secret and
// consumer_key.
ApiDialect ovh_dialect(const AccountOptions& options, Clock& clock);

}  // namespace tapal::dnsapi
