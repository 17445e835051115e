#include "app/config/public_suffix_file.h"

#include "drivers/files/files.h"

namespace tapal::app {
namespace {

constexpr const char* system_file = "/usr/share/publicsuffix/public_suffix_list.dat";

Result<dns::PublicSuffixes> read(const std::string& file) {
  TAPAL_TRY(const auto text, files::read_file(file, dns::public_suffix_list_bytes_max));
  auto list = dns::PublicSuffixes::from_text(text);
  if (!list) return fail(list.error().code, file + ": " + list.error().what);
  return list;
}

}  // namespace

Result<dns::PublicSuffixes> load_public_suffixes(const std::string& file) {
  if (!file.empty()) return read(file);
  auto list = read(system_file);
  if (!list && list.error().code == Code::not_found) return dns::PublicSuffixes::built_in();
  return list;
}

}  // namespace tapal::app
