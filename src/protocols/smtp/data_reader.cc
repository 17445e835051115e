#include "protocols/smtp/data_reader.h"

#include <algorithm>
#include <cstring>

namespace tapal::smtp {
namespace {

const char* find_or_end(const char* at, const char* end, char wanted) {
  const void* found = std::memchr(at, wanted, static_cast<std::size_t>(end - at));
  return found == nullptr ? end : static_cast<const char*>(found);
}

}  // namespace

DataReader::DataReader(Format format, Limits limits) : format_(format), limits_(limits) {}

std::size_t DataReader::read(std::string_view bytes, std::string& into) {
  const char* const begin = bytes.data();
  const char* const end = begin + bytes.size();
  const char* at = begin;
  const char* kept = begin;  // what lies between here and `at` is to be appended
  while (at < end && !ended_) switch (state_) {
      case State::line_start:
        if (format_ == Format::dot_stuffed && *at == '.') {
          keep(kept, at, into);
          kept = ++at;
          state_ = State::dot;
        } else {
          state_ = State::in_line;
        }
        break;
      case State::dot:
        if (*at == '\r') {
          kept = ++at;
          state_ = State::dot_cr;
        } else {
          state_ = State::in_line;  // RFC 5321 section 4.5.2: the dot was stuffing
        }
        break;
      case State::dot_cr:
        if (*at == '\n') {
          kept = ++at;
          ended_ = true;
        } else {
          state_ = State::cr;
        }
        break;
      case State::in_line:
        at = read_line(at, end);
        if (at + 1 < end && at[1] == '\n') {
          at += 2;
          end_line();
        } else if (at < end) {
          keep(kept, at, into);
          kept = ++at;
          state_ = State::cr;
        }
        break;
      case State::cr:  // the CR is taken but not yet kept
        if (ends_line(*at, into)) ++at;
        break;
    }
  keep(kept, at, into);
  return static_cast<std::size_t>(at - begin);
}

// What follows a CR decides whether the two end the line.
bool DataReader::ends_line(char next, std::string& into) {
  if (next != '\n') {
    note(Violation::bare_cr);
    ++line_bytes_;
    state_ = State::in_line;
  }
  keep("\r", into);
  if (next == '\n') end_line();
  return next == '\n';
}

// The bytes of a line up to its CR.
const char* DataReader::read_line(const char* at, const char* end) {
  const char* const cr = find_or_end(at, end, '\r');
  line_bytes_ += static_cast<std::size_t>(cr - at);
  if (find_or_end(at, cr, '\n') != cr) note(Violation::bare_lf);
  if (find_or_end(at, cr, '\0') != cr) note(Violation::nul);
  if (line_bytes_ > limits_.line_bytes) note(Violation::line_too_long);
  if (in_header_ && header_bytes_ + line_bytes_ > limits_.header_bytes)
    note(Violation::header_too_big);
  return cr;
}

void DataReader::finish(std::string& into) {
  if (state_ != State::cr) return;
  note(Violation::bare_cr);
  keep("\r", into);
  state_ = State::in_line;
}

void DataReader::keep(std::string_view bytes, std::string& into) {
  decoded_bytes_ += bytes.size();
  if (decoded_bytes_ > limits_.message_bytes) note(Violation::message_too_big);
  if (violation_ == Violation::none) into.append(bytes);
}

void DataReader::keep(const char* from, const char* to, std::string& into) {
  if (from < to) keep(std::string_view(from, static_cast<std::size_t>(to - from)), into);
}

void DataReader::end_line() {
  state_ = State::line_start;
  if (in_header_) {
    header_bytes_ += line_bytes_ + 2;
    if (header_bytes_ > limits_.header_bytes) note(Violation::header_too_big);
    if (line_bytes_ == 0) in_header_ = false;
  }
  line_bytes_ = 0;
}

// The body of BINARYMIME has no lines; its header has.
void DataReader::note(Violation violation) {
  const bool is_of_size =
      violation == Violation::message_too_big || violation == Violation::header_too_big;
  if (format_ == Format::binary && !in_header_ && !is_of_size) return;
  violation_ = std::max(violation_, violation);
}

}  // namespace tapal::smtp
