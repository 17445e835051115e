#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "rules/alias/alias_table.h"
#include "rules/alias/aliases_edit.h"

// Whatever two aliases files say: the tables are built and asked in bounded work, what is found is
// within the limits, and an edit undone leaves the file as it was.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal;
  using namespace tapal::alias;
  // NOLINTNEXTLINE(*-reinterpret-cast): the fuzzer's bytes as text
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = std::min(text.find('\0'), text.size());
  DomainInput inputs[] = {
      {"example.com", {"a", "b", "c"}, true, std::string(text.substr(0, cut)), "aliases"},
      {"two.example", {"a"}, true, std::string(text.substr(std::min(cut + 1, size))), "two"},
  };
  const auto role = size == 0 ? 0 : data[size - 1] % 4;
  inputs[1].settings.role = static_cast<account::Role>(role);
  const auto included = [](std::string_view) -> Result<std::string> { return "a, x@far.example"; };
  inputs[0].read_include = included;
  const auto built = build_alias_table(inputs);

  const auto ask = [&](const mail::Address& address) {
    const Resolution found = built.table.resolve(address);
    if (found.targets.empty() == (found.status == Resolution::Status::found)) std::abort();
    if (found.targets.size() > targets_max) std::abort();
    if (built.table.explain(address).empty()) std::abort();
    (void)built.table.users_behind(address);
  };
  for (const char* local : {"a", "b", "x", "aa+a", "*"}) ask({local, "example.com"});
  for (const char* domain : {"example.com", "two.example"}) {
    // postmaster always works where there is a user.
    const auto found = built.table.resolve({"postmaster", domain});
    if (built.problems.empty() && found.status != Resolution::Status::found) std::abort();
  }
  for (const ListedAlias& alias : list_aliases(inputs[0].aliases_text)) {
    const auto name = mail::parse_address(alias.name + "@example.com");
    if (name) ask(*name);
  }

  const std::string target = "zz@far.example";
  const std::string& before = inputs[0].aliases_text;
  const auto added = add_alias(before, "example.com", "zz", {&target, 1});
  if (!added || list_aliases(*added).size() == list_aliases(before).size()) return 0;
  const auto removed = remove_alias(*added, "example.com", "zz", {});
  if (!removed || (*removed != before && *removed != before + "\n")) std::abort();
  return 0;
}
