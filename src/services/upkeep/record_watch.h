// Asks every server of the zone itself whether it shows a record.
#pragma once

#include "services/upkeep/certificate_order.h"
#include "services/upkeep/zone_authorities.h"

namespace tapal::upkeep {

class AuthoritiesWatch final : public RecordWatch {
 public:
  explicit AuthoritiesWatch(ZoneAuthorities& authorities) : authorities_(authorities) {}

  Task<Result<std::string>> lagging(Loop& loop, dns::Lookup lookup, dns::Data data) override;

 private:
  ZoneAuthorities& authorities_;
};

}  // namespace tapal::upkeep
