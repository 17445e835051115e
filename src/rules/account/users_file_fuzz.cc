#include <cstdint>
#include <cstdlib>

#include "rules/account/directory.h"
#include "rules/account/users_file.h"

// Reading must not fail badly; an edit must change its own line only, and what was read before it
// must be read after it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::account;
  // NOLINTNEXTLINE(*-reinterpret-cast): the fuzzer's bytes as text
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const UsersFile file = read_users(text, "example.com", "users");
  Directory directory;
  directory.add_domain("example.com", file.users);
  for (const UserRecord& user : file.users)
    if (!directory.find(user.address)) std::abort();

  const auto added = add_user(text, "zoe-the-new", {"$argon2id$x", ""});
  if (!added) return 0;
  if (!added->starts_with(text)) std::abort();
  if (!file.problems.empty()) return 0;
  const auto again = parse_users(*added, "example.com", "users");
  if (!again || again->size() != file.users.size() + 1) std::abort();
  return 0;
}
