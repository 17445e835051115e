#include "services/upkeep/hoster_search.h"

#include <boost/json.hpp>

#include "values/dns/name.h"
#include "values/text/json_fields.h"

namespace tapal::upkeep {
namespace {

namespace json = boost::json;
using provision::Hoster;

// They are on the machine's own network, or nowhere.
constexpr std::chrono::seconds metadata_time_max{2};
constexpr std::size_t metadata_bytes_max = 64UL * 1024;
constexpr std::size_t json_depth_max = 32;
constexpr std::size_t organisations_max = 32;
constexpr std::size_t entity_depth_max = 3;  // of entities within entities

void add_text(const json::value* value, std::vector<std::string>& into) {
  if (value != nullptr && value->is_string() && into.size() < organisations_max)
    into.emplace_back(value->get_string());
}

// A jCard (RFC 7095): ["vcard", [["fn", {}, "text", "Example Hosting Ltd"], ...]].
void add_names_of_card(const json::array& card, std::vector<std::string>& into) {
  if (card.size() < 2 || !card[1].is_array()) return;
  for (const auto& one : card[1].get_array()) {
    const auto* property = one.if_array();
    if (property == nullptr || property->size() < 4) continue;
    if (property->at(0) == "fn" || property->at(0) == "org") add_text(&property->at(3), into);
  }
}

void add_names(const json::object& object, std::vector<std::string>& into, std::size_t depth) {
  add_text(object.if_contains("name"), into);
  if (const auto* card = text::array_at(object, "vcardArray")) add_names_of_card(*card, into);
  const auto* entities = text::array_at(object, "entities");
  if (entities == nullptr || depth == entity_depth_max) return;
  for (const auto& entity : *entities)
    if (entity.is_object()) add_names(entity.get_object(), into, depth + 1);
}

// A name would have to be looked up, by resolvers that such services are not known to.
bool is_near(const Hoster& hoster) {
  const auto url = http::parse_url(hoster.metadata_url);
  return url && IpAddress::from_text(url->host);
}

class Search {
 public:
  explicit Search(HosterSearch search) : search_(std::move(search)) {}

  Task<const Hoster*> run() {
    facts_.machine_vendor = search_.machine_vendor;
    if (const auto* found = recognised_hoster(facts_)) co_return found;
    co_await ask_services();
    if (const auto* found = recognised_hoster(facts_)) co_return found;
    co_await ask_names();
    if (const auto* found = recognised_hoster(facts_)) co_return found;
    co_await ask_registries();
    co_return recognised_hoster(facts_);
  }

 private:
  Task<void> ask_services() {
    TaskGroup group;
    for (const auto& hoster : provision::hosters())
      if (is_near(hoster)) group.spawn(ask_service(hoster));
    co_await group.join();
    // Who answers everything tells nothing.
    if (facts_.answered.size() > 1) facts_.answered.clear();
  }

  Task<void> ask_service(const Hoster& hoster) {
    HttpRequest request;
    request.url = hoster.metadata_url;
    request.time_max = metadata_time_max;
    request.response_bytes_max = metadata_bytes_max;
    const auto header = hoster.metadata_header;
    if (const auto colon = header.find(": "); colon != header.npos)
      request.headers = {
          {std::string(header.substr(0, colon)), std::string(header.substr(colon + 2))}};
    const auto response =
        co_await search_.registries.http.send(search_.registries.loop, std::move(request));
    if (response && response->status == 200) facts_.answered.emplace_back(hoster.name);
  }

  Task<void> ask_names() {
    for (const auto& address : search_.addresses) {
      const auto answer = co_await search_.resolver.resolve(
          search_.registries.loop, dns::reverse_name(address), dns::Type::ptr);
      if (!answer) continue;
      for (const auto& record : answer->records)
        if (const auto* target = std::get_if<dns::NameTarget>(&record.data))
          facts_.reverse_names.push_back(target->name);
    }
  }

  Task<void> ask_registries() {
    if (search_.addresses.empty()) co_return;
    const auto answer = co_await ask_rdap(search_.registries, search_.addresses.front());
    if (answer) facts_.organisations = organisations_from_json(*answer);
  }

  HosterSearch search_;
  provision::HosterFacts facts_;
};

}  // namespace

std::vector<std::string> organisations_from_json(std::string_view text) {
  std::vector<std::string> names;
  if (const auto object = text::parse_object(text, json_depth_max)) add_names(*object, names, 0);
  return names;
}

Task<const provision::Hoster*> search_hoster(HosterSearch search) {
  Search running(std::move(search));
  co_return co_await running.run();
}

}  // namespace tapal::upkeep
