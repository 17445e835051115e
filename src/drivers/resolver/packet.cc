#include "drivers/resolver/packet.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/dns/message.h"
#include "values/dns/rdata.h"

namespace tapal {
namespace {

using std::chrono::seconds;

constexpr int aliases_max = 16;

// The alias at `name`, if it is one.
const dns::Record* alias_at(const std::vector<dns::Record>& records, std::string_view name) {
  const auto found = std::ranges::find_if(records, [name](const dns::Record& record) {
    return record.type == dns::Type::cname && record.name == name;
  });
  return found == records.end() ? nullptr : &*found;
}

seconds negative_ttl(const std::vector<dns::Record>& authority) {
  const auto record = std::ranges::find(authority, dns::Type::soa, &dns::Record::type);
  if (record == authority.end()) return seconds(0);
  const auto soa = dns::soa_from_data(record->data);
  return soa ? std::min(record->ttl, seconds(soa->minimum_seconds)) : seconds(0);
}

}  // namespace

Result<DnsAnswer> answer_from_packet(const DnsQuestion& question, std::string_view packet) {
  auto message = dns::parse_message(packet);
  if (!message)
    return fail(Code::try_later, fmt::format("a broken response: {}", message.error().what));
  const bool exists = message->rcode == dns::Rcode::no_error;
  if (!exists && message->rcode != dns::Rcode::no_such_name)
    return fail(Code::try_later, fmt::format("the response {}", dns::rcode_text(message->rcode)));

  DnsAnswer answer;
  answer.canonical_name = question.name;
  answer.ttl = seconds::max();
  if (question.type != dns::Type::cname) {
    int aliases = 0;
    while (const dns::Record* alias = alias_at(message->answers, answer.canonical_name)) {
      if (++aliases > aliases_max)
        return fail(Code::try_later, "too many CNAMEs follow each other");
      answer.ttl = std::min(answer.ttl, alias->ttl);
      answer.canonical_name = std::get<dns::NameTarget>(alias->data).name;
    }
  }
  for (dns::Record& record : message->answers) {
    if (record.type != question.type || record.name != answer.canonical_name) continue;
    answer.ttl = std::min(answer.ttl, record.ttl);
    answer.records.push_back(std::move(record));
  }
  if (!answer.records.empty()) {
    answer.status = DnsAnswer::Status::found;
  } else {
    answer.status = exists ? DnsAnswer::Status::no_data : DnsAnswer::Status::no_such_name;
    answer.ttl = std::min(answer.ttl, negative_ttl(message->authority));
  }
  return answer;
}

}  // namespace tapal
