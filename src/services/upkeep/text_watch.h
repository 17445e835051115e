// Asks every server of the zone itself whether it shows a TXT value.
#pragma once

#include "services/upkeep/certificate_order.h"
#include "services/upkeep/zone_authorities.h"

namespace tapal::upkeep {

class AuthoritiesWatch final : public TextWatch {
 public:
  explicit AuthoritiesWatch(ZoneAuthorities& authorities) : authorities_(authorities) {}

  Task<Result<std::string>> lagging(Loop& loop, std::string name, std::string value) override;

 private:
  ZoneAuthorities& authorities_;
};

}  // namespace tapal::upkeep
