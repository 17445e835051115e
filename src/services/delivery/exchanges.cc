#include "services/delivery/exchanges.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace tapal::delivery {

using dns::Type;

namespace {

// When we are among a domain's exchanges, only more preferred ones may be tried, or mail would
// go round in a circle (RFC 5321 section 5.1).
void drop_from_self(std::vector<Exchange>& exchanges, const std::string& own_name) {
  const auto self = std::ranges::find(exchanges, own_name, &Exchange::name);
  if (self == exchanges.end()) return;
  const auto limit = self->preference;
  std::erase_if(exchanges, [limit](const auto& e) { return e.preference >= limit; });
}

}  // namespace

Task<Found> ask(FindHosts find, std::string name, Type type) {
  auto answer = co_await find.resolver.resolve(find.loop, name, type);
  if (answer) co_return *std::move(answer);
  const auto question = fmt::format("{} {}", name, dns::type_text(type));
  const auto& error = answer.error();
  switch (error.code) {
    case Code::denied:
      co_return NoHost{
          "4.7.5", fmt::format("DNSSEC says the answer to {} is forged: {}", question, error.what)};
    case Code::invalid:
      co_return NoHost{"5.1.2", fmt::format("{} is not a domain name: {}", name, error.what)};
    default:
      co_return NoHost{"4.4.3", fmt::format("DNS did not answer {}: {}", question, error.what)};
  }
}

Task<Exchanges> find_exchanges(FindHosts find, std::string domain) {
  auto found = co_await ask(find, domain, Type::mx);
  if (auto* none = std::get_if<NoHost>(&found)) co_return std::move(*none);
  auto& answer = std::get<DnsAnswer>(found);
  if (answer.status == DnsAnswer::Status::no_such_name)
    co_return NoHost{"5.1.2", fmt::format("the domain {} does not exist", domain)};
  std::vector<Exchange> exchanges;
  for (const auto& record : answer.records)
    if (const auto* mx = std::get_if<dns::MailExchange>(&record.data))
      exchanges.push_back({mx->preference, find.random.number(), mx->exchange});
  if (exchanges.empty()) exchanges.push_back({0, 0, domain});  // implicit MX, RFC 5321 section 5.1
  if (std::ranges::all_of(exchanges, [](const auto& e) { return e.name.empty(); }))
    co_return NoHost{"5.1.10",
                     fmt::format("the domain {} takes no mail (null MX, RFC 7505)", domain)};
  std::ranges::sort(exchanges);  // RFC 5321 section 5.1
  drop_from_self(exchanges, find.own.host_name);
  if (exchanges.empty())
    co_return NoHost{
        "5.4.6",
        fmt::format("DNS says that this server takes the mail of {}, but it is not one of its "
                    "domains: add the domain, a route, or mend its MX record",
                    domain)};
  co_return std::move(exchanges);
}

}  // namespace tapal::delivery
