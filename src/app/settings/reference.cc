// docs/settings.md and the sample file, from the settings table.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "app/settings/scdoc.h"
#include "app/settings/settings.h"
#include "app/settings/table.h"
#include "values/text/ascii.h"

namespace tapal::app {
namespace {

struct Section {
  std::string_view name;
  std::string_view title;
};

// Every section that a row's name begins with; a row of another one is a defect that a test finds.
constexpr auto sections = std::to_array<Section>({
    {"", "The machine"},
    {"listen", "Where connections are taken"},
    {"relay", "Who may send without a password"},
    {"tls", "Certificates and TLS"},
    {"acme", "Certificates that the server gets by itself"},
    {"limits", "What one client may ask"},
    {"queue", "How long mail is tried"},
    {"spool", "The spool"},
    {"mailbox", "Mail for our own users"},
    {"checks", "Checking mail from outside"},
    {"filters", "Judging mail from strangers"},
    {"forward", "Mail that aliases pass on"},
    {"programs", "Mail for programs"},
    {"webhook", "Mail for web servers"},
    {"delivery", "Sending to other servers"},
    {"delivery.timeouts", "Waiting for other servers"},
    {"sending", "Which addresses mail leaves from"},
    {"shaping", "What other servers bear"},
    {"resolver", "DNS"},
    {"dns", "The account at the DNS provider"},
    {"dkim", "DKIM keys that change by themselves"},
    {"srs", "Keys of rewritten return paths"},
    {"doctor", "The daily look at everything"},
    {"log", "Logging"},
    {"workers", "Work beside the event loops"},
    {"auth", "Passwords"},
});

constexpr std::string_view markdown_head = R"(# Settings

<!-- Written by `./dev docs` from the table in src/app/settings/table.cc; edit that. -->

`tapal.toml` in the configuration folder (`--config DIR`, else `$TAPAL_CONFIG`, else `/etc/tapal`). Every
setting may be left out. `tapal config check` reads the file and tells what is wrong, with line and column.
Relative paths start at the configuration folder.

- A duration is a text of numbers and units, largest first: `"90s"`, `"1h30m"`, `"5d"` (w d h m s ms).
- A size is a number of bytes or a text: `"50MB"` (powers of 1000), `"64KiB"` (powers of 1024).

Settings take effect when the server starts; a reload (SIGHUP, `tapal reload`, or an edit that the running server notices)
checks the file and names those that wait for the next start. Domains, users, aliases, keys and certificates are taken in at once.
)";

constexpr std::string_view markdown_routes = R"(
## `[routes]`: mail that does not follow its MX records

The key is a domain, `"*.domain"` (every name below it) or `"*"` (all mail for other servers); the most exact
one counts. The value is `"host:port"` or a table. A route may lead to private and loopback addresses.

```toml
[routes]
"partner.example" = "mx.partner.example:25"
"*.internal.example" = "[fd00::25]:25"

[routes."*"]
host = "smtp.provider.example"
port = 587
tls = "required"
user = "account"
password_file = "smarthost.password"
```

| field | meaning |
|---|---|
)";

constexpr std::string_view markdown_dns_zones = R"(
## `[dns.zones]`: zones that another account holds

A table for each, with the settings of `[dns]`; it counts for the zone and every name below it.

```toml
[dns.zones."example.org"]
provider = "rfc2136"
credentials_file = "example.org.key"
```
)";

constexpr std::string_view markdown_sources = R"(
## `[sources]` and `[pools]`: several addresses to send from

A table for each source, and one for each pool of them; [operations/sources.md](operations/sources.md) tells more.

```toml
[sources.first]
ipv4 = "192.0.2.1"
ipv6 = "2001:db8::1"
ehlo_name = "out1.example.org"

[sources.second]
ipv4 = "192.0.2.2"
ehlo_name = "out2.example.org"

[pools.news]
sources = ["second"]
domains = ["news.example.org"]
```
)";

constexpr std::string_view sample_routes = R"(
# Mail that does not follow its MX records: a domain, "*.domain" or "*" = "host:port", or a table.
# [routes."*"]
# host = "smtp.provider.example"
# port = 587
# tls = "required"
# user = "account"
# password_file = "smarthost.password"
)";

bool is_in(const SettingRow& row, std::string_view section) {
  const std::size_t dot = row.name.rfind('.');
  return row.name.substr(0, dot == row.name.npos ? 0 : dot) == section;
}

std::string_view key_of(const SettingRow& row) { return row.name.substr(row.name.rfind('.') + 1); }

std::string default_of(const SettingRow& row) {
  Settings settings;
  return row.binding.print(settings);
}

// An example as a whole value; lists have theirs without brackets.
std::string example_of(const SettingRow& row) {
  if (!default_of(row).starts_with('[')) return std::string(row.example);
  return fmt::format("[{}]", row.example);
}

