#include "drivers/system/log_sinks.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "values/text/ascii.h"
#include "values/text/date.h"
#include "values/text/utf8.h"

namespace tapal {
namespace {

constexpr const char* journal_socket = "/run/systemd/journal/socket";

std::string_view level_text(Level level) {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warning: return "warning";
    case Level::error: break;
  }
  return "error";
}

int priority_of(Level level) {
  switch (level) {
    case Level::debug: return LOG_DEBUG;
    case Level::info: return LOG_INFO;
    case Level::warning: return LOG_WARNING;
    case Level::error: break;
  }
  return LOG_ERR;
}

bool needs_quotes(std::string_view value) {
  return value.empty() || value.find_first_of(" \"=") != std::string_view::npos;
}

std::string quoted_value(std::string_view value) {
  auto shown = text::printable(value, log_value_bytes_max);
  if (!needs_quotes(shown)) return shown;
  std::string out = "\"";
  for (const char c : shown) {
    if (c == '"') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

std::string text_line(const WallTime* time,
                      Level level,
                      std::string_view event,
                      const LogFields& fields) {
  std::string line = time == nullptr ? std::string() : text::rfc3339_date(*time) + " ";
  line += fmt::format("{:<7} {}", level_text(level), text::printable(event, log_value_bytes_max));
  for (const auto& [name, value] : fields)
    if (!value.empty()) line += fmt::format(" {}={}", name, quoted_value(value));
  return line;
}

std::string json_line(WallTime time, Level level, std::string_view event, const LogFields& fields) {
  boost::json::object object{{"time", text::rfc3339_date(time)},
                             {"level", level_text(level)},
                             {"event", text::printable(event, log_value_bytes_max)}};
  for (const auto& [name, value] : fields)
    if (!value.empty()) object[name] = text::printable(value, log_value_bytes_max);
  return boost::json::serialize(object);
}

TextLog::TextLog(int descriptor, const Clock& clock, Level least, LineStart start)
    : lines_(descriptor), clock_(clock), least_(least), start_(start) {}

void TextLog::write(Level level, std::string_view event, LogFields fields) {
  if (level < least_) return;
  const auto now = clock_.wall_now();
  auto line = text_line(start_ == LineStart::time ? &now : nullptr, level, event, fields);
  if (start_ == LineStart::priority) line = fmt::format("<{}>{}", priority_of(level), line);
  lines_.write(line);
}

JsonLog::JsonLog(int descriptor, const Clock& clock, Level least)
    : lines_(descriptor), clock_(clock), least_(least) {}

void JsonLog::write(Level level, std::string_view event, LogFields fields) {
  if (level >= least_) lines_.write(json_line(clock_.wall_now(), level, event, fields));
}

// libsystemd answers "done" when there is no journal at all.
bool JournalLog::available() { return ::access(journal_socket, W_OK) == 0; }

void JournalLog::write(Level level, std::string_view event, LogFields fields) {
  if (level < least_) return;
  std::vector<std::string> entries{fmt::format("PRIORITY={}", priority_of(level)),
                                   "SYSLOG_IDENTIFIER=tapal",
                                   "MESSAGE=" + text_line(nullptr, level, event, fields)};
  for (const auto& [name, value] : fields)
    if (!value.empty())
      entries.push_back(fmt::format(
          "TAPAL_{}={}", text::to_upper(name), text::printable(value, log_value_bytes_max)));
  std::vector<iovec> pieces;
  pieces.reserve(entries.size());
  for (auto& entry : entries) pieces.push_back({entry.data(), entry.size()});
  sd_journal_sendv(pieces.data(), static_cast<int>(pieces.size()));
}

bool is_journal_stream(int descriptor) {
  const char* stream = std::getenv("JOURNAL_STREAM");  // NOLINT(concurrency-mt-unsafe): at start-up
  struct stat status{};
  if (stream == nullptr || ::fstat(descriptor, &status) != 0) return false;
  return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

std::unique_ptr<Log> default_log(const Clock& clock, Level least) {
  if (is_journal_stream(STDERR_FILENO) && JournalLog::available())
    return std::make_unique<JournalLog>(least);
  return std::make_unique<TextLog>(STDERR_FILENO, clock, least);
}

}  // namespace tapal
