#include "app/config/signing_keys.h"

#include <fmt/format.h>

#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"
#include "protocols/mailauth/dkim_key_record.h"
#include "values/dns/zone_text.h"
#include "values/text/date.h"

namespace tapal::app {

std::string selector_of_today(WallTime now) {
  const auto date = text::rfc3339_date(now);
  return "tapal" + date.substr(0, 4) + date.substr(5, 2) + date.substr(8, 2);
}

Result<void> write_signing_key(const std::filesystem::path& config,
                               std::string_view domain,
                               std::string_view selector,
                               const crypto::PrivateKey& key) {
  const auto file = files::signing_key_file(config, domain, selector);
  if (std::filesystem::exists(file))
    return fail(Code::invalid,
                fmt::format("{} is there already; choose another --selector", file.string()));
  TAPAL_CHECK(files::create_folder(file.parent_path(), 0700));
  return files::write_atomically(file, key.to_pem(), 0600);
}

Result<std::string> dkim_zone_line(std::string_view domain,
                                   std::string_view selector,
                                   const crypto::PrivateKey& key) {
  TAPAL_TRY(const auto record, mailauth::DkimKeyRecord::for_key(key));
  return dns::to_zone_text(dns::Record{.name = fmt::format("{}._domainkey.{}", selector, domain),
                                       .type = dns::Type::txt,
                                       .ttl = std::chrono::hours(1),
                                       .data = dns::Text{record.text()}});
}

}  // namespace tapal::app
