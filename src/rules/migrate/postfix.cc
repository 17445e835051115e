#include "rules/migrate/postfix.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/ip_address.h"
#include "rules/migrate/certificates.h"
#include "rules/migrate/delivery.h"
#include "rules/migrate/listen.h"
#include "rules/migrate/logical_lines.h"
#include "rules/migrate/main_cf.h"
#include "rules/migrate/opendkim.h"
#include "rules/migrate/passwd_file.h"
#include "rules/migrate/postfix_domains.h"
#include "rules/migrate/tables.h"
#include "values/text/ascii.h"
#include "values/text/toml.h"

namespace tapal::migrate {
namespace {

// Of postconf(5), as far as it matters here.
constexpr std::string_view defaults =
    "myorigin = $myhostname\n"
    "mydestination = $myhostname, localhost.$mydomain, localhost\n"
    "virtual_alias_maps = $virtual_maps\n"
    "virtual_alias_domains = $virtual_alias_maps\n"
    "virtual_mailbox_domains = $virtual_mailbox_maps\n"
    "alias_maps = hash:/etc/aliases\n"
    "inet_interfaces = all\n"
    "queue_directory = /var/spool/postfix\n"
    "smtpd_sasl_type = cyrus\n"
    "smtpd_tls_key_file = $smtpd_tls_cert_file\n";

// What has no counterpart, and what a person does in its place.
constexpr std::array<std::pair<std::string_view, std::string_view>, 13> unknown{
    {{"relay_domains",
      "a backup MX: make each a domain with role = \"backup-mx\" in its domain.toml"},
     {"transport_maps", "ways to other servers are [routes] of docs/settings.md"},
     {"sender_dependent_relayhost_maps", "a way for each sender is not known here"},
     {"smtpd_milters",
      "filters.milters names milters; OpenDKIM is not needed, mail is signed and checked here"},
     {"non_smtpd_milters", "filters.milters names milters"},
     {"content_filter", "filters.milters, filters.rspamd or filters.hooks judge mail here"},
     {"mailbox_command", "mail for users stays in Maildir folders; an alias hands it to a program"},
     {"home_mailbox", "mail for users stays in the Maildir folders of `mailbox.folder`"},
     {"canonical_maps", "addresses in headers are not rewritten here"},
     {"sender_canonical_maps", "addresses of senders are not rewritten here"},
     {"recipient_canonical_maps", "aliases take its place"},
     {"smtpd_sender_login_maps", "may-send-as= of a users file takes its place"},
     {"always_bcc", "copies of all mail are not kept here"}}};

class PostfixReader {
 public:
  PostfixReader(const OldFiles& files, const PostfixPlaces& places)
      : files_(files), places_(places) {}

  Result<Inventory> read() {
    const auto file = places_.folder + "/main.cf";
    TAPAL_TRY(const auto text, files_.read(file));
    read_main(text);
    inventory_.hostname = text::to_lower(main_.value("myhostname"));
    const auto home = add_postfix_domains(files_, main_, inventory_);
    read_users(home);
    tell_postfix_mailboxes(files_, main_, inventory_);
    read_delivery();
    read_limits();
    read_networks();
    read_certificate();
    read_relay();
    read_listeners();
    add_opendkim_keys(files_, inventory_);
    for (const auto& [name, what] : unknown)
      if (!main_.value(name).empty()) leave(name, what);
    return std::move(inventory_);
  }

 private:
  // $mydomain is $myhostname without its first label, and $myorigin may be a file (Debian).
  void read_main(std::string_view text) {
    auto all = fmt::format("{}myhostname = {}\nconfig_directory = {}\n",
                           defaults,
                           places_.system_hostname,
                           places_.folder);
    const auto host = MainCf::read(text, all).value("myhostname");
    const auto dot = host.find('.');
    all += fmt::format("mydomain = {}\n", dot == host.npos ? host : host.substr(dot + 1));
    main_ = MainCf::read(text, all);
    if (const auto origin = main_.value("myorigin"); origin.starts_with('/')) {
      const auto name = files_.read(origin);
      auto own = fmt::format("{}\nmyorigin = {}\n", text, text::trim(name ? *name : host));
      main_ = MainCf::read(own, all);
    }
  }

