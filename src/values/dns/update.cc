#include "values/dns/update.h"

#include <fmt/format.h>

#include "values/dns/message.h"
#include "values/dns/name.h"
#include "values/dns/rdata.h"
#include "values/dns/wire.h"

namespace tapal::dns {
namespace {

void append_record_head(std::string& out, std::string_view name, Type type, unsigned record_class) {
  out += name;
  append_u16(out, std::to_underlying(type));
  append_u16(out, record_class);
}

}  // namespace

Result<std::string> write_update(std::uint16_t id,
                                 std::string_view zone,
                                 std::span<const RecordSet> sets) {
  std::string updates;
  unsigned count = 0;
  for (const auto& set : sets) {
    TAPAL_TRY(const std::string name, name_to_wire(set.name));
    if (set.type != Type::cname || set.data.empty()) {
      // All of the set (RFC 2136 section 2.5.2).
      append_record_head(updates, name, set.type, class_any);
      append_u32(updates, 0);  // TTL
      append_u16(updates, 0);  // no data
      ++count;
    }
    for (const auto& data : set.data) {
      TAPAL_TRY(const std::string wire, data_to_wire(set.type, data));
      append_record_head(updates, name, set.type, class_in);
      append_u32(updates, static_cast<std::uint32_t>(set.ttl.count()));
      append_u16(updates, static_cast<unsigned>(wire.size()));
      updates += wire;
      ++count;
    }
  }
  std::string message;
  append_u16(message, id);
  append_u16(message, unsigned{update_opcode} << 11);
  for (const unsigned records : {1U, 0U, count, 0U}) append_u16(message, records);
  TAPAL_TRY(const std::string zone_name, name_to_wire(zone));
  append_record_head(message, zone_name, Type::soa, class_in);
  message += updates;
  if (message.size() > message_bytes_max || count > 0xffff)
    return fail(Code::invalid,
                fmt::format("{} record sets are too many for one DNS update", sets.size()));
  return message;
}

}  // namespace tapal::dns
