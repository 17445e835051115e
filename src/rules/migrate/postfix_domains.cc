#include "rules/migrate/postfix_domains.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "rules/migrate/logical_lines.h"
#include "rules/migrate/postfix_targets.h"
#include "rules/migrate/tables.h"
#include "values/mail/address.h"
#include "values/text/ascii.h"
#include "values/text/idna.h"

namespace tapal::migrate {
namespace {

bool is_of_this_machine(std::string_view name) {
  return !name.contains('.') || text::starts_with_ignoring_case(name, "localhost");
}

class PostfixDomainsReader {
 public:
  PostfixDomainsReader(const OldFiles& files, const MainCf& main, Inventory& inventory)
      : files_(files), main_(main), inventory_(inventory) {}

  std::string read() {
    const auto local = local_domains();
    if (!local.empty())
      home_ = std::ranges::find(local, main_.value("mydomain")) != local.end()
                  ? text::to_lower(main_.value("mydomain"))
                  : local.front();
    for (const auto& domain : local) add_domain(domain, "mydestination");
    for (const std::string_view parameter : {"virtual_alias_domains", "virtual_mailbox_domains"})
      for (const auto& domain : names_of(parameter)) add_domain(domain, parameter);
    for (const auto& domain : local)
      if (domain != home_) lead_home(domain);
    add_virtual_aliases();
    add_local_aliases();
    return home_;
  }

 private:
  // Of a parameter whose items are names, tables with names as keys, or files of names.
  std::vector<std::string> names_of(std::string_view parameter) {
    if (!main_.has(parameter) && parameter.starts_with("virtual_")) return names_beside(parameter);
    std::vector<std::string> names;
    for (auto& item : main_.list(parameter)) {
      if (item.starts_with('/')) {
        const auto text = files_.read(item);
        if (!text) {
          inventory_.leave(main_.place(parameter), text.error().what);
          continue;
        }
        for (const auto& line : logical_lines(*text)) names.push_back(text::to_lower(line.text));
      } else if (item.contains(':')) {
        const TableUse use{{item}, TableForm::map, std::string(parameter), main_.place(parameter)};
        for (const auto& entry : read_tables(files_, use, inventory_))
          names.push_back(text::to_lower(entry.key));
      } else {
        names.push_back(text::to_lower(item));
      }
    }
    return names;
  }

  // Without a line of its own the parameter is a table of addresses, and the domains stand between
  // them: a name that none of the addresses has is no domain. Whoever reads the addresses tells
  // what cannot be read.
  std::vector<std::string> names_beside(std::string_view parameter) {
    Inventory untold;
    const TableUse use{main_.list(parameter), TableForm::map, std::string(parameter), {}};
    const auto entries = read_tables(files_, use, untold);
    std::set<std::string> of_addresses;
    for (const auto& entry : entries)
      if (const auto at = entry.key.rfind('@'); at != std::string::npos)
        of_addresses.insert(text::to_lower(entry.key.substr(at + 1)));
    std::vector<std::string> names;
    for (const auto& entry : entries)
      if (auto name = text::to_lower(entry.key); of_addresses.contains(name))
        names.push_back(std::move(name));
    return names;
  }

  // Those of mydestination that mail is addressed to. The host's own name is one only where it
  // stands alone.
  std::vector<std::string> local_domains() {
    std::vector<std::string> names;
    for (const auto& name : names_of("mydestination")) {
      if (is_of_this_machine(name)) continue;
      auto ascii = text::domain_to_ascii(name);
      if (ascii)
        names.push_back(*std::move(ascii));
      else
        inventory_.leave(main_.place("mydestination"), ascii.error().what);
    }
    const auto host = text::to_lower(main_.value("myhostname"));
    const bool is_alone =
        std::ranges::all_of(names, [&](const auto& name) { return name == host; });
    if (!is_alone && std::erase(names, host) > 0)
      inventory_.leave(main_.place("mydestination"),
                       fmt::format("mail to {0} itself is not taken; `tapal init {0}` makes it a "
                                   "domain of its own",
                                   host));
    return names;
  }

