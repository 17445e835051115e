// What an attempt taught about its site, by the provider table's rules for replies.
#pragma once

#include <string_view>

#include "rules/shaping/shaper.h"
#include "services/delivery/attempt.h"

namespace tapal::delivery {

// A rule may change the report: a deferral that is for good has failed, and the next try comes when
// the rule says so.
shaping::Lesson take_lesson(AttemptReport& report,
                            const shaping::ProviderTable& providers,
                            std::string_view site);

}  // namespace tapal::delivery
