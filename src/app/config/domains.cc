#include "app/config/domains.h"

#include <utility>

namespace tapal::app {

Result<std::shared_ptr<const intake::Domains>> make_domains(const files::ConfigFolder& folder) {
  auto domains = std::make_shared<intake::Domains>();
  domains->directory = folder.directory;
  domains->aliases = folder.aliases;
  if (folder.srs_keys) domains->srs.emplace(*folder.srs_keys);
  for (const auto& [domain, keys] : folder.signing_keys) {
    auto& signers = domains->signers[domain];
    for (const auto& key : keys) {
      if (!provision::signs(key.state)) continue;
      auto parsed = crypto::PrivateKey::from_pem(key.pem);
      if (!parsed) return fail(Code::invalid, key.file + ": " + parsed.error().what);
      signers.push_back(
          {domain, key.selector, std::make_shared<const crypto::PrivateKey>(*std::move(parsed))});
    }
  }
  return domains;
}

}  // namespace tapal::app
