#include "values/dns/rdata_fields.h"

#include <fmt/format.h>

#include "values/dns/name.h"
#include "values/dns/wire.h"
#include "values/text/ascii.h"

namespace tapal::dns {
namespace {

constexpr std::size_t tag_bytes_max = 255;  // its length has one byte

Result<std::string_view> bytes_of(Type type, const Data& data) {
  const auto* raw = std::get_if<RawData>(&data);
  if (raw == nullptr)
    return fail(Code::invalid,
                fmt::format("the data of a {} record is of another kind", type_text(type)));
  return raw->bytes;
}

std::unexpected<Error> cut_off(Type type) {
  return fail(Code::invalid, fmt::format("the data of a {} record is cut off", type_text(type)));
}

}  // namespace

Result<ServicePlace> srv_from_data(const Data& data) {
  TAPAL_TRY(const auto bytes, bytes_of(Type::srv, data));
  WireReader reader(bytes);
  ServicePlace place;
  place.priority = reader.u16();
  place.weight = reader.u16();
  place.port = reader.u16();
  if (!reader.ok()) return cut_off(Type::srv);
  TAPAL_TRY(auto target, name_from_wire(bytes, reader.at()));
  place.target = std::move(target.name);
  return place;
}

Result<Data> srv_to_data(const ServicePlace& place) {
  RawData raw;
  append_u16(raw.bytes, place.priority);
  append_u16(raw.bytes, place.weight);
  append_u16(raw.bytes, place.port);
  TAPAL_TRY(const std::string target, name_to_wire(place.target));
  raw.bytes += target;
  return raw;
}

Result<CertificateAssociation> tlsa_from_data(const Data& data) {
  TAPAL_TRY(const auto bytes, bytes_of(Type::tlsa, data));
  WireReader reader(bytes);
  CertificateAssociation association;
  association.usage = static_cast<std::uint8_t>(reader.u8());
  association.selector = static_cast<std::uint8_t>(reader.u8());
  association.matching = static_cast<std::uint8_t>(reader.u8());
  association.bytes = reader.rest();
  if (!reader.ok()) return cut_off(Type::tlsa);
  return association;
}

Data tlsa_to_data(const CertificateAssociation& association) {
  RawData raw;
  append_u8(raw.bytes, association.usage);
  append_u8(raw.bytes, association.selector);
  append_u8(raw.bytes, association.matching);
  raw.bytes += association.bytes;
  return raw;
}

Result<IssuerRule> caa_from_data(const Data& data) {
  TAPAL_TRY(const auto bytes, bytes_of(Type::caa, data));
  WireReader reader(bytes);
  IssuerRule rule;
  rule.flags = static_cast<std::uint8_t>(reader.u8());
  rule.tag = text::to_lower(reader.take(reader.u8()));
  rule.value = reader.rest();
  if (!reader.ok() || rule.tag.empty()) return cut_off(Type::caa);
  return rule;
}

Result<Data> caa_to_data(const IssuerRule& rule) {
  if (rule.tag.empty() || rule.tag.size() > tag_bytes_max)
    return fail(Code::invalid, "the tag of a CAA record has 1 to 255 bytes");
  RawData raw;
  append_u8(raw.bytes, rule.flags);
  append_u8(raw.bytes, static_cast<unsigned>(rule.tag.size()));
  raw.bytes += rule.tag + rule.value;
  return raw;
}

}  // namespace tapal::dns