  void add_domain(const std::string& name, std::string_view parameter) {
    const auto ascii = text::domain_to_ascii(name);
    if (!ascii) return inventory_.leave(main_.place(parameter), ascii.error().what);
    if (inventory_.find(*ascii) != nullptr) return;
    OldDomain domain{.name = *ascii};
    domain.settings.suffix_separators = main_.value("recipient_delimiter");
    inventory_.add(std::move(domain));
  }

  // All domains of mydestination have the same names in them.
  void lead_home(const std::string& name) {
    inventory_.find(name)->aliases.push_back(
        {"*", {fmt::format("*@{}", home_)}, main_.place("mydestination")});
  }

  void add_virtual_aliases() {
    const TableUse use{main_.list("virtual_alias_maps"),
                       TableForm::map,
                       "virtual_alias_maps",
                       main_.place("virtual_alias_maps")};
    for (const auto& entry : read_tables(files_, use, inventory_)) {
      if (inventory_.find(text::to_lower(entry.key)) != nullptr) continue;  // it names a domain
      const auto at = entry.key.rfind('@');
      const auto name = entry.key.substr(0, at);
      auto* domain = domain_of(at == std::string::npos ? home_ : entry.key.substr(at + 1), entry);
      if (domain == nullptr) continue;
      OldAlias alias{.name = name.empty() ? "*" : name, .targets = {}, .place = entry.place};
      for (const auto& item : list_items(entry.value))
        alias.targets.push_back(address_target(item, {domain->name, home_}));
      domain->aliases.push_back(std::move(alias));
    }
  }

  void add_local_aliases() {
    const TableUse use{
        main_.list("alias_maps"), TableForm::aliases, "alias_maps", main_.place("alias_maps")};
    for (const auto& entry : read_tables(files_, use, inventory_)) {
      auto* domain = domain_of(home_, entry);
      if (domain == nullptr) continue;
      auto targets = alias_targets(files_, entry, {domain->name, home_}, inventory_);
      if (!targets.empty()) domain->aliases.push_back({entry.key, std::move(targets), entry.place});
    }
  }

  OldDomain* domain_of(std::string_view name, const TableEntry& entry) {
    const auto ascii = text::domain_to_ascii(name);
    auto* domain = ascii ? inventory_.find(*ascii) : nullptr;
    if (domain == nullptr)
      inventory_.leave(entry.place,
                       fmt::format("{} belongs to no domain of that server's mail",
                                   text::printable(entry.key, 200)));
    return domain;
  }

  const OldFiles& files_;
  const MainCf& main_;
  Inventory& inventory_;
  std::string home_;
};

}  // namespace

std::string add_postfix_domains(const OldFiles& files, const MainCf& main, Inventory& inventory) {
  return PostfixDomainsReader(files, main, inventory).read();
}

void tell_postfix_mailboxes(const OldFiles& files, const MainCf& main, Inventory& inventory) {
  const auto place = main.place("virtual_mailbox_maps");
  const TableUse use{
      main.list("virtual_mailbox_maps"), TableForm::map, "virtual_mailbox_maps", place};
  for (const auto& entry : read_tables(files, use, inventory)) {
    const auto address = mail::parse_address(entry.key);
    const auto* domain = address ? inventory.find(address->domain) : nullptr;
    if (domain == nullptr) continue;  // a domain's own entry, or a catch-all
    const bool has_user = std::ranges::any_of(domain->users, [&](const OldUser& user) {
      return text::equals_ignoring_case(user.name, address->local);
    });
    if (!has_user)
      inventory.leave(entry.place,
                      fmt::format("{0} has a mailbox and no password in these files: `tapal user "
                                  "add {0}`",
                                  address->text()));
  }
}

}  // namespace tapal::migrate
