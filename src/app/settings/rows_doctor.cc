// Settings of the doctor.
#include "app/settings/binding.h"
#include "app/settings/rows.h"

namespace tapal::app {
namespace {

using namespace binding;

constexpr SettingRow doctor_table[] = {
    {"doctor.daily",
     field<Flag, TAPAL_FIELD(doctor.daily)>(),
     {},
     "Whether the server looks at each of its domains once a day, logs what changed, and sends "
     "mail "
     "to postmaster when something got worse."},
    {"doctor.first_after",
     field<Span, TAPAL_FIELD(doctor.first_after)>(),
     {1 * second, 1 * day},
     "When the first look is taken, counted from the start."},
    {"doctor.big_domains",
     list<Text, TAPAL_FIELD(doctor.outside.big_domains)>(),
     {},
     "Domains whose mail servers are asked for a greeting, to see whether port 25 is open."},
    {"doctor.address_lists",
     list<Text, TAPAL_FIELD(doctor.outside.address_lists)>(),
     {},
     "Block lists of addresses; to be on the first one is an error, on others a warning."},
    {"doctor.domain_lists",
     list<Text, TAPAL_FIELD(doctor.outside.domain_lists)>(),
     {},
     "Block lists of domains, in the same way."},
    {"doctor.issuers",
     list<Text, TAPAL_FIELD(doctor.outside.issuers)>(),
     {},
     "Who makes our certificates, as CAA records name them."},
    {"doctor.clock_pages",
     list<Text, TAPAL_FIELD(doctor.outside.clock_pages)>(),
     {},
     "Web pages whose servers' time the clock is compared with."},
};

}  // namespace

std::span<const SettingRow> doctor_rows() { return doctor_table; }

}  // namespace tapal::app
