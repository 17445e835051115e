// Mail that leaves by SMTP or LMTP, by one courier on each loop. Which one follows from the site
// and the slot there, so that no site gets more connections than attempts at once.
#pragma once

#include <cstddef>
#include <vector>

#include "services/delivery/carrier.h"
#include "services/delivery/courier.h"

namespace tapal::delivery {

class NetworkCarrier final : public Carrier {
 public:
  // At least one courier; all must outlive this object.
  NetworkCarrier(Loop& loop, std::vector<Courier*> couriers);

  Task<AttemptReport> carry(Attempt attempt) override;
  Task<void> stop() override;

 private:
  Loop& loop_;
  std::vector<Courier*> couriers_;
};

}  // namespace tapal::delivery
