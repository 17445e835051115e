// Settings of accounts at DNS providers.
#include "app/settings/binding.h"
#include "app/settings/rows.h"
#include "drivers/dnsapi/providers.h"
#include "values/text/idna.h"

namespace tapal::app {
namespace {

using namespace binding;

struct ProviderName : Text {
  static constexpr std::string_view kind = "DNS provider",
                                    expected = "a name that `tapal dns providers` lists";
  static std::optional<Value> read(const TomlScalar& scalar) {
    const auto* text = std::get_if<std::string>(&scalar.value);
    if (!text || (!text->empty() && !dnsapi::find_dns_provider(*text))) return {};
    return *text;
  }
};

constexpr SettingRow dns_table[] = {
    {"dns.provider",
     field<ProviderName, TAPAL_FIELD(dns.account.provider)>(),
     {},
     "Who holds the DNS zones of our domains: `tapal dns providers` lists the names. Then records "
     "are written for you; without, they are printed.",
     "none",
     "\"cloudflare\""},
    {"dns.credentials_file",
     field<File, TAPAL_FIELD(dns.account.credentials_file)>(),
     {},
     "A file that only its owner may read, with the credentials: lines of name=value, or the "
     "token alone. What is not in it is taken from the environment.",
     "dns.key in the configuration folder, where that is there",
     "\"/etc/tapal/dns.key\""},
    {"dns.url",
     field<WebAddress, TAPAL_FIELD(dns.account.url)>(),
     {},
     "Where the provider's API is.",
     "the provider's own",
     "\"http://127.0.0.1:8081\""},
};

}  // namespace

std::span<const SettingRow> dns_rows() { return dns_table; }

bool is_dns_zone(const TomlEntry& entry) {
  return entry.path.size() > 1 && entry.path[0] == "dns" && entry.path[1] == "zones";
}

std::string read_dns_zone(const TomlEntry& entry, Settings& settings) {
  const auto name = toml_path_text(entry.path);
  const auto* scalar = std::get_if<TomlScalar>(&entry.value);
  const SettingRow* row =
      entry.path.size() == 4 ? find_setting(fmt::format("dns.{}", entry.path[3])) : nullptr;
  if (scalar == nullptr || row == nullptr)
    return fmt::format(
        "{}: a zone has provider, credentials_file and url; its name stands in quotes: "
        "[dns.zones.\"example.org\"]",
        name);
  const auto zone = text::domain_to_ascii(entry.path[2]);
  if (!zone) return fmt::format("{}: {}", name, zone.error().what);
  auto& account = settings.dns.zones[*zone];
  Settings alone;  // the row reads it as if it stood under [dns]
  alone.dns.account = account;
  if (const auto wrong = row->binding.read(entry, *row, alone); !wrong.empty())
    return fmt::format("{}: {}", name, wrong);
  account = alone.dns.account;
  return {};
}

}  // namespace tapal::app
