#include "app/config/srs_keys.h"

#include <algorithm>

#include <sys/stat.h>

#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"
#include "rules/forward/srs.h"
#include "values/crypto/hash.h"

namespace tapal::app {
namespace {

constexpr std::size_t key_bytes = 32;
// Sooner, and the key before would be dropped while addresses it signed still live.
constexpr std::chrono::seconds every_min = forward::srs_lifetime + forward::srs_clock_skew;

}  // namespace

Result<SrsKeysTurned> turn_srs_keys(const std::filesystem::path& config,
                                    std::chrono::seconds every,
                                    WallTime now) {
  const auto file = files::srs_keys_file(config);
  const auto is_young = [&] {
    struct stat facts{};
    return stat(file.c_str(), &facts) != 0 ||
           now - WallTime(std::chrono::seconds(facts.st_mtime)) < std::max(every, every_min);
  };
  if (every.count() == 0 || is_young()) return SrsKeysTurned::no;
  auto turned = SrsKeysTurned::no;
  const auto change = [&](std::string_view before) -> Result<std::string> {
    if (is_young()) return std::string(before);  // another process was faster
    TAPAL_TRY(const auto keys, forward::read_srs_keys(before, file.string()));
    turned = SrsKeysTurned::yes;
    return forward::make_srs_keys(crypto::random_bytes(key_bytes), keys.current);
  };
  TAPAL_CHECK(files::edit_file(file, 0600, change));
  return turned;
}

}  // namespace tapal::app
