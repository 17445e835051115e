// What the settings say of shaping, beside the table of providers.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "rules/shaping/providers.h"

namespace tapal::shaping {

struct ShaperOptions {
  std::size_t connections_per_site_max = 20;
  std::size_t connections_per_site_at_first = 5;
  std::optional<Rate> messages_per_sender_domain;
  std::optional<Rate> messages_per_user;
  std::optional<std::size_t> connections_per_user_max;
  // How long a site that is down is left alone: doubled each time it is still down.
  std::chrono::seconds down_at_first{60};
  std::chrono::seconds down_max = std::chrono::hours(1);
};

}  // namespace tapal::shaping
