#include "services/upkeep/zone_authorities.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "ports/dns_exchange.h"
#include "values/dns/message.h"
#include "values/dns/name.h"

namespace tapal::upkeep {
namespace {

constexpr std::uint16_t query_id = 0x7461;  // over TCP nobody can answer in another's place

dns::Message query_for(const dns::Lookup& lookup) {
  dns::Message query;
  query.id = query_id;
  query.questions = {{lookup.name, lookup.type}};
  return query;
}

// The records at the end of the CNAMEs that the answer itself holds.
dns::LookupReply reply_of(const dns::Message& answer, const dns::Lookup& lookup) {
  dns::LookupReply reply;
  std::string name = lookup.name;
  for (std::size_t hop = 0; hop <= answer.answers.size(); ++hop) {
    for (const auto& record : answer.answers)
      if (record.name == name && record.type == lookup.type) reply.records.push_back(record);
    const auto alias = std::ranges::find_if(answer.answers, [&name](const dns::Record& record) {
      return record.name == name && record.type == dns::Type::cname;
    });
    if (!reply.records.empty() || alias == answer.answers.end()) break;
    name = std::get<dns::NameTarget>(alias->data).name;
  }
  using enum dns::LookupReply::Status;
  reply.status = !reply.records.empty()                     ? found
                 : answer.rcode == dns::Rcode::no_such_name ? no_such_name
                                                            : no_data;
  return reply;
}

Result<dns::LookupReply> read_answer(std::string_view bytes, const dns::Lookup& lookup) {
  auto answer = dns::parse_message(bytes);
  if (!answer) return fail(Code::try_later, "it answers what is no DNS: " + answer.error().what);
  const bool fits = answer->id == query_id && answer->flags.response &&
                    answer->questions == query_for(lookup).questions;
  if (!fits) return fail(Code::try_later, "it answers what was not asked");
  if (answer->rcode != dns::Rcode::no_error && answer->rcode != dns::Rcode::no_such_name)
    return fail(answer->rcode == dns::Rcode::refused ? Code::denied : Code::try_later,
                "it answers " + dns::rcode_text(answer->rcode));
  if (!answer->flags.authoritative)
    return fail(Code::denied, "it is named as a server of the zone, and is none");
  return reply_of(*answer, lookup);
}

std::vector<std::string> targets_of(const DnsAnswer& answer) {
  std::vector<std::string> names;
  for (const auto& record : answer.records)
    if (const auto* target = std::get_if<dns::NameTarget>(&record.data))
      names.push_back(target->name);
  std::ranges::sort(names);
  return names;
}

}  // namespace

Task<Result<AuthoritativeZone>> ZoneAuthorities::find(Loop& loop, std::string name) {
  for (std::string zone = name; !zone.empty(); zone = std::string(dns::parent_of(zone))) {
    auto answer = co_await resolver_.resolve(loop, zone, dns::Type::ns);
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    // What a CNAME leads to has name servers of its own.
    const bool is_zone = answer->status == DnsAnswer::Status::found &&
                         (answer->canonical_name.empty() || answer->canonical_name == zone);
    if (!is_zone) continue;
    auto names = targets_of(*answer);
    co_return co_await find_servers(loop, std::move(zone), std::move(names));
  }
  co_return fail(Code::not_found, fmt::format("no name servers are known for {}", name));
}

Task<Result<AuthoritativeZone>> ZoneAuthorities::find_servers(Loop& loop,
                                                              std::string zone,
                                                              std::vector<std::string> names) {
  constexpr std::array types{dns::Type::a, dns::Type::aaaa};
  AuthoritativeZone found;
  found.name = std::move(zone);
  if (names.size() > options_.servers_max) names.resize(options_.servers_max);
  for (auto& name : names) {
    Authority server;
    server.name = std::move(name);
    for (const auto type : types) {
      const auto answer = co_await resolver_.resolve(loop, server.name, type);
      if (!answer) continue;  // the other family may be known
      for (const auto& record : answer->records)
        if (const auto* address = std::get_if<IpAddress>(&record.data))
          if (server.addresses.size() < options_.addresses_max)
            server.addresses.push_back(*address);
    }
    if (!server.addresses.empty()) found.servers.push_back(std::move(server));
  }
  if (found.servers.empty())
    co_return fail(Code::try_later,
                   fmt::format("no address is known of any name server of {}", found.name));
  co_return found;
}

Task<AuthorityAnswer> ZoneAuthorities::ask(Loop& loop, Authority server, dns::Lookup lookup) {
  AuthorityAnswer answer{server.name, fail(Code::try_later, "no address is known")};
  for (const auto& address : server.addresses) {
    answer.reply = co_await ask_address(loop, address, lookup);
    if (answer.reply) break;
  }
  co_return answer;
}

Task<void> ZoneAuthorities::ask_into(Loop& loop,
                                     Authority server,
                                     dns::Lookup lookup,
                                     AuthorityAnswer& into) {
  into = co_await ask(loop, std::move(server), std::move(lookup));
}

Task<std::vector<AuthorityAnswer>> ZoneAuthorities::ask_all(Loop& loop,
                                                            AuthoritativeZone zone,
                                                            dns::Lookup lookup) {
  std::vector<AuthorityAnswer> answers(zone.servers.size());
  TaskGroup asking;
  for (std::size_t i = 0; i < answers.size(); ++i)
    asking.spawn(ask_into(loop, std::move(zone.servers[i]), lookup, answers[i]));
  co_await asking.join();
  co_return answers;
}

Task<Result<dns::LookupReply>> ZoneAuthorities::ask_address(Loop& loop,
                                                            IpAddress address,
                                                            dns::Lookup lookup) {
  const auto query = query_for(lookup);
  auto message = dns::write_message(query);
  if (!message) co_return std::unexpected(std::move(message.error()));
  const Endpoint server{address, options_.port};
  const Instant deadline = loop.now() + options_.answer_time_max;
  const auto bytes = co_await dns_exchange(network_, server, *std::move(message), deadline);
  if (!bytes) co_return fail(Code::try_later, bytes.error().what);
  co_return read_answer(*bytes, lookup);
}

}  // namespace tapal::upkeep
