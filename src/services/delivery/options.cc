#include "services/delivery/options.h"

namespace tapal::delivery {

const Route* find_route(const RouteTable& routes, std::string_view domain) {
  if (const auto exact = routes.find(domain); exact != routes.end()) return &exact->second;
  for (auto dot = domain.find('.'); dot != std::string_view::npos;
       dot = domain.find('.', dot + 1)) {
    const auto wildcard = routes.find("*" + std::string(domain.substr(dot)));
    if (wildcard != routes.end()) return &wildcard->second;
  }
  const auto rest = routes.find("*");
  return rest == routes.end() ? nullptr : &rest->second;
}

}  // namespace tapal::delivery
