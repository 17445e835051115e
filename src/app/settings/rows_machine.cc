// What the machine and all of the server share.
#include <array>

#include "app/settings/binding.h"
#include "app/settings/rows.h"

namespace tapal::app {
namespace {

using namespace binding;

constexpr std::array<std::string_view, 4> log_formats{"text", "json", "journal", "auto"};
constexpr std::array<std::string_view, 4> log_levels{"debug", "info", "warning", "error"};

// A flag over an enumeration: false leaves it to resolver.servers.
constexpr Binding recursion() {
  return {Flag::kind,
          [](const TomlEntry& entry, const SettingRow&, Settings& into) -> std::string {
            const auto* scalar = std::get_if<TomlScalar>(&entry.value);
            const auto on = scalar ? Flag::read(*scalar) : std::nullopt;
            if (!on) return "expected true or false";
            if (*on) into.resolver.mode = ResolverOptions::Mode::recursion;
            return {};
          },
          [](Settings& from) {
            return Flag::print(from.resolver.mode == ResolverOptions::Mode::recursion);
          },
          [](std::int64_t) -> std::string { return {}; },
          {}};
}

constexpr SettingRow machine_table[] = {
    {"hostname",
     field<HostName, TAPAL_FIELD(hostname)>(),
     {},
     "The name of this machine in mail: greeting, EHLO, Received. Its address should have a PTR "
     "record that leads back to it.",
     "the system's host name",
     "\"mail.example.org\""},
    {"state_folder",
     field<File, TAPAL_FIELD(state_folder)>(),
     {},
     "What the server keeps: the spool, mailboxes, the control socket."},

    {"spool.body_file_threshold",
     field<Bytes, TAPAL_FIELD(spool.body_in_record_bytes_max)>(),
     {0, 16 * mib},
     "A larger message gets a file of its own in the spool."},
    {"spool.memory",
     field<Bytes, TAPAL_FIELD(spool.bodies_in_memory_bytes_max)>(),
     {1 * mib, 1024 * gib},
     "Memory for the bodies of messages that are being taken in; what is over it goes to files."},
    {"resolver.servers",
     list<Place, TAPAL_FIELD(resolver.servers)>(),
     {},
     "DNS servers to ask; none: those of /etc/resolv.conf.",
     "",
     "\"127.0.0.1:53\""},
    {"resolver.recursion",
     recursion(),
     {},
     "Ask the authorities themselves, from the root down, instead of a DNS server."},
    {"resolver.trust_anchor_file",
     optional_field<File, TAPAL_FIELD(resolver.trust_anchor_file)>(),
     {},
     "DNSSEC's root key, as DS or DNSKEY records; an empty text turns validation off.",
     "/usr/share/dns/root.key when it is there",
     "\"/etc/tapal/root.key\""},
    {"resolver.root_hints_file",
     field<File, TAPAL_FIELD(resolver.root_hints_file)>(),
     {},
     "The root servers, for recursion, as a zone file.",
     "built in",
     "\"/usr/share/dns/root.hints\""},
    {"resolver.timeout",
     field<Span, TAPAL_FIELD(resolver.question_timeout)>(),
     {100, 5 * minute},
     "For a question in all."},
    {"resolver.server_timeout",
     field<Span, TAPAL_FIELD(resolver.server_timeout)>(),
     {50, 1 * minute},
     "For one server's reply."},

    {"log.format",
     choice<log_formats, TAPAL_FIELD(log.format)>(),
     {},
     "Lines for people, JSON for machines, or fields in systemd's journal; auto: the journal when "
     "systemd starts us, else text."},
    {"log.level",
     choice<log_levels, TAPAL_FIELD(log.level)>(),
     {},
     "The least grave events that are told."},

    {"workers.password_threads",
     field<Count, TAPAL_FIELD(workers.password_threads)>(),
     {1, 64},
     "Passwords checked at a time; each takes about 20 ms of one core and auth.password_memory."},
};

}  // namespace

std::span<const SettingRow> machine_rows() { return machine_table; }

}  // namespace tapal::app
