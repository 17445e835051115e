// Settings of keys that change by themselves.
#include "app/settings/binding.h"
#include "app/settings/rows.h"

namespace tapal::app {
namespace {

using namespace binding;

constexpr SettingRow key_table[] = {
    {"dkim.rotate_every",
     field<Span, TAPAL_FIELD(keys.dkim.rotation.every)>(),
     {0, 3650 * day},
     "The age at which a domain's DKIM key gives way to a new one: by itself where DNS can be "
     "written, else the log reminds of it. 0: never."},
    {"dkim.keep_old",
     field<Span, TAPAL_FIELD(keys.dkim.rotation.keep_old)>(),
     {0, 365 * day},
     "How long an old key stays published when it signs no more: at least as long as a message may "
     "wait in a queue and its signature holds."},
    {"dkim.keep_revoked",
     field<Span, TAPAL_FIELD(keys.dkim.rotation.keep_revoked)>(),
     {0, 365 * day},
     "How long it is then published as revoked, before its record and its file are removed."},
    {"dkim.check_every",
     field<Span, TAPAL_FIELD(keys.dkim.check_every)>(),
     {1 * second, 7 * day},
     "How often DNS is asked whether it still shows our keys; every 5 minutes while one changes."},
    {"dkim.ed25519",
     field<Flag, TAPAL_FIELD(keys.dkim.ed25519)>(),
     {},
     "Whether the next change of keys brings an Ed25519 key beside the RSA one."},
    {"srs.rotate_every",
     field<Span, TAPAL_FIELD(keys.srs_rotate_every)>(),
     {0, 3650 * day},
     "The age at which the key for return paths of forwarded mail gives way to a new one; the one "
     "before is believed until then. 30 days at least, or 0: never."},
};

}  // namespace

std::span<const SettingRow> key_rows() { return key_table; }

}  // namespace tapal::app
