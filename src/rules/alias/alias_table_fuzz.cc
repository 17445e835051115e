#include <cstdint>
#include <cstdlib>

#include "rules/alias/alias_table.h"
#include "rules/alias/aliases_file.h"

// Whatever the file says: the table is built in bounded work, and leads to known users only.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::alias;
  // NOLINTNEXTLINE(*-reinterpret-cast): the fuzzer's bytes as text
  const std::string text(reinterpret_cast<const char*>(data), size);
  const DomainInput input{"example.com", {"a", "b", "c"}, true, text, "aliases"};
  const auto built = build_alias_table({&input, 1});
  if (!built.problems.empty()) return 0;
  for (const AliasRule& rule : read_aliases(text, "example.com", "aliases").rules) {
    const Resolution found = built.table.resolve({rule.name, "example.com"});
    if (found.status != Resolution::Status::users) std::abort();
    if (found.users.empty() || found.users.size() > 3) std::abort();
  }
  return 0;
}
