// Settings of what other servers bear, beside the table of providers.
#include "app/settings/binding.h"
#include "app/settings/rows.h"

namespace tapal::app {
namespace {

using namespace binding;

constexpr SettingRow shaping_table[] = {
    {"shaping.connections_at_first",
     field<Count, TAPAL_FIELD(shaping.connections_per_site_at_first)>(),
     {1, 10'000},
     "Connections at once to a site that we know nothing of; one more for each round that goes "
     "well, up to `delivery.connections_per_destination_max`, one less for each attempt that "
     "fails."},
    {"shaping.down_at_first",
     field<Span, TAPAL_FIELD(shaping.down_at_first)>(),
     {1 * second, 1 * hour},
     "How long a site at which a round of attempts failed is left alone before one message asks "
     "whether it is back; doubled each time it is not."},
    {"shaping.down_max",
     field<Span, TAPAL_FIELD(shaping.down_max)>(),
     {1 * second, 1 * day},
     "The longest such wait."},
    {"shaping.messages_per_user",
     optional_field<Rate, TAPAL_FIELD(shaping.messages_per_user)>(),
     {},
     "Messages that leave for one of our users in a time, whatever the site; a message to several "
     "sites counts for each. More wait.",
     "no limit",
     "\"500/1h\""},
    {"shaping.messages_per_sender_domain",
     optional_field<Rate, TAPAL_FIELD(shaping.messages_per_sender_domain)>(),
     {},
     "The same for the domain of the return path.",
     "no limit",
     "\"10000/1d\""},
    {"shaping.connections_per_user_max",
     optional_field<Count, TAPAL_FIELD(shaping.connections_per_user_max)>(),
     {1, 10'000},
     "Connections at once with mail of one of our users.",
     "no limit",
     "20"},
    {"shaping.bulk_users",
     list<Text, TAPAL_FIELD(bulk_users)>(),
     {},
     "Users whose mail goes after everybody else's. Other mail is bulk when it is a list's "
     "(List-Id, List-Unsubscribe, Precedence) or says so (MT-Priority below 0, RFC 6758).",
     "",
     "\"newsletter@example.org\""},
};

}  // namespace

std::span<const SettingRow> shaping_rows() { return shaping_table; }

}  // namespace tapal::app
