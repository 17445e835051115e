// Record data in master-file text: the second half of rdata.h.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "values/dns/name.h"
#include "values/dns/rdata.h"
#include "values/dns/wire.h"
#include "values/dns/zone_text.h"
#include "values/text/ascii.h"
#include "values/text/base64.h"
#include "values/text/hex.h"

namespace tapal::dns {
namespace {

// The fields of one record, taken front to back; the first fault is kept.
class Fields {
 public:
  Fields(Type type, std::span<const TextField> fields, std::string_view origin)
      : type_(type), fields_(fields), origin_(origin) {}

  bool is_empty() const { return at_ >= fields_.size(); }

  Result<std::string_view> next(std::string_view what) {
    if (is_empty()) return bad(fmt::format("has no {}", what));
    return fields_[at_++].text;
  }
  template <class Number>
  Result<Number> number(std::string_view what) {
    TAPAL_TRY(const std::string_view text, next(what));
    const auto value = text::to_number<Number>(text);
    if (!value) return bad(fmt::format("has \"{}\" for its {}", text::printable(text, 64), what));
    return *value;
  }
  Result<std::uint32_t> period(std::string_view what) {
    TAPAL_TRY(const std::string_view text, next(what));
    const auto value = parse_ttl(text);
    if (!value) return bad(fmt::format("has \"{}\" for its {}", text::printable(text, 64), what));
    return *value;
  }
  Result<std::string> name(std::string_view what) {
    TAPAL_TRY(const std::string_view text, next(what));
    return parse_relative_name(text, origin_);
  }
  // A <character-string> with its escapes resolved.
  Result<std::string> string(std::string_view what) {
    TAPAL_TRY(const std::string_view text, next(what));
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
      char c = text[i];
      if (c == '\\') {
        if (++i >= text.size()) return bad("ends in the middle of an escape");
        c = text[i];
        if (text::is_digit(c)) {
          const auto number = text::to_number<unsigned>(text.substr(i, 3));
          if (!number || *number > 255 || i + 3 > text.size()) return bad("has a broken escape");
          c = static_cast<char>(*number);
          i += 2;
        }
      }
      bytes += c;
    }
    if (bytes.size() > string_bytes_max)
      return bad("has a string of more than 255 bytes: split it into several");
    return bytes;
  }
  // All that is left, as one run of digits.
  std::string joined() {
    std::string text;
    while (!is_empty()) text += fields_[at_++].text;
    return text;
  }
  Result<void> end() const {
    if (!is_empty()) return bad("has too many fields");
    return {};
  }
  std::unexpected<Error> bad(std::string_view why) const {
    return fail(Code::invalid, fmt::format("the {} record {}", type_text(type_), why));
  }

