// Greylisting (RFC 6647): mail from a sender never seen before is put off once. Real servers try
// again; most sources of spam do not.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "ports/clock.h"
#include "ports/kept_records.h"
#include "ports/loop.h"
#include "services/judge/greylist_memory.h"
#include "services/judge/judge.h"

namespace tapal::judge {

// Whom a message makes known. Either the domain that SPF vouches for, whatever address it sends
// from, or the network of the peer (/24, /64) with the sender and each recipient.
std::vector<std::string> greylist_keys(const Mail& mail);

// What the greylist says of a message, and what is to be kept of it.
struct GreylistAnswer {
  std::optional<std::chrono::seconds>
      wait;  // how long the sender is to wait still; nothing: let it in
  RecordsChange change;
};

// One key that has waited is enough, and vouches for all others.
GreylistAnswer ask_greylist(const std::vector<std::string>& keys,
                            GreylistMemory& memory,
                            WallTime now);

class Greylist final : public Judge {
 public:
  // All must outlive it; `memory` is shared by all loops. Without records it ends with the process.
  struct World {
    Loop& loop;
    Clock& clock;
    GreylistMemory& memory;
    KeptRecords* records = nullptr;
  };
  explicit Greylist(World world) : world_(world) {}
  std::string_view name() const override { return "greylist"; }
  Task<Result<Opinion>> look_at(const Mail& mail) override;

 private:
  World world_;
};

}  // namespace tapal::judge
