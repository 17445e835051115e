// Big-endian numbers in wire form: reading within bounds, and appending.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tapal::dns {

inline void append_u8(std::string& out, unsigned value) { out += static_cast<char>(value & 0xff); }
inline void append_u16(std::string& out, unsigned value) {
  append_u8(out, value >> 8);
  append_u8(out, value);
}
inline void append_u32(std::string& out, std::uint32_t value) {
  append_u16(out, value >> 16);
  append_u16(out, value & 0xffff);
}

// Reads front to back. Past the end it gives zeros and is no longer ok(), so that a fixed layout
// is read first and checked once.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes, std::size_t at = 0) : bytes_(bytes), at_(at) {}

  bool ok() const { return ok_; }
  std::size_t at() const { return at_; }
  std::size_t left() const { return bytes_.size() - at_; }
  void move_to(std::size_t at) {
    ok_ = ok_ && at <= bytes_.size();
    if (ok_) at_ = at;
  }
  unsigned u8() {
    const std::string_view byte = take(1);
    return byte.empty() ? 0 : static_cast<unsigned char>(byte[0]);
  }
  std::uint16_t u16() {
    const unsigned high = u8();
    return static_cast<std::uint16_t>(high << 8 | u8());
  }
  std::uint32_t u32() {
    const std::uint32_t high = u16();
    return high << 16 | u16();
  }
  std::string_view take(std::size_t size) {
    ok_ = ok_ && at_ <= bytes_.size() && size <= left();
    if (!ok_) return {};
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  std::string_view rest() { return take(left()); }

 private:
  std::string_view bytes_;
  std::size_t at_;
  bool ok_ = true;
};

}  // namespace tapal::dns