 private:
  Type type_;
  std::span<const TextField> fields_;
  std::string_view origin_;
  std::size_t at_ = 0;
};

Result<Data> address_from_text(Type type, Fields& fields) {
  TAPAL_TRY(const std::string_view text, fields.next("address"));
  const auto address = IpAddress::from_text(text);
  if (!address || text.contains(':') != (type == Type::aaaa))
    return fields.bad(fmt::format("has \"{}\", which is not an IPv{} address",
                                  text::printable(text, 64),
                                  type == Type::a ? 4 : 6));
  return *address;
}

Result<Data> soa_from_text(Fields& fields) {
  StartOfAuthority soa;
  TAPAL_TRY(soa.primary, fields.name("name server"));
  TAPAL_TRY(soa.mailbox, fields.name("mailbox"));
  TAPAL_TRY(soa.serial, fields.number<std::uint32_t>("serial"));
  TAPAL_TRY(soa.refresh_seconds, fields.period("refresh time"));
  TAPAL_TRY(soa.retry_seconds, fields.period("retry time"));
  TAPAL_TRY(soa.expire_seconds, fields.period("expiry time"));
  TAPAL_TRY(soa.minimum_seconds, fields.period("negative TTL"));
  return soa_to_data(soa);
}

Result<Data> srv_from_text(Fields& fields) {
  RawData raw;
  for (const std::string_view what : {"priority", "weight", "port"}) {
    TAPAL_TRY(const std::uint16_t number, fields.number<std::uint16_t>(what));
    append_u16(raw.bytes, number);
  }
  TAPAL_TRY(const std::string target, fields.name("target"));
  TAPAL_TRY(const std::string wire, name_to_wire(target));
  raw.bytes += wire;
  return raw;
}

// DS: 2 1 1 bytes and hex; TLSA: 1 1 1 and hex; DNSKEY: 2 1 1 and base64.
Result<Data> numbers_and_digits(Type type, Fields& fields) {
  RawData raw;
  if (type == Type::tlsa) {
    TAPAL_TRY(const std::uint8_t usage, fields.number<std::uint8_t>("usage"));
    append_u8(raw.bytes, usage);
  } else {
    TAPAL_TRY(const std::uint16_t first, fields.number<std::uint16_t>("first number"));
    append_u16(raw.bytes, first);
  }
  for (const std::string_view what : {"second number", "third number"}) {
    TAPAL_TRY(const std::uint8_t number, fields.number<std::uint8_t>(what));
    append_u8(raw.bytes, number);
  }
  const std::string digits = fields.joined();
  const auto bytes = type == Type::dnskey ? text::from_base64(digits) : text::from_hex(digits);
  if (!bytes || bytes->empty()) return fields.bad("has broken digits at its end");
  raw.bytes += *bytes;
  return raw;
}

Result<Data> caa_from_text(Fields& fields) {  // RFC 8659 section 4.1.1
  RawData raw;
  TAPAL_TRY(const std::uint8_t flags, fields.number<std::uint8_t>("flags"));
  TAPAL_TRY(const std::string tag, fields.string("tag"));
  TAPAL_TRY(const std::string value, fields.string("value"));
  if (tag.empty()) return fields.bad("has an empty tag");
  append_u8(raw.bytes, flags);
  append_u8(raw.bytes, static_cast<unsigned>(tag.size()));
  raw.bytes += tag + value;
  return raw;
}

Result<Data> generic_from_text(Type type, Fields& fields) {  // RFC 3597 section 5
  TAPAL_CHECK(fields.next("mark"));
  TAPAL_TRY(const std::uint16_t size, fields.number<std::uint16_t>("length"));
  const auto bytes = text::from_hex(fields.joined());
  if (!bytes || bytes->size() != size) return fields.bad("has digits that do not fit its length");
  return data_from_wire(type, *bytes, {0, bytes->size()});
}

Result<Data> fields_to_data(Type type, Fields& fields) {
  switch (type) {
    case Type::a:
    case Type::aaaa: return address_from_text(type, fields);
    case Type::ns:
    case Type::cname:
    case Type::ptr: {
      TAPAL_TRY(std::string name, fields.name("name"));
      return NameTarget{std::move(name)};
    }
    case Type::mx: {
      TAPAL_TRY(const std::uint16_t preference, fields.number<std::uint16_t>("preference"));
      TAPAL_TRY(std::string exchange, fields.name("exchange"));
      return MailExchange{preference, std::move(exchange)};
    }
    case Type::txt: {
      Text text;
      do {
        TAPAL_TRY(const std::string string, fields.string("string"));
        text.value += string;
      } while (!fields.is_empty());
      return text;
    }
    case Type::soa: return soa_from_text(fields);
    case Type::srv: return srv_from_text(fields);
    case Type::ds:
    case Type::dnskey:
    case Type::tlsa: return numbers_and_digits(type, fields);
    case Type::caa: return caa_from_text(fields);
    default: return fields.bad("is known in the form \\# LENGTH HEX only");
  }
}

std::string quoted(std::string_view bytes) {
  std::string text = "\"";
  for (const char c : bytes) {
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (c >= ' ' && c < '\x7f') {
      text += c;
    } else {
      text += fmt::format("\\{:03}", static_cast<unsigned char>(c));
    }
  }
  return text + '"';
}

std::string generic_text(std::string_view bytes) {
  return fmt::format("\\# {}{}{}", bytes.size(), bytes.empty() ? "" : " ", text::to_hex(bytes));
}

// Longer ones come in messages, but no zone's text has them.
bool has_periods(const StartOfAuthority& soa) {
  return std::ranges::max(
             {soa.refresh_seconds, soa.retry_seconds, soa.expire_seconds, soa.minimum_seconds}) <=
         ttl_max;
}

// Nothing when the bytes are not what the type has; they are then shown in the generic form.
std::optional<std::string> raw_text(Type type, const RawData& raw) {
  WireReader reader(raw.bytes);
  std::string text;
  const auto number = [&text](unsigned value) { text += fmt::format("{} ", value); };
  switch (type) {
    case Type::soa: {
      const auto soa = soa_from_data(raw);
      if (!soa || !has_periods(*soa)) return {};
      return fmt::format("{} {} {} {} {} {} {}",
                         absolute(soa->primary),
                         absolute(soa->mailbox),
                         soa->serial,
                         soa->refresh_seconds,
                         soa->retry_seconds,
                         soa->expire_seconds,
                         soa->minimum_seconds);
    }
    case Type::srv: {
      for (int i = 0; i < 3; ++i) number(reader.u16());
      const auto target = name_from_wire(raw.bytes, reader.at());
      if (!target || target->end != raw.bytes.size()) return {};
      return text + absolute(target->name);
    }
    case Type::ds:
    case Type::dnskey:
    case Type::tlsa: {
      number(type == Type::tlsa ? reader.u8() : reader.u16());
      for (int i = 0; i < 2; ++i) number(reader.u8());
      const std::string_view rest = reader.rest();
      if (rest.empty()) return {};
      return text + (type == Type::dnskey ? text::to_base64(rest) : text::to_hex(rest));
    }
    case Type::caa: {
      number(reader.u8());
      const std::string_view tag = reader.take(reader.u8());
      const std::string_view value = reader.rest();
      // Servers do not take a tag in quotes (RFC 8659 section 4.1.1).
      if (!reader.ok() || tag.empty() || value.size() > string_bytes_max ||
          !std::ranges::all_of(tag, text::is_alnum))
        return {};
      return fmt::format("{}{} {}", text, tag, quoted(value));
    }
    default: return {};
  }
}

std::string address_text(Type type, const IpAddress& address) {
  // An IPv6 address that maps an IPv4 one must not come back as that.
  return type == Type::aaaa && address.is_v4() ? "::ffff:" + address.text() : address.text();
}

}  // namespace

Result<Data> data_from_text(Type type, std::span<const TextField> fields, std::string_view origin) {
  Fields left(type, fields, origin);
  const bool is_generic = !fields.empty() && !fields[0].is_quoted && fields[0].text == "\\#";
  TAPAL_TRY(Data data, is_generic ? generic_from_text(type, left) : fields_to_data(type, left));
  TAPAL_CHECK(left.end());
  return data;
}

std::string data_to_text(Type type, const Data& data) {
  if (const auto* address = std::get_if<IpAddress>(&data)) return address_text(type, *address);
  if (const auto* target = std::get_if<NameTarget>(&data)) return absolute(target->name);
  if (const auto* exchange = std::get_if<MailExchange>(&data))
    return fmt::format("{} {}", exchange->preference, absolute(exchange->exchange));
  if (const auto* text = std::get_if<Text>(&data)) {
    std::string line;
    for (const std::string_view string : text_strings(*text)) {
      if (!line.empty()) line += ' ';
      line += quoted(string);
    }
    return line;
  }
  const RawData& raw = std::get<RawData>(data);
  return raw_text(type, raw).value_or(generic_text(raw.bytes));
}

}  // namespace tapal::dns
