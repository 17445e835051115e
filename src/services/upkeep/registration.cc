#include "services/upkeep/registration.h"

#include <boost/json.hpp>

#include "values/text/date.h"
#include "values/text/json_fields.h"

namespace tapal::upkeep {
namespace {

namespace json = boost::json;
using provision::RegistrationFact;

constexpr std::size_t registration_depth_max = 32;

}  // namespace

RegistrationFact registration_from_json(std::string_view text) {
  RegistrationFact fact;
  const auto object = text::parse_object(text, registration_depth_max);
  const auto* events = object ? text::array_at(*object, "events") : nullptr;
  if (events == nullptr) {
    fact.trouble = "the registry's answer has no dates";
    return fact;
  }
  for (const auto& event : *events) {
    if (!event.is_object()) continue;
    const auto& fields = event.get_object();
    const auto date = text::parse_rfc3339_date(text::text_at(fields, "eventDate"));
    if (!date) continue;
    const auto action = text::text_at(fields, "eventAction");
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
