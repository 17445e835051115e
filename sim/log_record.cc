#include "sim/log_record.h"

#include <cstring>

#include "sim/fingerprint.h"

namespace tapal::sim {
namespace {

void put_number(std::string& out, std::uint64_t number) {
  out.append(std::string_view(reinterpret_cast<const char*>(&number), sizeof number));
}
void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out += text;
}

// Reads as far as there are bytes; what is missing reads as nothing and clears `whole`.
struct Cursor {
  std::string_view bytes;
  bool whole = true;

  std::string_view take(std::uint64_t count) {
    if (count > bytes.size()) whole = false;
    const auto taken = bytes.substr(0, count);
    bytes.remove_prefix(taken.size());
    return taken;
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    const auto taken = take(sizeof value);
    std::memcpy(&value, taken.data(), taken.size());
    return value;
  }
  std::string text() { return std::string(take(number())); }
};

constexpr std::size_t frame_bytes = 2 * sizeof(std::uint64_t);  // length, checksum

}  // namespace

std::string encode(const LogRecord& record) {
  std::string payload(1, static_cast<char>(record.kind));
  put_number(payload, record.number);
  put_number(payload, record.puts.size());
  for (const LogRecord::Put& put : record.puts) {
    put_number(payload, put.id.value);
    put_text(payload, put.state);
    put_number(payload, put.body ? 1 : 0);
    if (put.body) put_text(payload, *put.body);
  }
  put_number(payload, record.removed.size());
  for (const QueueId id : record.removed) put_number(payload, id.value);

  std::string out;
  put_number(out, payload.size());
  put_number(out, fingerprint(payload));
  return out + payload;
}

std::optional<LogRecord> decode(std::string_view& log, Checksum checksum) {
  if (log.size() < frame_bytes) return {};
  Cursor frame{log};
  const std::uint64_t length = frame.number();
  const std::uint64_t expected = frame.number();
  const std::string_view payload = frame.take(length);
  const bool sound = frame.whole && fingerprint(payload) == expected;
  if (length == 0 || (!sound && checksum == Checksum::required)) return {};

  Cursor cursor{payload};
  LogRecord record;
  record.kind = static_cast<LogRecord::Kind>(cursor.take(1).empty() ? 0 : payload.front());
  record.number = cursor.number();
  for (auto left = cursor.number(); left > 0 && cursor.whole; --left) {
    LogRecord::Put& put = record.puts.emplace_back();
    put.id.value = cursor.number();
    put.state = cursor.text();
    if (cursor.number() != 0) put.body = std::make_shared<const std::string>(cursor.text());
  }
  for (auto left = cursor.number(); left > 0 && cursor.whole; --left)
    record.removed.push_back(QueueId{cursor.number()});
  log = frame.bytes;
  return record;
}

}  // namespace tapal::sim
