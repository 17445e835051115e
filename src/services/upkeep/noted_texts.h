// Challenge texts that are noted before they are shown, so that a later run takes away what one
// that was killed left in DNS.
#pragma once

#include <cstdint>
#include <string>

#include "ports/challenge_texts.h"
#include "ports/kept_note.h"
#include "ports/workers.h"

namespace tapal::upkeep {

// A line of the note is a text that may be in DNS: "<name> <value>".
class NotedTexts final : public ChallengeTexts {
 public:
  // All must outlive it.
  NotedTexts(ChallengeTexts& texts, KeptNote& note, Workers& workers)
      : texts_(texts), note_(note), workers_(workers) {}

  // Not shown where it cannot be noted.
  Task<Result<void>> add(Loop& loop, std::string name, std::string value) override;
  Task<Result<void>> remove(Loop& loop, std::string name, std::string value) override;
  // What cannot be taken away stays noted, for the next time. How many were taken away; no order
  // may be under way.
  Task<Result<std::size_t>> remove_left(Loop& loop);

 private:
  enum class Edit : std::uint8_t { add, remove };
  Task<Result<void>> edit(Loop& loop, Edit edit, std::string line);

  ChallengeTexts& texts_;
  KeptNote& note_;
  Workers& workers_;
};

}  // namespace tapal::upkeep
