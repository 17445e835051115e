// The greylist's memory over a restart: a file of lines, written when the server stops.
#pragma once

#include <filesystem>

#include "ports/log.h"
#include "services/judge/greylist.h"

namespace tapal::app {

// Troubles are logged; they cost a delay of senders that would have been known, no more.
class KeptGreylist {
 public:
  KeptGreylist(std::filesystem::path file, Log& log);  // `log` must outlive it
  ~KeptGreylist();
  KeptGreylist(const KeptGreylist&) = delete;
  KeptGreylist& operator=(const KeptGreylist&) = delete;

  judge::GreylistMemory& memory() { return memory_; }

 private:
  std::filesystem::path file_;
  Log& log_;
  judge::BoundedGreylistMemory memory_;
};

}  // namespace tapal::app
