// Running other programs: mailers that mail is piped into, hooks that judge it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "ports/body.h"
#include "ports/loop.h"

namespace tapal {

struct ProgramRun {
  enum class LineEnds : std::uint8_t {
    network,  // the input goes in as it is, CRLF
    local,    // CRLF becomes LF
  };
  std::vector<std::string> arguments;    // the first is the program, an absolute path; no shell
  std::vector<std::string> environment;  // "NAME=value"; the program sees nothing else
  std::string input;                     // on its standard input
  BodyPtr more_input;                    // behind `input`; may be null
  LineEnds line_ends = LineEnds::network;
  std::chrono::seconds time_max{60};           // then it is killed
  std::size_t output_bytes_max = 64UL * 1024;  // of each; what comes after is read over
};

struct ProgramEnd {
  int exit_code = 0;  // -1 where a signal ended it
  int signal = 0;
  bool timed_out = false;  // and so killed
  std::string output;
  std::string error_output;
};

struct Programs {
  virtual ~Programs() = default;
  // Comes back to `loop` when it has ended; what it started and left running is then killed, but
  // for what has a session of its own (setsid). A program that does not read its input is no error.
  // Errors: not_found (no such program), denied (may not be executed), full (too many at once),
  // closed (stopped), internal.
  virtual Task<Result<ProgramEnd>> run(Loop& loop, ProgramRun run) = 0;
  // Kills what runs, and runs nothing more. Any thread.
  virtual void stop() {}
};

}  // namespace tapal
