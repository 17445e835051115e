#include "protocols/milter/packet.h"

#include <algorithm>

#include <fmt/format.h>

namespace tapal::milter {
namespace {

constexpr std::size_t length_bytes = 4;

std::uint32_t read_number(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < length_bytes; ++i)
    value = value << 8U | static_cast<std::uint8_t>(bytes[i]);
  return value;
}

}  // namespace

std::string number(std::uint32_t value) {
  std::string bytes;
  for (const unsigned shift : {24U, 16U, 8U, 0U})
    bytes += static_cast<char>(value >> shift & 0xFFU);
  return bytes;
}

std::string texts(std::initializer_list<std::string_view> parts) {
  std::string bytes;
  for (const std::string_view part : parts) {
    bytes += part.substr(0, part.find('\0'));
    bytes += '\0';
  }
  return bytes;
}

std::string packet(Command command, std::string_view data) {
  data = data.substr(0, packet_bytes_max - 1);
  auto bytes = number(static_cast<std::uint32_t>(data.size() + 1));
  bytes += static_cast<char>(command);
  bytes += data;
  return bytes;
}

std::string offer() {
  return packet(Command::options,
                number(protocol_version) + number(ability::all) + number(wish::offered));
}

std::string connect_data(std::string_view name, const Endpoint& peer) {
  const bool is_v4 = peer.address.is_v4();
  std::string data = texts({name});
  data += is_v4 ? '4' : '6';
  data += static_cast<char>(peer.port >> 8U);
  data += static_cast<char>(peer.port & 0xFFU);
  return data + texts({peer.address.text()});
}

Result<std::optional<Packet>> PacketReader::next() {
  const std::string_view rest = std::string_view(bytes_).substr(read_);
  if (rest.size() < length_bytes) return std::optional<Packet>();
  const std::uint32_t length = read_number(rest);
  if (length == 0 || length > packet_bytes_max)
    return fail(Code::invalid,
                fmt::format("a packet of {} bytes: expected 1 to {}", length, packet_bytes_max));
  if (rest.size() < length_bytes + length) return std::optional<Packet>();
  Packet packet{static_cast<Answer>(rest[length_bytes]),
                std::string(rest.substr(length_bytes + 1, length - 1))};
  read_ += length_bytes + length;
  if (read_ == bytes_.size() || read_ > packet_bytes_max) {
    bytes_.erase(0, read_);
    read_ = 0;
  }
  return packet;
}

std::uint32_t DataReader::number() {
  good_ = good_ && rest_.size() >= length_bytes;
  if (!good_) return 0;
  const std::uint32_t value = read_number(rest_);
  rest_.remove_prefix(length_bytes);
  return value;
}

std::string_view DataReader::text() {
  const std::size_t end = rest_.find('\0');
  good_ = good_ && end != rest_.npos;
  if (!good_) return {};
  const std::string_view value = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  return value;
}

}  // namespace tapal::milter
