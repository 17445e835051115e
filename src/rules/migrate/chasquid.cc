#include "rules/migrate/chasquid.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "rules/alias/alias_line.h"
#include "rules/migrate/certificates.h"
#include "rules/migrate/chasquid_users.h"
#include "rules/migrate/delivery.h"
#include "rules/migrate/listen.h"
#include "rules/migrate/text_proto.h"
#include "values/text/ascii.h"
#include "values/text/idna.h"
#include "values/text/toml.h"

namespace tapal::migrate {
namespace {

constexpr std::string_view settings_file = "chasquid.conf";

class ChasquidReader {
 public:
  explicit ChasquidReader(const OldFiles& files) : files_(files) {}

  Result<Inventory> read() {
    TAPAL_TRY(const auto text, files_.read(settings_file));
    TAPAL_TRY(const auto conf, read_text_proto(text, settings_file));
    read_settings(conf);
    const auto domain_settings = settings_of_domains(conf);
    for (const auto& name : files_.names_in("domains")) read_domain(name, domain_settings);
    for (const auto& name : files_.names_in("certs")) read_certificate(name);
    for (const auto& hook : files_.names_in("hooks"))
      leave("hooks/" + hook,
            "hooks speak another language here: `filters.hooks` and docs/operations/filters.md; "
            "DKIM, SPF and greylisting need none");
    return std::move(inventory_);
  }

 private:
  void leave(std::string place, std::string what) {
    inventory_.leave(std::move(place), std::move(what));
  }

  static std::string place_of(const ProtoField& field) {
    return fmt::format("{}:{}", settings_file, field.line);
  }

  void read_settings(const ProtoField& conf) {
    inventory_.hostname = conf.text("hostname");
    if (const auto* size = conf.find("max_data_size_mb"))
      inventory_.settings.push_back(
          {"limits.message_bytes", text::toml_quoted(size->value + "MiB"), place_of(*size)});
    read_listeners(conf, "smtp_address", "listen.smtp");
    read_listeners(conf, "submission_address", "listen.submission");
    read_listeners(conf, "submission_over_tls_address", "listen.submissions");
    read_delivery(conf);
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> unknown{
        {{"dovecot_auth",
          "passwords that Dovecot checks are not in these files: name its passwd-file with "
          "--passwd-file, or give new ones with `tapal user add`"},
         {"haproxy_incoming", "the PROXY protocol is not spoken here"},
         {"monitoring_address", "there is `tapal status` in the place of a monitoring page"}}};
    for (const auto& [name, what] : unknown)
      if (const auto* field = conf.find(name); field != nullptr && field->value != "false")
        leave(place_of(*field), fmt::format("{}: {}", name, what));
  }

  void read_listeners(const ProtoField& conf, std::string_view from, std::string_view setting) {
    std::vector<std::string> addresses;
    const ProtoField* last = nullptr;
    for (const auto& field : conf.fields) {
      if (field.name != from || field.value == "systemd") continue;
      addresses.push_back(field.value);
      last = &field;
    }
    if (last == nullptr) return;
    auto value = listen_value(addresses);
    if (value)
      inventory_.settings.push_back({std::string(setting), *std::move(value), place_of(*last)});
    else
      leave(place_of(*last), fmt::format("{}: {}", from, value.error().what));
  }

  // mda-lmtp hands mail to an LMTP server: "--addr PLACE -f %from% -d %to%".
  void read_delivery(const ProtoField& conf) {
    const auto* agent = conf.find("mail_delivery_agent_bin");
    const auto program = agent == nullptr ? "maildrop" : text::printable(agent->value, 200);
    if (program.ends_with("mda-lmtp")) {
      const auto [place, recipient] = lmtp_arguments(conf);
      if (recipient == "%to%") inventory_.mailbox_target = lmtp_target(place);
    }
    if (inventory_.mailbox_target.empty())
      leave(
          agent == nullptr ? std::string(settings_file) : place_of(*agent),
          fmt::format("mail for users went to {}; here it stays in Maildir folders "
                      "(`mailbox.folder`), and an alias hands it on, as `ann: | /path/program` or "
                      "`ann: :lmtp: unix:/path`",
                      program));
  }

  struct LmtpArguments {
    std::string place;
    std::string recipient;
  };
  static LmtpArguments lmtp_arguments(const ProtoField& conf) {
    LmtpArguments found;
    std::string* wanted = nullptr;
    for (const auto& field : conf.fields) {
      if (field.name != "mail_delivery_agent_args") continue;
      std::string_view argument = field.value;
      if (wanted != nullptr) *std::exchange(wanted, nullptr) = argument;
      if (argument.starts_with("--")) argument.remove_prefix(1);
      if (argument == "-addr") wanted = &found.place;
      if (argument == "-d") wanted = &found.recipient;
      if (argument.starts_with("-addr=")) found.place = argument.substr(argument.find('=') + 1);
    }
    return found;
  }

