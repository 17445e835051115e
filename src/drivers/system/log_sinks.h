// Where log lines go: text for people, JSON for machines, systemd's journal with its fields. All
// are safe from any thread and never wait for whoever reads them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"
#include "drivers/system/line_writer.h"
#include "ports/clock.h"
#include "ports/log.h"

namespace tapal {

inline constexpr std::size_t log_value_bytes_max = 2048;  // longer values are cut and end in "..."

// One line without its end:
// "2026-11-22T03:04:05.678Z info    message accepted queue_id=01J from=<ann@example.org>".
// Without `time` it begins with the level. Values are quoted only when they need it.
std::string text_line(const WallTime* time,
                      Level level,
                      std::string_view event,
                      const LogFields& fields);

// {"time":"...","level":"info","event":"message accepted","queue_id":"01J"}
std::string json_line(WallTime time, Level level, std::string_view event, const LogFields& fields);

enum class LineStart : std::uint8_t {
  time,      // the line begins with the time
  no_time,   // whoever collects the lines adds it
  priority,  // "<6>" before the line, as systemd reads it from standard error (sd-daemon(3))
};

// Writes to a descriptor that it does not own (usually standard error).
class TextLog final : public Log {
 public:
  TextLog(int descriptor, const Clock& clock, Level least, LineStart start = LineStart::time);
  void write(Level level, std::string_view event, LogFields fields = {}) override;

 private:
  LineWriter lines_;
  const Clock& clock_;
  Level least_;
  LineStart start_;
};

class JsonLog final : public Log {
 public:
  JsonLog(int descriptor, const Clock& clock, Level least);
  void write(Level level, std::string_view event, LogFields fields = {}) override;

 private:
  LineWriter lines_;
  const Clock& clock_;
  Level least_;
};

// MESSAGE is the text line; each field also goes as TAPAL_FIELD_NAME.
class JournalLog final : public Log {
 public:
  explicit JournalLog(Level least) : least_(least) {}
  static bool available();  // the journal's socket is there; libsystemd drops lines silently if not
  void write(Level level, std::string_view event, LogFields fields = {}) override;

 private:
  Level least_;
};

// Descriptor `descriptor` is connected to the journal (JOURNAL_STREAM names its device and inode,
// systemd.exec(5)).
bool is_journal_stream(int descriptor);

// The journal when standard error leads there, text on standard error otherwise.
std::unique_ptr<Log> default_log(const Clock& clock, Level least);

}  // namespace tapal
