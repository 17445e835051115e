#include "values/dns/message.h"

#include <fmt/format.h>

#include "values/dns/name.h"
#include "values/dns/rdata.h"
#include "values/dns/wire.h"

namespace tapal::dns {
namespace {

constexpr std::size_t edns_bytes = 11;
constexpr std::uint32_t ttl_sign = 0x8000'0000;  // such a TTL is zero (RFC 2181 section 8)
constexpr std::uint32_t edns_dnssec_ok = 0x8000;

Flags flags_from_wire(unsigned bits) {
  return {.response = (bits & 0x8000U) != 0,
          .authoritative = (bits & 0x0400U) != 0,
          .truncated = (bits & 0x0200U) != 0,
          .recursion_desired = (bits & 0x0100U) != 0,
          .recursion_available = (bits & 0x0080U) != 0,
          .authentic_data = (bits & 0x0020U) != 0,
          .checking_disabled = (bits & 0x0010U) != 0,
          .opcode = static_cast<std::uint8_t>(bits >> 11 & 15U)};
}

unsigned flags_to_wire(const Flags& flags) {
  return (flags.response ? 0x8000U : 0) | (flags.authoritative ? 0x0400U : 0) |
         (flags.truncated ? 0x0200U : 0) | (flags.recursion_desired ? 0x0100U : 0) |
         (flags.recursion_available ? 0x0080U : 0) | (flags.authentic_data ? 0x0020U : 0) |
         (flags.checking_disabled ? 0x0010U : 0) | (flags.opcode & 15U) << 11;
}

class Parser {
 public:
  explicit Parser(std::string_view bytes) : bytes_(bytes), reader_(bytes) {}

  Result<Message> run() {
    if (bytes_.size() < header_bytes) return fail(Code::invalid, "the message is cut off");
    if (bytes_.size() > message_bytes_max) return fail(Code::invalid, "the message is too long");
    message_.id = reader_.u16();
    const unsigned bits = reader_.u16();
    message_.flags = flags_from_wire(bits);
    message_.rcode = Rcode{static_cast<std::uint16_t>(bits & 15U)};
    const unsigned questions = reader_.u16();
    const unsigned answers = reader_.u16();
    const unsigned authority = reader_.u16();
    const unsigned additional = reader_.u16();
    for (unsigned i = 0; i < questions; ++i) {
      TAPAL_CHECK(question());
    }
    for (unsigned i = 0; i < answers; ++i) {
      TAPAL_CHECK(record(message_.answers));
    }
    for (unsigned i = 0; i < authority; ++i) {
      TAPAL_CHECK(record(message_.authority));
    }
    for (unsigned i = 0; i < additional; ++i) {
      TAPAL_CHECK(record(message_.additional));
    }
    if (reader_.left() > 0) return fail(Code::invalid, "bytes behind the message");
    return std::move(message_);
  }

 private:
  Result<std::string> name() {
    TAPAL_TRY(NameAt found, name_from_wire(bytes_, reader_.at()));
    reader_.move_to(found.end);
    return std::move(found.name);
  }

  Result<void> question() {
    Question question;
    TAPAL_TRY(question.name, name());
    question.type = Type{reader_.u16()};
    question.question_class = reader_.u16();
    if (!reader_.ok()) return fail(Code::invalid, "a question is cut off");
    message_.questions.push_back(std::move(question));
    return {};
  }

  Result<void> record(std::vector<Record>& section) {
    Record record;
    TAPAL_TRY(record.name, name());
    record.type = Type{reader_.u16()};
    const unsigned record_class = reader_.u16();
    const std::uint32_t ttl = reader_.u32();
    const std::size_t size = reader_.u16();
    const std::size_t offset = reader_.at();
    reader_.take(size);
    if (!reader_.ok()) return fail(Code::invalid, "a record is cut off");
    if (record.type == Type::opt) {
      if (message_.edns || !record.name.empty() || &section != &message_.additional)
        return fail(Code::invalid, "an OPT record out of place");
      message_.edns = Edns{.payload_bytes_max = static_cast<std::uint16_t>(record_class),
                           .version = static_cast<std::uint8_t>(ttl >> 16),
                           .dnssec_ok = (ttl & edns_dnssec_ok) != 0};
      message_.rcode =
          Rcode{static_cast<std::uint16_t>((ttl >> 24) << 4 | std::to_underlying(message_.rcode))};
      return {};
    }
    if (record_class != class_in) return fail(Code::invalid, "a record of another class than IN");
    record.ttl = std::chrono::seconds((ttl & ttl_sign) != 0 ? 0 : ttl);
    TAPAL_TRY(record.data, data_from_wire(record.type, bytes_, {offset, size}));
    section.push_back(std::move(record));
    return {};
  }

  std::string_view bytes_;
  WireReader reader_;
  Message message_;
};

class Writer {
 public:
  Writer(const Message& message, std::size_t bytes_max)
      : message_(message), bytes_max_(std::min(bytes_max, message_bytes_max)) {}

