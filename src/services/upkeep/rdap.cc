#include "services/upkeep/rdap.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "values/text/json_fields.h"

namespace tapal::upkeep {
namespace {

namespace json = boost::json;

constexpr int redirects_max = 4;
constexpr std::size_t answer_bytes_max = 1024UL * 1024;
constexpr std::chrono::seconds rdap_time_max{10};
constexpr int moved_first = 301;
constexpr int moved_last = 308;

// The first one under TLS. They end in "/" (RFC 9224 section 3); some forget it.
std::string server_of(const json::value& urls) {
  if (!urls.is_array()) return {};
  for (const auto& url : urls.get_array()) {
    const auto* text = url.if_string();
    if (text == nullptr || !std::string_view(*text).starts_with("https://")) continue;
    return text->ends_with('/') ? std::string(*text) : std::string(*text) + "/";
  }
  return {};
}

// A list is pairs of entries and servers. `fit` tells how well an entry does: 0 for not at all.
template <class Fit>
std::string best_server(std::string_view list, Fit fit) {
  const auto object = text::parse_object(list);
  const auto* services = object ? text::array_at(*object, "services") : nullptr;
  std::string best;
  std::size_t best_fit = 0;
  if (services == nullptr) return best;
  for (const auto& service : *services) {
    const auto* pair = service.if_array();
    if (pair == nullptr || pair->size() < 2 || !pair->front().is_array()) continue;
    for (const auto& entry : pair->front().get_array()) {
      const std::size_t its_fit = entry.is_string() ? fit(std::string_view(entry.get_string())) : 0;
      if (its_fit <= best_fit) continue;
      best_fit = its_fit;
      best = server_of(pair->at(1));
    }
  }
  return best;
}

Task<Result<std::string>> get(const RdapWorld& world, std::string url) {
  for (int redirects = 0; redirects <= redirects_max; ++redirects) {
    HttpRequest request;
    request.url = url;
    request.headers = {{"Accept", "application/rdap+json, application/json"}};
    request.time_max = rdap_time_max;
    request.response_bytes_max = answer_bytes_max;
    auto response = co_await world.http.send(world.loop, std::move(request));
    if (!response) co_return std::unexpected(std::move(response).error());
    if (response->status == 200) co_return std::move(response->body);
    if (response->status == 404) co_return fail(Code::not_found, "the registry does not know it");
    const std::string next(response->header("Location"));
    const bool is_moved = response->status >= moved_first && response->status <= moved_last;
    if (!is_moved || !next.starts_with("https://"))
      co_return fail(Code::try_later, fmt::format("the registry answers {}", response->status));
    url = next;
  }
  co_return fail(Code::try_later, "the registry sends from one place to the next");
}

struct RdapQuestion {
  std::string_view list;  // its file
  std::string path;       // behind the server's base URL
};

template <class Subject>
Task<Result<std::string>> ask(const RdapWorld& world,
                              RdapQuestion question,
                              const Subject& subject) {
  TAPAL_CO_TRY(const auto list, co_await get(world, world.lists + std::string(question.list)));
  const auto server = rdap_server(list, subject);
  if (server.empty()) co_return fail(Code::not_found, "no registry answers for it by RDAP");
  co_return co_await get(world, server + question.path);
}

}  // namespace

std::string rdap_server(std::string_view list, std::string_view domain) {
  return best_server(list, [domain](std::string_view entry) -> std::size_t {
    if (!domain.ends_with(entry)) return 0;
    const bool is_whole =
        domain.size() == entry.size() || domain[domain.size() - entry.size() - 1] == '.';
    return is_whole ? entry.size() : 0;
  });
}

std::string rdap_server(std::string_view list, const IpAddress& address) {
  return best_server(list, [&address](std::string_view entry) -> std::size_t {
    const auto network = IpNetwork::from_text(entry);
    return network && network->contains(address) ? network->prefix_bits : 0;
  });
}

Task<Result<std::string>> ask_rdap(RdapWorld world, std::string domain) {
  RdapQuestion question{"dns.json", "domain/" + domain};
  const std::string_view subject = domain;
  co_return co_await ask(world, std::move(question), subject);
}

Task<Result<std::string>> ask_rdap(RdapWorld world, IpAddress address) {
  RdapQuestion question{address.is_v4() ? "ipv4.json" : "ipv6.json", "ip/" + address.text()};
  co_return co_await ask(world, std::move(question), address);
}

}  // namespace tapal::upkeep