  void leave(std::string_view parameter, std::string_view what) {
    inventory_.leave(main_.place(parameter), fmt::format("{}: {}", parameter, what));
  }

  void set(std::string_view setting, std::string value, std::string_view parameter) {
    inventory_.settings.push_back({std::string(setting), std::move(value), main_.place(parameter)});
  }

  void read_users(const std::string& home) {
    if (!places_.passwd_file.empty())
      return add_passwd_file({places_.passwd_text, places_.passwd_file, home}, inventory_);
    if (main_.value("smtpd_sasl_type") == "dovecot")
      return leave("smtpd_sasl_type",
                   "Dovecot has the passwords: name its passwd-file with --passwd-file, and run "
                   "this again");
    if (main_.value("smtpd_sasl_auth_enable") == "yes")
      leave("smtpd_sasl_auth_enable",
            "Cyrus SASL has the passwords (sasldb2, PAM, SQL), in no form that can be taken: "
            "`sasldblistusers2` tells the names of a sasldb2, and `tapal user add` makes them "
            "users");
  }

  // "lmtp:unix:private/dovecot-lmtp", from the queue's folder on, or "lmtp:inet:host:24".
  void read_delivery() {
    for (const std::string_view parameter : {"virtual_transport", "mailbox_transport"}) {
      constexpr std::string_view lmtp = "lmtp:";
      constexpr std::string_view socket = "unix:";
      constexpr std::string_view network = "inet:";
      const auto value = main_.value(parameter);
      if (value.empty() || value == "virtual") continue;
      std::string place = value.starts_with(lmtp) ? value.substr(lmtp.size()) : "";
      if (place.starts_with(socket)) {
        place = place.substr(socket.size());
        if (!place.starts_with('/'))
          place = fmt::format("{}/{}", main_.value("queue_directory"), place);
      } else if (place.starts_with(network)) {
        place = place.substr(network.size());
      }
      const auto target = lmtp_target(place);
      const bool is_other =
          !inventory_.mailbox_target.empty() && inventory_.mailbox_target != target;
      if (place.empty() || is_other)
        leave(parameter,
              fmt::format("mail for users went to {}; here it stays in Maildir folders "
                          "(`mailbox.folder`), and an alias hands it on",
                          text::printable(value, 200)));
      else
        inventory_.mailbox_target = target;
    }
  }

  void read_limits() {
    if (!main_.has("message_size_limit")) return;
    const auto bytes = text::to_number<std::uint64_t>(main_.value("message_size_limit"));
    if (bytes && *bytes > 0)
      set("limits.message_bytes", std::to_string(*bytes), "message_size_limit");
    else
      leave("message_size_limit", "no limit at all is not known here; limits.message_bytes is it");
  }

  void read_networks() {
    if (!main_.has("mynetworks")) return;
    std::vector<std::string> networks;
    for (auto item : main_.list("mynetworks")) {
      std::erase_if(item, [](char c) { return c == '[' || c == ']'; });
      if (const auto network = IpNetwork::from_text(item))
        networks.push_back(text::toml_quoted(network->text()));
      else
        leave("mynetworks", fmt::format("{} is no network", text::printable(item, 80)));
    }
    if (!networks.empty())
      set("relay.trusted_networks", fmt::format("[{}]", fmt::join(networks, ", ")), "mynetworks");
  }

  void read_certificate() {
    auto chain = main_.list("smtpd_tls_chain_files");
    auto key = chain;
    if (chain.empty()) {
      chain = main_.list("smtpd_tls_cert_file");
      key = main_.list("smtpd_tls_key_file");
    }
    if (!chain.empty() && chain.front() != "none" && !key.empty())
      add_certificate(files_, {inventory_.hostname, chain, key}, inventory_);
  }

