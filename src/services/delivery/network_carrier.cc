#include "services/delivery/network_carrier.h"

#include <functional>
#include <utility>

namespace tapal::delivery {

NetworkCarrier::NetworkCarrier(Loop& loop, std::vector<Courier*> couriers)
    : loop_(loop), couriers_(std::move(couriers)) {}

Task<AttemptReport> NetworkCarrier::carry(Attempt attempt) {
  const auto place = std::hash<std::string>()(attempt.site) + attempt.slot;
  auto& courier = *couriers_[place % couriers_.size()];
  co_await switch_to(courier.loop());
  auto report = co_await courier.deliver(std::move(attempt));
  co_await switch_to(loop_);
  co_return report;
}

Task<void> NetworkCarrier::stop() {
  for (auto* courier : couriers_) {
    co_await switch_to(courier->loop());
    courier->stop();
    co_await courier->join();
  }
  co_await switch_to(loop_);
}

}  // namespace tapal::delivery
