#include "base/queue_id.h"

#include <algorithm>
#include <array>

namespace tapal {
namespace {

constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t length = 13;  // 13 x 5 = 65 bits: the first character is 0 to F

constexpr auto values = [] {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    const auto c = static_cast<unsigned char>(alphabet[i]);
    table[c] = static_cast<std::int8_t>(i);
    if (c >= 'A') table[c + ('a' - 'A')] = static_cast<std::int8_t>(i);
  }
  return table;
}();

}  // namespace

std::string QueueId::text() const {
  std::string out(length, '0');
  std::uint64_t rest = value;
  for (std::size_t i = length; i-- > 0; rest >>= 5U) out[i] = alphabet[rest & 31U];
  return out;
}

std::optional<QueueId> QueueId::from_text(std::string_view text) {
  if (text.size() != length) return {};
  std::uint64_t value = 0;
  for (const char c : text) {
    const auto digit = values[static_cast<unsigned char>(c)];
    if (digit < 0 || (value >> 59U) != 0) return {};
    value = value << 5U | static_cast<std::uint64_t>(digit);
  }
  return QueueId{value};
}

QueueId QueueId::make(WallTime now, std::uint32_t low) {
  const auto milliseconds = static_cast<std::uint64_t>(now.time_since_epoch().count());
  return QueueId{milliseconds << 22U | (low & 0x3fffffU)};
}

WallTime QueueId::made() const {
  return WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(value >> 22U)));
}

QueueId QueueIds::next(WallTime now) {
  const auto of_now = QueueId::make(now, 0).value;
  auto last = last_.load();
  while (!last_.compare_exchange_weak(last, std::max(of_now, last + 1))) {
  }
  return QueueId{std::max(of_now, last + 1)};
}

void QueueIds::continue_after(QueueId newest) {
  auto last = last_.load();
  while (last < newest.value && !last_.compare_exchange_weak(last, newest.value)) {
  }
}

}  // namespace tapal
