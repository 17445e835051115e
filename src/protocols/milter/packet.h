// Packets of the milter protocol, version 6, as the mail server sends and reads them. No RFC has
// it: the facts are those of Sendmail's libmilter (include/libmilter/mfdef.h).
// On the wire: a length of four bytes, most significant first, then a letter, then its data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"

namespace tapal::milter {

inline constexpr std::uint32_t protocol_version = 6;
inline constexpr std::uint32_t oldest_version = 2;

enum class Command : char {
  options = 'O',
  macros = 'D',
  connect = 'C',
  hello = 'H',
  mail = 'M',
  recipient = 'R',
  data = 'T',
  header = 'L',
  end_of_header = 'N',
  body = 'B',
  end_of_message = 'E',
  abort = 'A',
  quit = 'Q',
  quit_new_connection = 'K',  // the message is over; another connection's begins
  unknown = 'U',
};

enum class Answer : char {
  add_recipient = '+',
  remove_recipient = '-',
  add_recipient_with_arguments = '2',
  shutdown = '4',  // 421
  accept = 'a',
  replace_body = 'b',
  proceed = 'c',  // "continue"
  discard = 'd',
  change_from = 'e',
  connection_failure = 'f',
  add_header = 'h',
  insert_header = 'i',
  change_header = 'm',
  progress = 'p',
  quarantine = 'q',
  reject = 'r',
  skip = 's',
  temporary_failure = 't',
  reply = 'y',
};

// What a filter may do at the end of the message: SMFIF_*.
namespace ability {
inline constexpr std::uint32_t add_headers = 0x1;
inline constexpr std::uint32_t change_body = 0x2;
inline constexpr std::uint32_t add_recipients = 0x4;
inline constexpr std::uint32_t remove_recipients = 0x8;
inline constexpr std::uint32_t change_headers = 0x10;
inline constexpr std::uint32_t quarantine = 0x20;
inline constexpr std::uint32_t change_from = 0x40;
inline constexpr std::uint32_t add_recipients_with_arguments = 0x80;
inline constexpr std::uint32_t choose_macros = 0x100;
inline constexpr std::uint32_t all = 0x1FF;
}  // namespace ability

// What a filter does not want to be told, and which commands it will not answer: SMFIP_*.
namespace wish {
inline constexpr std::uint32_t no_connect = 0x1;
inline constexpr std::uint32_t no_hello = 0x2;
inline constexpr std::uint32_t no_mail = 0x4;
inline constexpr std::uint32_t no_recipients = 0x8;
inline constexpr std::uint32_t no_body = 0x10;
inline constexpr std::uint32_t no_headers = 0x20;
inline constexpr std::uint32_t no_end_of_header = 0x40;
inline constexpr std::uint32_t silent_headers = 0x80;
inline constexpr std::uint32_t no_unknown = 0x100;
inline constexpr std::uint32_t no_data = 0x200;
inline constexpr std::uint32_t skip = 0x400;  // it may say so during the body
inline constexpr std::uint32_t refused_recipients = 0x800;
inline constexpr std::uint32_t silent_connect = 0x1000;
inline constexpr std::uint32_t silent_hello = 0x2000;
inline constexpr std::uint32_t silent_mail = 0x4000;
inline constexpr std::uint32_t silent_recipients = 0x8000;
inline constexpr std::uint32_t silent_data = 0x10000;
inline constexpr std::uint32_t silent_unknown = 0x20000;
inline constexpr std::uint32_t silent_end_of_header = 0x40000;
inline constexpr std::uint32_t silent_body = 0x80000;
inline constexpr std::uint32_t leading_space =
    0x100000;  // values come with the space behind the colon
// Larger body pieces (SMFIP_MDS_*) and refused recipients are not offered.
inline constexpr std::uint32_t offered = 0x1FFFFF & ~refused_recipients;
}  // namespace wish

inline constexpr std::size_t body_piece_bytes_max = 65'535;
inline constexpr std::size_t packet_bytes_max = 65'536;  // with the letter, without the length

// One packet. Data past what the length allows to say is cut.
std::string packet(Command command, std::string_view data = {});
std::string texts(std::initializer_list<std::string_view> parts);  // each ended by NUL
std::string number(std::uint32_t value);

// Options as they are offered.
std::string offer();
// The peer as SMFIC_CONNECT has it; `name` is its host name, or its address in brackets.
std::string connect_data(std::string_view name, const Endpoint& peer);

struct Packet {
  Answer letter = Answer::proceed;
  std::string data;
};

// Cuts packets out of bytes that come in pieces. An error is final.
class PacketReader {
 public:
  void feed(std::string_view bytes) { bytes_ += bytes; }
  // Nothing: more bytes are needed. Code::invalid: a length of 0 or past packet_bytes_max.
  Result<std::optional<Packet>> next();

 private:
  std::string bytes_;
  std::size_t read_ = 0;
};

// Reads the data of one packet from its front; after a failure everything fails.
class DataReader {
 public:
  explicit DataReader(std::string_view data) : rest_(data) {}
  std::uint32_t number();
  std::string_view text();  // up to NUL, which must be there
  std::string_view rest() const { return rest_; }
  bool is_good() const { return good_; }
  bool at_end() const { return good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

}  // namespace tapal::milter