  Result<std::string> run() {
    const std::size_t reserved = message_.edns ? edns_bytes : 0;
    if (bytes_max_ < header_bytes + reserved) return no_room();
    bytes_max_ -= reserved;
    out_.assign(header_bytes, '\0');
    for (const Question& question : message_.questions) {
      TAPAL_CHECK(names_.append(out_, question.name));
      append_u16(out_, std::to_underlying(question.type));
      append_u16(out_, question.question_class);
    }
    if (out_.size() > bytes_max_) return no_room();
    TAPAL_TRY(const unsigned answers, section(message_.answers));
    const bool answers_cut = answers < message_.answers.size();
    unsigned authority = 0;
    if (!answers_cut) {
      TAPAL_TRY(authority, section(message_.authority));
    }
    const bool is_cut = answers_cut || authority < message_.authority.size();
    unsigned additional = 0;
    if (!is_cut) {
      TAPAL_TRY(additional, section(message_.additional));
    }
    if (const auto& edns = message_.edns) {
      append_edns(*edns);
      ++additional;
    }
    std::string header;
    append_u16(header, message_.id);
    append_u16(header,
               flags_to_wire(message_.flags) | (is_cut ? 0x0200U : 0) |
                   (std::to_underlying(message_.rcode) & 15U));
    append_u16(header, static_cast<unsigned>(message_.questions.size()));
    append_u16(header, answers);
    append_u16(header, authority);
    append_u16(header, additional);
    out_.replace(0, header_bytes, header);
    return std::move(out_);
  }

 private:
  static std::unexpected<Error> no_room() {
    return fail(Code::invalid, "the message does not fit into its limit");
  }

  // How many of the records fit.
  Result<unsigned> section(const std::vector<Record>& records) {
    unsigned written = 0;
    for (const Record& record : records) {
      const std::size_t before = out_.size();
      TAPAL_CHECK(append(record));
      if (out_.size() > bytes_max_) {
        out_.resize(before);
        names_.forget_from(before);
        return written;
      }
      ++written;
    }
    return written;
  }

  Result<void> append(const Record& record) {
    if (record.type == Type::opt) return fail(Code::invalid, "OPT is not a record of its own");
    if (!data_fits(record.type, record.data))
      return fail(
          Code::invalid,
          fmt::format("{} {} has data of another kind", record.name, type_text(record.type)));
    TAPAL_CHECK(names_.append(out_, record.name));
    append_u16(out_, std::to_underlying(record.type));
    append_u16(out_, class_in);
    append_u32(out_, static_cast<std::uint32_t>(record.ttl.count()) & ~ttl_sign);
    const std::size_t size_at = out_.size();
    append_u16(out_, 0);
    if (const auto* target = std::get_if<NameTarget>(&record.data)) {
      TAPAL_CHECK(names_.append(out_, target->name));
    } else if (const auto* exchange = std::get_if<MailExchange>(&record.data)) {
      append_u16(out_, exchange->preference);
      TAPAL_CHECK(names_.append(out_, exchange->exchange));
    } else {
      TAPAL_TRY(const std::string wire, data_to_wire(record.type, record.data));
      out_ += wire;
    }
    std::string size;
    append_u16(size, static_cast<unsigned>(out_.size() - size_at - 2));
    out_.replace(size_at, 2, size);
    return {};
  }

  void append_edns(const Edns& edns) {
    append_u8(out_, 0);
    append_u16(out_, std::to_underlying(Type::opt));
    append_u16(out_, edns.payload_bytes_max);
    append_u8(out_, std::to_underlying(message_.rcode) >> 4U);
    append_u8(out_, edns.version);
    append_u16(out_, edns.dnssec_ok ? edns_dnssec_ok : 0);
    append_u16(out_, 0);
  }

  const Message& message_;
  std::size_t bytes_max_;
  std::string out_;
  NameWriter names_;
};

}  // namespace

std::string rcode_text(Rcode rcode) {
  switch (rcode) {
    case Rcode::no_error: return "NOERROR";
    case Rcode::format_error: return "FORMERR";
    case Rcode::server_failure: return "SERVFAIL";
    case Rcode::no_such_name: return "NXDOMAIN";
    case Rcode::not_implemented: return "NOTIMP";
    case Rcode::refused: return "REFUSED";
    case Rcode::not_authoritative: return "NOTAUTH";
    case Rcode::not_zone: return "NOTZONE";
    case Rcode::bad_version: return "BADVERS";
  }
  return fmt::format("RCODE{}", std::to_underlying(rcode));
}

Result<Message> parse_message(std::string_view bytes) { return Parser(bytes).run(); }

Result<std::string> write_message(const Message& message, std::size_t bytes_max) {
  if (message.questions.size() > 1)
    return fail(Code::invalid, "a message has one question at most (RFC 9619)");
  if (std::to_underlying(message.rcode) > 15 && !message.edns)
    return fail(Code::invalid, "the response code needs EDNS");
  return Writer(message, bytes_max).run();
}

}  // namespace tapal::dns
