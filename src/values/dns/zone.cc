#include "values/dns/zone.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/dns/name.h"
#include "values/dns/rdata.h"
#include "values/dns/wire.h"
#include "values/dns/zone_text.h"

namespace tapal::dns {
namespace {

constexpr int aliases_max = 16;
constexpr Type type_any{255};
constexpr Type type_ixfr{251};
constexpr Type type_axfr{252};
constexpr std::uint16_t udp_bytes_max = 4096;
constexpr unsigned response_bit = 0x80;  // of the header's third byte

bool has_type(const std::vector<Record>& records, Type type) {
  return std::ranges::find(records, type, &Record::type) != records.end();
}

std::string_view target_of(const Record& record) {
  if (const auto* target = std::get_if<NameTarget>(&record.data)) return target->name;
  if (const auto* exchange = std::get_if<MailExchange>(&record.data)) return exchange->exchange;
  return {};
}

Message response_to(const Message& query) {
  Message response;
  response.id = query.id;
  response.flags.response = true;
  response.flags.opcode = query.flags.opcode;
  response.flags.recursion_desired = query.flags.recursion_desired;
  if (query.questions.size() == 1) response.questions = query.questions;
  if (query.edns) response.edns.emplace();
  return response;
}

Rcode fault_of(const Message& query) {
  if (query.edns && query.edns->version > 0) return Rcode::bad_version;
  if (query.flags.opcode != 0) return Rcode::not_implemented;
  if (query.questions.size() != 1) return Rcode::format_error;
  const Question& question = query.questions[0];
  if (question.question_class != class_in || question.type == type_axfr ||
      question.type == type_ixfr)
    return Rcode::refused;
  return Rcode::no_error;
}

const Zone* nearest_zone(std::span<const Zone> zones, std::string_view name) {
  const Zone* nearest = nullptr;
  for (const Zone& zone : zones) {
    if (is_subdomain_of(name, zone.origin()) &&
        (nearest == nullptr || zone.origin().size() > nearest->origin().size()))
      nearest = &zone;
  }
  return nearest;
}

std::string format_error_to(std::string_view query) {
  Message response;
  WireReader reader(query);
  response.id = reader.u16();
  response.flags.response = true;
  response.flags.opcode = static_cast<std::uint8_t>(reader.u8() >> 3U & 15U);
  response.rcode = Rcode::format_error;
  return write_message(response).value_or("");
}

// Askers may mix upper and lower case and want it back so.
void keep_case_of_question(std::string& response, std::string_view query) {
  WireReader reader(query, header_bytes);
  for (unsigned length = reader.u8(); length != 0; length = reader.u8()) {
    if (length > label_bytes_max) return;  // a pointer cannot be in a first name
    reader.take(length);
  }
  if (!reader.ok() || reader.at() > response.size()) return;
  const std::size_t size = reader.at() - header_bytes;
  response.replace(header_bytes, size, query.substr(header_bytes, size));
}

}  // namespace

Result<Zone> Zone::from_records(std::vector<Record> records) {
  Zone zone;
  const auto soa = std::ranges::find(records, Type::soa, &Record::type);
  if (soa == records.end()) return fail(Code::invalid, "the zone has no SOA record");
  TAPAL_TRY(const StartOfAuthority values, soa_from_data(soa->data));
  zone.origin_ = soa->name;
  zone.soa_ = *soa;
  zone.soa_.ttl = std::min(soa->ttl, std::chrono::seconds(values.minimum_seconds));
  for (Record& record : records) {
    TAPAL_CHECK(zone.add(std::move(record)));
  }
  return zone;
}

Result<void> Zone::add(Record record) {
  const auto refused = [&record](std::string_view why) {
    return fail(Code::invalid, fmt::format("{}: {}", to_zone_text(record), why));
  };
  if (!data_fits(record.type, record.data)) return fail(Code::invalid, "data of another kind");
  if (!is_subdomain_of(record.name, origin_))
    return refused(fmt::format("is not inside the zone {}", origin_));
  Node& node = nodes_[record.name];
  if (record.type == Type::soa && (record.name != origin_ || has_type(node, Type::soa)))
    return refused("a zone has one SOA record, at its top");
  if (!node.empty() && (record.type == Type::cname || has_type(node, Type::cname)))
    return refused("a name with a CNAME has no other records (RFC 1034 section 3.6.2)");
  for (std::string_view above = record.name; above != origin_;) {
    above = parent_of(above);
    nodes_.try_emplace(std::string(above));
  }
  node.push_back(std::move(record));
  return {};
}

Result<Zone> Zone::from_text(std::string_view text, std::string_view origin) {
  ZoneTextOptions options;
  options.origin = origin;
  TAPAL_TRY(std::vector<Record> records, parse_zone_text(text, options));
  return from_records(std::move(records));
}

const Zone::Node* Zone::find(std::string_view name) const {
  const auto exact = nodes_.find(name);
  if (exact != nodes_.end()) return &exact->second;
  std::string_view encloser = parent_of(name);
  while (!nodes_.contains(encloser)) encloser = parent_of(encloser);
  const auto wildcard = nodes_.find(encloser.empty() ? "*" : fmt::format("*.{}", encloser));
  return wildcard == nodes_.end() ? nullptr : &wildcard->second;
}

// The NS records of the topmost zone cut at or above `name`.
const Zone::Node* Zone::delegation_over(std::string_view name) const {
  const Node* topmost = nullptr;
  for (; name != origin_; name = parent_of(name)) {
    const auto node = nodes_.find(name);
    if (node != nodes_.end() && has_type(node->second, Type::ns)) topmost = &node->second;
  }
  return topmost;
}

void Zone::answer(Message& response) const {
  response.flags.authoritative = true;
  std::string name = response.questions.at(0).name;
  const Type type = response.questions[0].type;
  for (int i = 0; i <= aliases_max; ++i) {
    if (!is_subdomain_of(name, origin_) || !answer_step(response, name, type)) return;
  }
}

// One name's part of the answer; true when an alias leads on to another name.
bool Zone::answer_step(Message& response, std::string& name, Type type) const {
  if (const Node* delegation = delegation_over(name)) {
    refer(response, *delegation);
    return false;
  }
  const Node* node = find(name);
  if (node == nullptr) {
    deny(response, Rcode::no_such_name);
    return false;
  }
  const std::size_t before = response.answers.size();
  bool is_alias = false;
  for (const Record& record : *node) {
    is_alias = record.type == Type::cname && type != Type::cname && type != type_any;
    if (!is_alias && record.type != type && type != type_any) continue;
    response.answers.push_back(record);
    response.answers.back().name = name;  // a wildcard's records take the name asked for
  }
  if (is_alias) {
    name = target_of(response.answers.back());
    return true;
  }
  if (response.answers.size() == before) deny(response, Rcode::no_error);
  add_addresses(response, before);
  return false;
}

void Zone::refer(Message& response, const Node& delegation) const {
  response.flags.authoritative = !response.answers.empty();
  for (const Record& record : delegation) {
    if (record.type != Type::ns) continue;
    response.authority.push_back(record);
    const auto glue = nodes_.find(target_of(record));
    if (glue != nodes_.end())
      std::ranges::copy_if(
          glue->second, std::back_inserter(response.additional), [](const Record& address) {
            return std::holds_alternative<IpAddress>(address.data);
          });
  }
}

void Zone::deny(Message& response, Rcode rcode) const {
  response.rcode = rcode;
  response.authority.push_back(soa_);
}

// The addresses of mail exchanges and name servers spare the asker questions.
void Zone::add_addresses(Message& response, std::size_t answers_from) const {
  for (std::size_t i = answers_from; i < response.answers.size(); ++i) {
    const Record& record = response.answers[i];
    if (record.type != Type::mx && record.type != Type::ns) continue;
    const auto node = nodes_.find(target_of(record));
    if (node == nodes_.end() || delegation_over(node->first) != nullptr) continue;
    for (const Record& address : node->second) {
      if (std::holds_alternative<IpAddress>(address.data)) response.additional.push_back(address);
    }
  }
}

Message answer(std::span<const Zone> zones, const Message& query) {
  Message response = response_to(query);
  response.rcode = fault_of(query);
  if (response.rcode != Rcode::no_error) return response;
  const Zone* zone = nearest_zone(zones, query.questions[0].name);
  if (zone == nullptr)
    response.rcode = Rcode::refused;
  else
    zone->answer(response);
  return response;
}

std::optional<std::string> answer_bytes(std::span<const Zone> zones,
                                        std::string_view query,
                                        Transport transport) {
  if (query.size() < header_bytes || (static_cast<unsigned char>(query[2]) & response_bit) != 0)
    return {};
  const auto message = parse_message(query);
  if (!message) return format_error_to(query);
  std::size_t bytes_max = message_bytes_max;
  if (transport == Transport::udp) {
    const Edns edns = message->edns.value_or(Edns{.payload_bytes_max = udp_bytes_without_edns});
    bytes_max = std::clamp(edns.payload_bytes_max, udp_bytes_without_edns, udp_bytes_max);
  }
  const Message response = answer(zones, *message);
  auto bytes = write_message(response, bytes_max);
  if (!bytes) return format_error_to(query);
  if (!response.questions.empty()) keep_case_of_question(*bytes, query);
  return std::move(*bytes);
}

}  // namespace tapal::dns