std::string bounds_of(const SettingRow& row) {
  if (!row.binding.choices.empty()) {
    std::string all;
    for (const std::string_view choice : row.binding.choices)
      all += fmt::format("{}`\"{}\"`", all.empty() ? "" : ", ", choice);
    return all;
  }
  const std::string kind(row.binding.kind);
  std::string of = default_of(row).starts_with('[') ? "list of " + kind : kind;
  if (row.bounds.least == row.bounds.most) return of;
  return fmt::format("{}, `{}` to `{}`",
                     of,
                     row.binding.print_bound(row.bounds.least),
                     row.binding.print_bound(row.bounds.most));
}

void append_markdown_row(const SettingRow& row, std::string& page) {
  const std::string value = default_of(row);
  const std::string shown =
      row.default_text.empty() ? fmt::format("`{}`", value) : std::string(row.default_text);
  page += fmt::format("| `{}` | {} | {} | {} |\n", row.name, shown, bounds_of(row), row.help);
}

void append_fields(std::span<const SettingRow> fields, std::string_view of, std::string& page) {
  page += fmt::format("\n| of a {} | may be | meaning |\n|---|---|---|\n", of);
  for (const SettingRow& row : fields)
    page += fmt::format("| `{}` | {} | {} |\n", row.name, bounds_of(row), row.help);
}

void append_manual_row(const SettingRow& row, std::string& page) {
  const auto shown = row.default_text.empty() ? default_of(row) : std::string(row.default_text);
  page += fmt::format(
      "*{}*\n\t{} Default: {}.\n", scdoc_text(row.name), scdoc_text(row.help), scdoc_text(shown));
}

void append_sample_row(const SettingRow& row, std::string& sample) {
  std::string line = "#";
  for (const std::string_view word : text::words(row.help)) {
    if (line.size() + word.size() > 98) sample += std::exchange(line, "#") + "\n";
    line += " ";
    line += word;
  }
  sample += line + "\n";
  if (row.default_text.empty()) {
    sample += fmt::format("# {} = {}\n", key_of(row), default_of(row));
  } else {
    sample +=
        fmt::format("# Default: {}.\n# {} = {}\n", row.default_text, key_of(row), example_of(row));
  }
}

}  // namespace

std::string settings_reference_markdown() {
  std::string page(markdown_head);
  for (const Section& section : sections) {
    page += fmt::format("\n## {}{}\n\n",
                        section.name.empty() ? "" : fmt::format("`[{}]`: ", section.name),
                        section.title);
    page += "| setting | default | may be | meaning |\n|---|---|---|---|\n";
    for (const SettingRow& row : setting_rows())
      if (is_in(row, section.name)) append_markdown_row(row, page);
  }
  page += markdown_routes;
  for (const RouteField& field : route_fields())
    page += fmt::format("| `{}` | {} |\n", field.name, field.help);
  page += markdown_sources;
  append_fields(source_fields(), "source", page);
  append_fields(pool_fields(), "pool", page);
  page += markdown_dns_zones;
  return page;
}

std::string settings_manual() {
  std::string page =
      "\n# DESCRIPTION\n\n_tapal.toml_ in the configuration folder (default _/etc/tapal_). Every "
      "setting may be left out; *tapal config check* tells what is wrong, *tapal config sample* "
      "prints a whole file. Relative paths start at the configuration folder.\n\nA duration is a "
      "text of numbers and units, largest first: \"1h30m\" (w d h m s ms). A size is a number of "
      "bytes or a text: \"50MB\" (powers of 1000), \"64KiB\" (powers of 1024).\n\n# SETTINGS\n";
  for (const Section& section : sections) {
    page += fmt::format("\n## {}{}\n\n",
                        section.name.empty() ? "" : fmt::format("[{}]: ", section.name),
                        section.title);
    for (const SettingRow& row : setting_rows())
      if (is_in(row, section.name)) append_manual_row(row, page);
  }
  page += "\n# SEE ALSO\n\n*tapal*(1), *tapal-aliases*(5)\n";
  return page;
}

std::string sample_settings(std::string_view hostname) {
  std::string sample =
      "# Settings of tapal. Lines with \"#\" show what holds without them; docs/settings.md tells "
      "more.\n\n";
  for (const Section& section : sections) {
    if (!section.name.empty()) sample += fmt::format("\n# {}\n[{}]\n", section.title, section.name);
    for (const SettingRow& row : setting_rows()) {
      if (!is_in(row, section.name)) continue;
      if (row.name != "hostname") {
        append_sample_row(row, sample);
        continue;
      }
      sample += fmt::format("# {}\nhostname = {}\n\n", row.help, toml_quoted(hostname));
    }
  }
  return sample + std::string(sample_routes);
}

}  // namespace tapal::app
