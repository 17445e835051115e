#include <cstdint>
#include <cstdlib>

#include "rules/migrate/chasquid.h"
#include "rules/migrate/dead_targets.h"
#include "rules/migrate/postfix.h"
#include "rules/migrate/test_tree.h"

// The same bytes as each file of the two servers: nothing may fail badly, and what is given has a
// domain's name and a password or none.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::migrate;
  // NOLINTNEXTLINE(*-reinterpret-cast): the fuzzer's bytes as text
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto look = [](auto inventory) {
    if (!inventory) return;
    drop_dead_targets(*inventory, [](const auto&) { return Known::nobody; });
    for (const auto& [name, domain] : inventory->domains) {
      if (name.empty() || name != domain.name) std::abort();
      for (const auto& alias : domain.aliases)
        if (alias.targets.empty()) std::abort();
    }
  };
  look(read_chasquid(TestTree({{"chasquid.conf", text},
                               {"domains/example.com/users", text},
                               {"domains/example.com/aliases", text},
                               {"domains/example.com/dkim_selector", text},
                               {"certs/a/fullchain.pem", text},
                               {"certs/a/privkey.pem", text}})));
  const auto postfix = [&](const std::string& main) {
    look(read_postfix(
        TestTree({{"/etc/postfix/main.cf", main},
                  {"/etc/postfix/master.cf", text},
                  {"/virtual", text},
                  {"/etc/aliases", text},
                  {"/etc/opendkim.conf", text}}),
        {.passwd_file = "users", .passwd_text = text, .system_hostname = "mx.example.com"}));
  };
  postfix(text);
  postfix("mydestination = example.com\nvirtual_alias_maps = hash:/virtual\n");
  return 0;
}
