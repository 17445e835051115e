#include "services/intake/domains.h"

namespace tapal::intake {

const std::vector<mailauth::DkimSigner>* signers_of(const Domains& domains, std::string_view name) {
  for (;;) {
    const auto found = domains.signers.find(name);
    if (found != domains.signers.end() && !found->second.empty()) return &found->second;
    const auto dot = name.find('.');
    if (dot == std::string_view::npos) return nullptr;
    name.remove_prefix(dot + 1);
  }
}

}  // namespace tapal::intake
