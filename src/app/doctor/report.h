// The doctor's findings as people read them and as JSON.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "rules/provision/finding.h"
#include "rules/provision/pasted_message.h"
#include "rules/provision/requirements.h"

namespace tapal::app {

struct ReportStyle {
  enum class Detail : std::uint8_t { short_text, everything } detail = Detail::short_text;
  enum class Audience : std::uint8_t { everybody, bulk } audience = Audience::everybody;
};

// Grouped; what is ok is only counted, unless everything is to be shown.
std::string report_text(const std::string& domain,
                        std::span<const provision::Finding> findings,
                        ReportStyle style);
boost::json::object report_json(const std::string& domain,
                                std::span<const provision::Finding> findings,
                                ReportStyle style);

std::string report_text(const provision::PastedMessage& message);
boost::json::object report_json(const provision::PastedMessage& message);

}  // namespace tapal::app
