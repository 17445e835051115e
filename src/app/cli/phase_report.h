// What a command of several phases (`tapal up`, `tapal import`) says while it works: to a person
// line by line, to a machine one JSON object a line, and the same into a file that stays.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "app/cli/command.h"
#include "base/result.h"
#include "rules/provision/finding.h"

namespace tapal::app {

enum class Mark : std::uint8_t {
  fine,     // is as it should be
  changed,  // was made so now
  planned,  // would be, without --plan
  by_hand,  // is left to the person, with the exact words
  trouble,  // is wrong, with what to do
};
std::string_view mark_word(Mark mark);  // "ok", "made", "plan", "you", "!"

class PhaseReport {
 public:
  // `log_file` is appended to, owner-only; empty: none. A file that cannot be written is no reason
  // to stop.
  PhaseReport(Output output, std::filesystem::path log_file);

  // A plan is worked out in another folder: `real` is told where a text names `scratch`.
  void tells_of(const std::filesystem::path& real, const std::filesystem::path& scratch);

  void begin_phase(int number, std::string_view name);
  // `text` may have several lines; it never holds a secret.
  void tell(Mark mark, std::string_view text);
  // What the doctor found, with the way to mend it.
  void tell(const provision::Finding& finding);
  // A secret that is shown once: to the person alone, with --json as a field, never in the file.
  void tell_secret(std::string_view what, std::string_view secret);

  bool is_left_to_do() const { return left_to_do_; }  // anything by hand, or in trouble

 private:
  void keep(std::string_view line) const;

  Output output_;
  std::filesystem::path log_file_;
  std::string real_;
  std::string scratch_;  // empty: there is none
  int phase_ = 0;
  std::string phase_name_;
  bool left_to_do_ = false;
};

// `Work` is what a command's phases share: it has a `report`.
template <class Work>
struct Phase {
  std::string_view name;
  Result<void> (*run)(Work&);
};

// One after the other; the first that fails is the last.
template <class Work, std::size_t Count>
Result<void> run_phases(const std::array<Phase<Work>, Count>& phases, Work& work) {
  int number = 0;
  for (const auto& phase : phases) {
    work.report.begin_phase(++number, phase.name);
    TAPAL_CHECK(phase.run(work));
  }
  return {};
}

}  // namespace tapal::app
