#include "rules/migrate/opendkim.h"

#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "rules/migrate/logical_lines.h"
#include "rules/migrate/tables.h"
#include "values/text/ascii.h"

namespace tapal::migrate {
namespace {

constexpr std::string_view conf_file = "/etc/opendkim.conf";

class OpendkimReader {
 public:
  OpendkimReader(const OldFiles& files, Inventory& inventory)
      : files_(files), inventory_(inventory) {}

  void read() {
    const auto text = files_.read(conf_file);
    if (!text) {
      if (text.error().code != Code::not_found)
        inventory_.leave(std::string(conf_file), text.error().what);
      return;
    }
    std::map<std::string, std::string, std::less<>> settings;
    for (const auto& entry : read_table(*text, conf_file, TableForm::map))
      settings[text::to_lower(entry.key)] = entry.value;
    if (const auto& table = settings["keytable"]; !table.empty())
      return read_key_table(table, settings["signingtable"]);
    for (const auto& domain : list_items(settings["domain"]))
      add_key(domain, settings["selector"], settings["keyfile"], std::string(conf_file));
  }

 private:
  std::vector<TableEntry> read_file(std::string_view name) {
    for (const std::string_view kind : {"file:", "refile:"})
      if (name.starts_with(kind)) name.remove_prefix(kind.size());
    if (!name.starts_with('/')) {
      inventory_.leave(std::string(conf_file),
                       fmt::format("{} is no file: its DKIM keys must be copied by hand",
                                   text::printable(name.substr(0, name.find(':')), 80)));
      return {};
    }
    const auto text = files_.read(name);
    if (text) return read_table(*text, name, TableForm::map);
    inventory_.leave(std::string(conf_file), text.error().what);
    return {};
  }

  // "name domain:selector:/path"; the domain "%" is whatever the SigningTable leads to that name.
  void read_key_table(std::string_view table, std::string_view signing_table) {
    std::map<std::string, std::set<std::string>, std::less<>> senders;
    if (!signing_table.empty())
      for (const auto& [pattern, name, place] : read_file(signing_table))
        senders[name].insert(pattern.substr(pattern.rfind('@') + 1));
    for (const auto& [name, value, place] : read_file(table)) {
      const auto parts = text::split(value, ':');
      if (parts.size() != 3) {
        inventory_.leave(place, "this is no domain, selector and key file");
        continue;
      }
      const auto domains =
          parts[0] == "%" ? senders[name] : std::set<std::string>{std::string(parts[0])};
      for (const auto& domain : domains)
        add_key(domain, std::string(parts[1]), std::string(parts[2]), place);
    }
  }

  void add_key(const std::string& name,
               const std::string& selector,
               const std::string& path,
               const std::string& place) {
    auto* domain = inventory_.find(text::to_lower(name));
    if (domain == nullptr)
      return inventory_.leave(
          place,
          fmt::format("a DKIM key of {}, which is no domain of that server's mail",
                      text::printable(name, 200)));
    auto pem = files_.read(path);
    if (!pem) return inventory_.leave(place, pem.error().what);
    domain->keys.push_back({selector, *std::move(pem), path});
  }

  const OldFiles& files_;
  Inventory& inventory_;
};

}  // namespace

void add_opendkim_keys(const OldFiles& files, Inventory& inventory) {
  OpendkimReader(files, inventory).read();
}

}  // namespace tapal::migrate
