#include "rules/migrate/certificates.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "values/crypto/certificate.h"
#include "values/crypto/key.h"

namespace tapal::migrate {
namespace {

// The files' PEM blocks with such a label, in order.
std::optional<std::string> blocks(const OldFiles& files,
                                  const std::vector<std::string>& paths,
                                  std::string_view label,
                                  Inventory& inventory) {
  std::string found;
  bool is_within = false;
  for (const auto& path : paths) {
    const auto text = files.read(path);
    if (!text) {
      inventory.leave(path, text.error().what);
      return {};
    }
    for (std::string_view rest = *text; !rest.empty();) {
      const auto line = rest.substr(0, std::min(rest.find('\n'), rest.size() - 1) + 1);
      rest.remove_prefix(line.size());
      if (line.starts_with("-----BEGIN ")) is_within = line.contains(label);
      if (is_within) found += line;
      if (line.starts_with("-----END ")) is_within = false;
    }
    if (!found.empty() && !found.ends_with('\n')) found += '\n';
  }
  return found;
}

}  // namespace

void add_certificate(const OldFiles& files, const CertificateFiles& from, Inventory& inventory) {
  auto chain = blocks(files, from.chain, "CERTIFICATE-----", inventory);
  auto key = blocks(files, from.key, "PRIVATE KEY-----", inventory);
  if (!chain || !key) return;
  const auto& place = from.chain.front();
  const auto facts = crypto::read_certificate(*chain);
  if (!facts) return inventory.leave(place, facts.error().what);
  if (facts->self_signed)
    return inventory.leave(
        place, "the certificate is self-signed: `tapal cert issue` gets one that holds");
  const auto private_key = crypto::PrivateKey::from_pem(*key);
  if (!private_key) return inventory.leave(from.key.front(), private_key.error().what);
  if (!crypto::certificate_fits(*chain, *private_key))
    return inventory.leave(from.key.front(), "this is not the key of the certificate " + place);
  inventory.certificates.push_back({from.name, *std::move(chain), *std::move(key), place});
}

}  // namespace tapal::migrate
