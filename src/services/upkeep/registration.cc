#include "services/upkeep/registration.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "values/text/date.h"

namespace tapal::upkeep {
namespace {

namespace json = boost::json;
using provision::RegistrationFact;

constexpr int redirects_max = 4;
constexpr std::size_t answer_bytes_max = 512UL * 1024;
constexpr std::size_t depth_max = 32;
constexpr std::chrono::seconds time_max{15};
constexpr int moved_first = 301;
constexpr int moved_last = 308;

std::string_view text_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

}  // namespace

RegistrationFact registration_from_json(std::string_view text) {
  RegistrationFact fact;
  boost::system::error_code error;
  const auto parsed = json::parse(text, error, {}, {.max_depth = depth_max});
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

Task<RegistrationFact> ask_registration(HttpClient& http,
                                        Loop& loop,
                                        std::string server,
                                        std::string domain) {
  RegistrationFact fact;
  std::string url = server + "domain/" + domain;
  for (int redirects = 0; redirects <= redirects_max; ++redirects) {
    HttpRequest request;
    request.url = url;
    request.headers = {{"Accept", "application/rdap+json"}};
    request.time_max = time_max;
    request.response_bytes_max = answer_bytes_max;
    const auto response = co_await http.send(loop, std::move(request));
    if (!response) {
      fact.trouble = response.error().what;
      co_return fact;
    }
    if (response->status == 200) co_return registration_from_json(response->body);
    const std::string next(response->header("Location"));
    const bool is_moved = response->status >= moved_first && response->status <= moved_last;
    if (!is_moved || !next.starts_with("https://")) {
      fact.trouble = response->status == 404
                         ? "the registry does not know it"
                         : fmt::format("the registry answers {}", response->status);
      co_return fact;
    }
    url = next;
  }
  fact.trouble = "the registry sends from one place to the next";
  co_return fact;
}

}  // namespace tapal::upkeep
