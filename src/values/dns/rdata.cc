#include "values/dns/rdata.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "values/dns/name.h"
#include "values/dns/wire.h"

namespace tapal::dns {
namespace {

constexpr std::size_t data_bytes_max = 65535;  // RDLENGTH has 16 bits

// Types kept as RawData whose names may come compressed (RFC 3597 section 4): bytes before the
// names, and how many names.
struct NamesInside {
  std::uint16_t type;
  std::uint8_t bytes_before;
  std::uint8_t names;
};
constexpr std::array<NamesInside, 13> names_inside{{
    {3, 0, 1},   // MD
    {4, 0, 1},   // MF
    {6, 0, 2},   // SOA
    {7, 0, 1},   // MB
    {8, 0, 1},   // MG
    {9, 0, 1},   // MR
    {14, 0, 2},  // MINFO
    {17, 0, 2},  // RP
    {18, 2, 1},  // AFSDB
    {21, 2, 1},  // RT
    {33, 6, 1},  // SRV
    {36, 2, 1},  // KX
    {39, 0, 1},  // DNAME
}};

std::unexpected<Error> bad_data(Type type, std::string_view why) {
  return fail(Code::invalid, fmt::format("the data of a {} record {}", type_text(type), why));
}

// The message up to the record's end: what the names of its data may be made of.
std::string_view up_to_end(std::string_view message, DataPlace place) {
  return message.substr(0, place.offset + place.size);
}

Result<Data> address_from_wire(Type type, std::string_view bytes) {
  if (bytes.size() != (type == Type::a ? 4U : 16U)) return bad_data(type, "has the wrong size");
  IpAddress address;
  if (type == Type::a) {
    std::array<std::uint8_t, 4> octets{};
    std::ranges::copy(bytes, octets.begin());
    address = IpAddress::v4(octets);
  } else {
    std::ranges::copy(bytes, address.bytes.begin());
  }
  return address;
}

Result<Data> text_from_wire(std::string_view bytes) {
  Text text;
  WireReader reader(bytes);
  do text.value += reader.take(reader.u8());
  while (reader.ok() && reader.left() > 0);
  if (!reader.ok()) return bad_data(Type::txt, "is cut off");
  return text;
}

Result<Data> raw_from_wire(Type type, std::string_view message, DataPlace place) {
  const auto* layout =
      std::ranges::find(names_inside, std::to_underlying(type), &NamesInside::type);
  if (layout == names_inside.end())
    return RawData{std::string(message.substr(place.offset, place.size))};
  const std::string_view bytes = up_to_end(message, place);
  WireReader reader(bytes, place.offset);
  RawData raw{std::string(reader.take(layout->bytes_before))};
  if (!reader.ok()) return bad_data(type, "is cut off");
  for (int i = 0; i < layout->names; ++i) {
    TAPAL_TRY(const NameAt name, name_from_wire(bytes, reader.at()));
    TAPAL_TRY(const std::string wire, name_to_wire(name.name));
    raw.bytes += wire;
    reader.move_to(name.end);
  }
  raw.bytes += reader.rest();
  return raw;
}

}  // namespace

bool data_fits(Type type, const Data& data) {
  switch (type) {
    case Type::a: {
      const auto* address = std::get_if<IpAddress>(&data);
      return address != nullptr && address->is_v4();
    }
    case Type::aaaa: return std::holds_alternative<IpAddress>(data);
    case Type::mx: return std::holds_alternative<MailExchange>(data);
    case Type::txt: return std::holds_alternative<Text>(data);
    case Type::ns:
    case Type::cname:
    case Type::ptr: return std::holds_alternative<NameTarget>(data);
    default: return std::holds_alternative<RawData>(data);
  }
}

std::vector<std::string_view> text_strings(const Text& text) {
  std::vector<std::string_view> strings;
  std::string_view rest = text.value;
  do {
    strings.push_back(rest.substr(0, string_bytes_max));
    rest.remove_prefix(strings.back().size());
  } while (!rest.empty());
  return strings;
}

Result<Data> data_from_wire(Type type, std::string_view message, DataPlace place) {
  if (place.offset > message.size() || place.size > message.size() - place.offset)
    return bad_data(type, "is cut off");
  const std::string_view bytes = message.substr(place.offset, place.size);
  const std::size_t end = place.offset + place.size;
  switch (type) {
    case Type::a:
    case Type::aaaa: return address_from_wire(type, bytes);
    case Type::txt: return text_from_wire(bytes);
    case Type::ns:
    case Type::cname:
    case Type::ptr: {
      TAPAL_TRY(NameAt name, name_from_wire(up_to_end(message, place), place.offset));
      if (name.end != end) return bad_data(type, "has bytes behind its name");
      return NameTarget{std::move(name.name)};
    }
    case Type::mx: {
      WireReader reader(bytes);
      const std::uint16_t preference = reader.u16();
      TAPAL_TRY(NameAt name, name_from_wire(up_to_end(message, place), place.offset + 2));
      if (!reader.ok() || name.end != end) return bad_data(type, "has the wrong size");
      return MailExchange{preference, std::move(name.name)};
    }
    default: return raw_from_wire(type, message, place);
  }
}

Result<std::string> data_to_wire(Type type, const Data& data) {
  if (!data_fits(type, data)) return bad_data(type, "is of another kind");
  std::string wire;
  if (const auto* address = std::get_if<IpAddress>(&data)) {
    wire.assign(address->bytes.begin(), address->bytes.end());
    if (type == Type::a) wire.erase(0, 12);
  } else if (const auto* exchange = std::get_if<MailExchange>(&data)) {
    append_u16(wire, exchange->preference);
    TAPAL_TRY(const std::string name, name_to_wire(exchange->exchange));
    wire += name;
  } else if (const auto* target = std::get_if<NameTarget>(&data)) {
    return name_to_wire(target->name);
  } else if (const auto* text = std::get_if<Text>(&data)) {
    for (const std::string_view string : text_strings(*text)) {
      append_u8(wire, static_cast<unsigned>(string.size()));
      wire += string;
    }
  } else if (const auto* raw = std::get_if<RawData>(&data)) {
    wire = raw->bytes;
  }
  if (wire.size() > data_bytes_max) return bad_data(type, "is too long");
  return wire;
}

Result<StartOfAuthority> soa_from_data(const Data& data) {
  const auto* raw = std::get_if<RawData>(&data);
  if (raw == nullptr) return bad_data(Type::soa, "is of another kind");
  StartOfAuthority soa;
  TAPAL_TRY(NameAt primary, name_from_wire(raw->bytes, 0));
  TAPAL_TRY(NameAt mailbox, name_from_wire(raw->bytes, primary.end));
  soa.primary = std::move(primary.name);
  soa.mailbox = std::move(mailbox.name);
  WireReader reader(raw->bytes, mailbox.end);
  soa.serial = reader.u32();
  soa.refresh_seconds = reader.u32();
  soa.retry_seconds = reader.u32();
  soa.expire_seconds = reader.u32();
  soa.minimum_seconds = reader.u32();
  if (!reader.ok() || reader.left() > 0) return bad_data(Type::soa, "has the wrong size");
  return soa;
}

Result<Data> soa_to_data(const StartOfAuthority& soa) {
  RawData raw;
  TAPAL_TRY(const std::string primary, name_to_wire(soa.primary));
  TAPAL_TRY(const std::string mailbox, name_to_wire(soa.mailbox));
  raw.bytes = primary + mailbox;
  for (const std::uint32_t number : {soa.serial,
                                     soa.refresh_seconds,
                                     soa.retry_seconds,
                                     soa.expire_seconds,
                                     soa.minimum_seconds})
    append_u32(raw.bytes, number);
  return raw;
}

}  // namespace tapal::dns
