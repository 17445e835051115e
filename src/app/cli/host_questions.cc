#include "app/cli/host_questions.h"

#include <algorithm>

namespace tapal::app {

Task<Result<std::vector<IpAddress>>> host_addresses(Loop& loop,
                                                    Resolver& resolver,
                                                    std::string host) {
  std::vector<IpAddress> addresses;
  for (const auto type : {dns::Type::aaaa, dns::Type::a}) {
    TAPAL_CO_TRY(const auto answer, co_await resolver.resolve(loop, host, type));
    for (const auto& record : answer.records)
      if (const auto* address = std::get_if<IpAddress>(&record.data)) addresses.push_back(*address);
  }
  if (addresses.empty())
    co_return fail(Code::not_found,
                   host + " has no address in DNS: publish an A record (and AAAA) for it");
  co_return addresses;
}

Task<Result<std::string>> best_exchange(Loop& loop, Resolver& resolver, std::string domain) {
  TAPAL_CO_TRY(const auto answer, co_await resolver.resolve(loop, domain, dns::Type::mx));
  std::vector<dns::MailExchange> exchanges;
  for (const auto& record : answer.records)
    if (const auto* exchange = std::get_if<dns::MailExchange>(&record.data))
      exchanges.push_back(*exchange);
  if (exchanges.empty()) co_return fail(Code::not_found, domain + " has no MX record");
  co_return std::ranges::min(exchanges).exchange;
}

}  // namespace tapal::app
