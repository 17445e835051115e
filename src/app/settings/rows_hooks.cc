// Settings of the user's own ways to show challenges in DNS.
#include "app/settings/binding.h"
#include "app/settings/rows.h"

namespace tapal::app {
namespace {

using namespace binding;

constexpr SettingRow challenge_hook_table[] = {
    {"acme.dns_hook",
     field<Text, TAPAL_FIELD(challenge_hook.program)>(),
     {},
     "A program in dns-hooks/ of the configuration folder that shows challenges in DNS, instead of "
     "the account of [dns]. It is run with add or remove, the name and the value.",
     "none",
     "\"my-dns\""},
    {"acme.dns_script",
     field<Text, TAPAL_FIELD(challenge_hook.acme_sh_script)>(),
     {},
     "Instead of a program, a script of the dnsapi folder beside your own acme.sh. It is run for "
     "_acme-challenge names only.",
     "none",
     "\"dns_cf\""},
    {"acme.acme_sh",
     field<File, TAPAL_FIELD(challenge_hook.acme_sh)>(),
     {},
     "Where your acme.sh is.",
     "none",
     "\"/root/.acme.sh/acme.sh\""},
    {"acme.dns_environment_file",
     field<File, TAPAL_FIELD(challenge_hook.environment_file)>(),
     {},
     "A file that only its owner may read, with what the program or script finds in its "
     "environment: lines of NAME=value.",
     "none",
     "\"dns-hook.env\""},
};

}  // namespace

std::span<const SettingRow> challenge_hook_rows() { return challenge_hook_table; }

}  // namespace tapal::app
