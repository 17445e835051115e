#include "values/dns/rdata_fields.h"

#include <fmt/format.h>

#include "values/dns/name.h"
#include "values/dns/wire.h"

namespace tapal::dns {
namespace {

std::unexpected<Error> bad(std::string_view type) {
  return fail(Code::invalid, fmt::format("the data of a {} record is not what it has", type));
}

std::string_view bytes_of(const Data& data) {
  const auto* raw = std::get_if<RawData>(&data);
  return raw ? std::string_view(raw->bytes) : std::string_view();
}

}  // namespace

Result<Service> service_from_data(const Data& data) {
  WireReader reader(bytes_of(data));
  Service service;
  service.priority = reader.u16();
  service.weight = reader.u16();
  service.port = reader.u16();
  if (!reader.ok()) return bad("SRV");
  TAPAL_TRY(NameAt target, name_from_wire(bytes_of(data), reader.at()));
  if (target.end != bytes_of(data).size()) return bad("SRV");
  service.target = std::move(target.name);
  return service;
}

Result<Authorization> authorization_from_data(const Data& data) {
  WireReader reader(bytes_of(data));
  Authorization authorization;
  authorization.flags = static_cast<std::uint8_t>(reader.u8());
  authorization.tag = reader.take(reader.u8());
  if (!reader.ok() || authorization.tag.empty()) return bad("CAA");
  authorization.value = reader.rest();
  return authorization;
}

Result<Association> association_from_data(const Data& data) {
  WireReader reader(bytes_of(data));
  Association association;
  association.usage = static_cast<std::uint8_t>(reader.u8());
  association.selector = static_cast<std::uint8_t>(reader.u8());
  association.matching = static_cast<std::uint8_t>(reader.u8());
  if (!reader.ok() || reader.left() == 0) return bad("TLSA");
  association.bytes = reader.rest();
  return association;
}

Result<Data> to_data(const Service& service) {
  RawData raw;
  append_u16(raw.bytes, service.priority);
  append_u16(raw.bytes, service.weight);
  append_u16(raw.bytes, service.port);
  TAPAL_TRY(const std::string target, name_to_wire(service.target));
  raw.bytes += target;
  return raw;
}

Result<Data> to_data(const Authorization& authorization) {
  if (authorization.tag.empty() || authorization.tag.size() > 255) return bad("CAA");
  RawData raw;
  append_u8(raw.bytes, authorization.flags);
  append_u8(raw.bytes, static_cast<unsigned>(authorization.tag.size()));
  raw.bytes += authorization.tag + authorization.value;
  return raw;
}

Data to_data(const Association& association) {
  RawData raw;
  append_u8(raw.bytes, association.usage);
  append_u8(raw.bytes, association.selector);
  append_u8(raw.bytes, association.matching);
  raw.bytes += association.bytes;
  return raw;
}

}  // namespace tapal::dns
