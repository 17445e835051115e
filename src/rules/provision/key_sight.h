// Whether DNS shows the public half of one of our DKIM keys.
#pragma once

#include <span>

#include "protocols/mailauth/dkim_key_record.h"
#include "rules/provision/key_rotation.h"
#include "values/dns/lookup.h"

namespace tapal::provision {

// From one server's answer for the TXT records at the key's name. More than one record is
// `other`, since what receivers then do is undefined (RFC 6376 section 3.6.2.2).
KeySight key_sight(const crypto::PrivateKey& key, const dns::LookupReply& reply);

// Of all the zone's servers: what they agree on. unknown where they do not, or one could not tell.
KeySight common_sight(std::span<const KeySight> sights);

}  // namespace tapal::provision
