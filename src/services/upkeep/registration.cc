#include "services/upkeep/registration.h"

#include <boost/json.hpp>

#include "services/upkeep/json_fields.h"
#include "values/text/date.h"

namespace tapal::upkeep {
namespace {

namespace json = boost::json;
using provision::RegistrationFact;

constexpr std::size_t registration_depth_max = 32;

}  // namespace

RegistrationFact registration_from_json(std::string_view text) {
  RegistrationFact fact;
  boost::system::error_code error;
  const auto parsed = json::parse(text, error, {}, {.max_depth = registration_depth_max});
  const auto* object = error ? nullptr : parsed.if_object();
  const auto* events = object == nullptr ? nullptr : object->if_contains("events");
  if (events == nullptr || !events->is_array()) {
    fact.trouble = "the registry's answer has no dates";
    return fact;
  }
  for (const auto& event : events->get_array()) {
    if (!event.is_object()) continue;
    const auto& fields = event.get_object();
    const auto date = text::parse_rfc3339_date(text_at(fields, "eventDate"));
    if (!date) continue;
    const auto action = text_at(fields, "eventAction");
    if (action == "registration") fact.registered = *date;
    if (action == "expiration") fact.expires = *date;
  }
  return fact;
}

Task<RegistrationFact> ask_registration(RdapWorld world, std::string domain) {
  const auto answer = co_await ask_rdap(std::move(world), std::move(domain));
  if (answer) co_return registration_from_json(*answer);
  RegistrationFact fact;
  fact.trouble = answer.error().what;
  co_return fact;
}

}  // namespace tapal::upkeep
