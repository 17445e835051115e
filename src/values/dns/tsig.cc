#include "values/dns/tsig.h"

#include <optional>

#include <fmt/format.h>

#include "values/dns/message.h"
#include "values/dns/name.h"
#include "values/dns/wire.h"
#include "values/text/date.h"

namespace tapal::dns {
namespace {

constexpr std::uint16_t tsig_type = 250;
constexpr std::size_t additional_count_at = 10;

// Errors of a TSIG record (RFC 8945 section 3).
constexpr std::uint16_t bad_signature = 16;
constexpr std::uint16_t bad_key = 17;
constexpr std::uint16_t bad_time = 18;

struct Tsig {
  std::size_t at = 0;  // where its record begins
  std::string key_name;
  std::string algorithm;
  std::uint64_t signed_at = 0;  // seconds since 1970
  std::uint16_t fudge = 0;
  std::string mac;
  std::uint16_t original_id = 0;
  std::uint16_t error = 0;
  std::string other;
};

std::uint64_t seconds_of(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(seconds, 0));
}

std::string clock_text(std::uint64_t seconds) {
  const std::chrono::seconds since(static_cast<std::int64_t>(seconds));
  return text::rfc3339_date(WallTime(since));
}

void append_u48(std::string& out, std::uint64_t value) {
  append_u16(out, static_cast<unsigned>(value >> 32 & 0xffff));
  append_u32(out, static_cast<std::uint32_t>(value & 0xffff'ffff));
}

std::uint64_t read_u48(WireReader& reader) {
  const std::uint64_t high = reader.u16();
  return high << 32 | reader.u32();
}

// The digest's "TSIG variables" (RFC 8945 section 4.3.3).
Result<std::string> variables_of(const Tsig& tsig) {
  TAPAL_TRY(std::string bytes, name_to_wire(tsig.key_name));
  append_u16(bytes, class_any);
  append_u32(bytes, 0);  // TTL
  TAPAL_TRY(const std::string algorithm, name_to_wire(tsig.algorithm));
  bytes += algorithm;
  append_u48(bytes, tsig.signed_at);
  append_u16(bytes, tsig.fudge);
  append_u16(bytes, tsig.error);
  append_u16(bytes, static_cast<unsigned>(tsig.other.size()));
  return bytes + tsig.other;
}

Result<std::string> record_of(const Tsig& tsig) {
  TAPAL_TRY(std::string data, name_to_wire(tsig.algorithm));
  append_u48(data, tsig.signed_at);
  append_u16(data, tsig.fudge);
  append_u16(data, static_cast<unsigned>(tsig.mac.size()));
  data += tsig.mac;
  append_u16(data, tsig.original_id);
  append_u16(data, tsig.error);
  append_u16(data, static_cast<unsigned>(tsig.other.size()));
  data += tsig.other;
  TAPAL_TRY(std::string record, name_to_wire(tsig.key_name));
  append_u16(record, tsig_type);
  append_u16(record, class_any);
  append_u32(record, 0);  // TTL
  append_u16(record, static_cast<unsigned>(data.size()));
  return record + data;
}

void set_additional_count(std::string& message, unsigned count) {
  message[additional_count_at] = static_cast<char>(count >> 8);
  message[additional_count_at + 1] = static_cast<char>(count & 0xff);
}

unsigned additional_count(std::string_view message) {
  WireReader reader(message, additional_count_at);
  return reader.u16();
}

std::unexpected<Error> broken() { return fail(Code::invalid, "the answer is not a DNS message"); }

// Where the message's last record begins, if it is a TSIG record. Passes over all before it.
Result<std::optional<std::size_t>> find_tsig(std::string_view message) {
  if (message.size() < header_bytes) return broken();
  WireReader reader(message, 4);
  const unsigned questions = reader.u16();
  unsigned records = reader.u16();
  records += reader.u16();
  const unsigned additional = reader.u16();
  records += additional;
  for (unsigned i = 0; i < questions; ++i) {
    TAPAL_TRY(const NameAt name, name_from_wire(message, reader.at()));
    reader.move_to(name.end);
    reader.take(4);
    if (!reader.ok()) return broken();
  }
  std::optional<std::size_t> last;
  for (unsigned i = 0; i < records; ++i) {
    const std::size_t at = reader.at();
    TAPAL_TRY(const NameAt name, name_from_wire(message, at));
    reader.move_to(name.end);
    const bool is_tsig = reader.u16() == tsig_type;
    reader.take(6);
    reader.take(reader.u16());
    if (!reader.ok()) return broken();
    last = is_tsig ? std::optional(at) : std::nullopt;
  }
  if (reader.left() > 0) return broken();
  return additional > 0 ? last : std::nullopt;
}

Result<Tsig> read_tsig(std::string_view message, std::size_t at) {
  Tsig tsig;
  tsig.at = at;
  TAPAL_TRY(NameAt name, name_from_wire(message, at));
  tsig.key_name = std::move(name.name);
  constexpr std::size_t fixed_bytes = 10;  // type, class, TTL, size
  TAPAL_TRY(NameAt algorithm, name_from_wire(message, name.end + fixed_bytes));
  tsig.algorithm = std::move(algorithm.name);
  WireReader reader(message);
  reader.move_to(algorithm.end);
  tsig.signed_at = read_u48(reader);
  tsig.fudge = reader.u16();
  tsig.mac = reader.take(reader.u16());
  tsig.original_id = reader.u16();
  tsig.error = reader.u16();
  tsig.other = reader.take(reader.u16());
  if (!reader.ok() || reader.left() > 0) return broken();
  return tsig;
}

// Takes the same time wherever they differ.
bool same_bytes(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

std::unexpected<Error> clocks_differ(std::uint64_t ours, std::uint64_t theirs) {
  return fail(Code::denied,
              fmt::format("the clocks differ by more than {} s: here it is {}, there {}",
                          tsig_fudge.count(),
                          clock_text(ours),
                          clock_text(theirs)));
}

// The server's word on our signature. It does not sign an answer that says the key or the signature
// is wrong (RFC 8945 section 5.3.2); nothing worse can come of believing it than a "no".
Result<void> check_error(const Tsig& tsig, const TsigKey& key) {
  switch (tsig.error) {
    case bad_signature:
      return fail(Code::denied,
                  fmt::format("it has another secret for the key \"{}\" than this one", key.name));
    case bad_key:
      return fail(Code::denied,
                  fmt::format("it knows no key \"{}\" with {}", key.name, key.algorithm));
    default: return {};
  }
}

}  // namespace

Result<SignedMessage> sign_tsig(std::string message, const TsigKey& key, WallTime now) {
  if (message.size() < header_bytes) return broken();
  Tsig tsig;
  tsig.key_name = key.name;
  tsig.algorithm = key.algorithm;
  tsig.signed_at = seconds_of(now);
  tsig.fudge = static_cast<std::uint16_t>(tsig_fudge.count());
  tsig.original_id = WireReader(message).u16();
  TAPAL_TRY(const std::string variables, variables_of(tsig));
  tsig.mac = key.mac(message + variables);
  TAPAL_TRY(const std::string record, record_of(tsig));
  set_additional_count(message, additional_count(message) + 1);
  message += record;
  if (message.size() > message_bytes_max)
    return fail(Code::invalid, "a signed DNS message over 65535 bytes");
  return SignedMessage{std::move(message), std::move(tsig.mac)};
}

Result<std::string> verify_tsig(std::string_view answer,
                                const TsigKey& key,
                                const SignedMessage& request,
                                WallTime now) {
  TAPAL_TRY(const auto at, find_tsig(answer));
  if (!at) {
    const auto rcode = Rcode{static_cast<std::uint16_t>(answer[3] & 15)};
    return fail(rcode == Rcode::refused ? Code::not_found : Code::denied,
                fmt::format("its answer, {}, is not signed; does it know the key \"{}\"?",
                            rcode_text(rcode),
                            key.name));
  }
  TAPAL_TRY(const Tsig tsig, read_tsig(answer, *at));
  TAPAL_CHECK(check_error(tsig, key));
  const auto wrong = [] { return fail(Code::denied, "the signature of its answer does not hold"); };
  if (tsig.key_name != key.name || tsig.algorithm != key.algorithm) return wrong();
  std::string message(answer.substr(0, tsig.at));
  set_additional_count(message, additional_count(message) - 1);
  message[0] = static_cast<char>(tsig.original_id >> 8);
  message[1] = static_cast<char>(tsig.original_id & 0xff);
  TAPAL_TRY(const std::string variables, variables_of(tsig));
  std::string signed_bytes;
  append_u16(signed_bytes, static_cast<unsigned>(request.mac.size()));
  signed_bytes += request.mac + message + variables;
  if (!same_bytes(key.mac(signed_bytes), tsig.mac)) return wrong();
  const std::uint64_t ours = seconds_of(now);
  if (tsig.error == bad_time) {
    WireReader reader(tsig.other);
    return clocks_differ(ours, read_u48(reader));
  }
  const std::uint64_t apart = ours > tsig.signed_at ? ours - tsig.signed_at : tsig.signed_at - ours;
  if (apart > static_cast<std::uint64_t>(tsig_fudge.count()))
    return clocks_differ(ours, tsig.signed_at);
  return message;
}

}  // namespace tapal::dns