  void read_relay() {
    const auto relay = main_.value("relayhost");
    if (relay.empty()) return;
    if (!relay.starts_with('['))
      leave("relayhost",
            fmt::format("the host {0} is asked itself, not the MX records of {0}",
                        text::printable(relay, 200)));
    OldRelay found{.host = relay, .user = {}, .password = {}, .place = main_.place("relayhost")};
    std::erase_if(found.host, [](char c) { return c == '[' || c == ']'; });
    const TableUse use{main_.list("smtp_sasl_password_maps"),
                       TableForm::map,
                       "smtp_sasl_password_maps",
                       main_.place("smtp_sasl_password_maps")};
    for (const auto& entry : read_tables(files_, use, inventory_)) {
      const auto colon = entry.value.find(':');
      if (entry.key != relay || colon == std::string::npos) continue;
      found.user = entry.value.substr(0, colon);
      found.password = entry.value.substr(colon + 1);
    }
    inventory_.relay = std::move(found);
  }

  // Services of master.cf that take mail; what listens everywhere is as it is here without a word.
  void read_listeners() {
    const auto file = places_.folder + "/master.cf";
    const auto text = files_.read(file);
    if (!text) return inventory_.leave(file, text.error().what);
    std::map<std::string_view, std::vector<std::string>> found;
    for (const auto& [line, number] : logical_lines(*text)) {
      const auto words = text::words(line);
      const bool takes_mail = words.size() >= 8 && words[1] == "inet" &&
                              (words[7] == "smtpd" || words[7] == "postscreen");
      if (takes_mail) add_listener(words[0], fmt::format("master.cf:{}", number), found);
    }
    for (const auto& [setting, addresses] : found) {
      if (std::ranges::any_of(addresses, [](const auto& each) { return each.starts_with(':'); }))
        continue;
      if (auto value = listen_value(addresses))
        inventory_.settings.push_back({std::string(setting), *std::move(value), "master.cf"});
      else
        inventory_.leave("master.cf", fmt::format("{}: {}", setting, value.error().what));
    }
  }

  struct Port {
    std::string_view name, number, setting;
  };
  void add_listener(std::string_view service,
                    std::string place,
                    std::map<std::string_view, std::vector<std::string>>& found) {
    static constexpr std::array<Port, 4> ports{{{"smtp", "25", "listen.smtp"},
                                                {"submission", "587", "listen.submission"},
                                                {"submissions", "465", "listen.submissions"},
                                                {"smtps", "465", "listen.submissions"}}};
    const auto colon = service.rfind(':');
    const auto name = service.substr(colon == service.npos ? 0 : colon + 1);
    const auto* const port = std::ranges::find_if(
        ports, [&](const Port& each) { return each.name == name || each.number == name; });
    if (port == ports.end())
      return inventory_.leave(std::move(place),
                              fmt::format("a listener at {}: [listen] of docs/settings.md has "
                                          "ports 25, 465 and 587",
                                          text::printable(service, 80)));
    auto hosts = colon == service.npos ? main_.list("inet_interfaces")
                                       : std::vector{std::string(service.substr(0, colon))};
    for (auto& host : hosts) {
      if (host == "all")
        found[port->setting].push_back(fmt::format(":{}", port->number));
      else if (host == "loopback-only" || host == "localhost")
        for (const std::string_view own : {"127.0.0.1", "[::1]"})
          found[port->setting].push_back(fmt::format("{}:{}", own, port->number));
      else
        found[port->setting].push_back(host.contains(':') && !host.starts_with('[')
                                           ? fmt::format("[{}]:{}", host, port->number)
                                           : fmt::format("{}:{}", host, port->number));
    }
  }

  const OldFiles& files_;
  const PostfixPlaces& places_;
  MainCf main_;
  Inventory inventory_;
};

}  // namespace

Result<Inventory> read_postfix(const OldFiles& files, const PostfixPlaces& places) {
  return PostfixReader(files, places).read();
}

}  // namespace tapal::migrate