  // chasquid has them for all domains at once.
  account::DomainSettings settings_of_domains(const ProtoField& conf) {
    account::DomainSettings settings;
    if (const auto* separators = conf.find("suffix_separators"))
      settings.suffix_separators = separators->value;
    const auto* dropped = conf.find("drop_characters");
    const std::string characters = dropped == nullptr ? "." : dropped->value;
    settings.ignore_dots = characters.contains('.');
    if (characters.find_first_not_of('.') != characters.npos)
      leave(place_of(*dropped),
            fmt::format("of the characters \"{}\" that are not looked at in addresses, only the "
                        "dot is known here (ignore_dots in domain.toml)",
                        text::printable(characters, 80)));
    return settings;
  }

  void read_domain(const std::string& folder, const account::DomainSettings& settings) {
    const auto place = "domains/" + folder;
    const auto name = text::domain_to_ascii(folder);
    if (!name) return leave(place, "the folder's name is not a domain: " + name.error().what);
    if (inventory_.find(*name) != nullptr) return leave(place, "another folder is that domain too");
    OldDomain domain{.name = *name, .settings = settings};
    read_users(place + "/users", domain);
    read_aliases(place + "/aliases", domain);
    read_keys(place, folder, domain);
    inventory_.add(std::move(domain));
  }

  // A file that may be missing; one that cannot be read is told.
  std::optional<std::string> read_if_there(const std::string& path) {
    auto text = files_.read(path);
    if (text) return *std::move(text);
    if (text.error().code != Code::not_found) leave(path, text.error().what);
    return {};
  }

  void read_users(const std::string& path, OldDomain& domain) {
    const auto text = read_if_there(path);
    if (!text) return;
    auto users = read_chasquid_users(*text, path, inventory_);
    if (users)
      domain.users = *std::move(users);
    else
      leave(path, users.error().what);
  }

  void read_aliases(const std::string& path, OldDomain& domain) {
    const auto text = read_if_there(path);
    if (!text) return;
    std::string_view rest = *text;
    for (std::size_t number = 1; !rest.empty(); ++number) {
      const auto place = fmt::format("{}:{}", path, number);
      const auto line = alias::read_alias_line(alias::take_line(rest));
      if (!line) {
        leave(place, line.error().what);
        continue;
      }
      const auto& parts = *line;
      if (!parts) continue;
      const auto targets = alias::split_targets(parts->targets);
      if (targets)
        domain.aliases.push_back(
            {std::string(parts->name), {targets->begin(), targets->end()}, place});
      else
        leave(place, targets.error().what);
    }
  }

  // Named by their file (chasquid 1.13 and later), or as its example hook has them.
  void read_keys(const std::string& place, const std::string& folder, OldDomain& domain) {
    constexpr std::string_view begin = "dkim:";
    constexpr std::string_view end = ".pem";
    for (const auto& name : files_.names_in(place)) {
      if (!name.starts_with(begin) || !name.ends_with(end)) continue;
      auto selector = name.substr(begin.size(), name.size() - begin.size() - end.size());
      read_key(fmt::format("{}/{}", place, name), std::move(selector), domain);
    }
    const auto selector = read_if_there(place + "/dkim_selector");
    if (selector)
      read_key(fmt::format("certs/{}/dkim_privkey.pem", folder),
               std::string(text::trim(*selector)),
               domain);
  }

  void read_key(const std::string& path, std::string selector, OldDomain& domain) {
    auto pem = files_.read(path);
    if (pem)
      domain.keys.push_back({std::move(selector), *std::move(pem), path});
    else
      leave(path, pem.error().what);
  }

  void read_certificate(const std::string& name) {
    const auto place = "certs/" + name;
    const auto names = files_.names_in(place);
    if (std::ranges::find(names, "fullchain.pem") == names.end())
      return;  // a README, a domain's key
    const CertificateFiles from{name, {place + "/fullchain.pem"}, {place + "/privkey.pem"}};
    add_certificate(files_, from, inventory_);
  }

  const OldFiles& files_;
  Inventory inventory_;
};

}  // namespace

Result<Inventory> read_chasquid(const OldFiles& files) { return ChasquidReader(files).read(); }

}  // namespace tapal::migrate
