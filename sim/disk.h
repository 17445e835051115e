// A disk in memory with the habits of a real one: it forgets at a power cut what was not synced,
// or parts of it in any order, tears the last writes at a byte, fails, and fills up.
// Files only grow; a folder's entries need a sync of their own.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sim/dice.h"

namespace tapal::sim {

struct DiskWeather {
  bool full = false;                      // nothing can be written
  std::uint64_t sync_fails_one_in = 0;    // EIO; 0: never
  std::uint64_t append_fails_one_in = 0;  // EIO; 0: never
};

class Disk {
 public:
  explicit Disk(Dice dice) : dice_(dice) {}

  DiskWeather weather;

  // Power comes back with a different past for what was not synced. Mounts of before are dead.
  void cut_power();

  std::uint64_t generation() const { return generation_; }
  std::uint64_t bytes() const;

 private:
  friend class Mount;
  struct Write {
    enum class State : std::uint8_t {
      cached,
      synced,
      doomed,  // a sync of it failed: the cache shows it, the platter will not (as in Linux)
    };
    std::string bytes;
    State state = State::cached;
  };
  struct File {
    std::vector<Write> writes;
    bool entry_synced = false;
    bool removed = false;  // and perhaps there again after a power cut
  };

  Result<void> append(const std::string& name, std::string_view bytes);
  Result<void> sync(const std::string& name);
  Result<void> sync_folder();
  void remove(const std::string& name);
  std::vector<std::string> list() const;
  std::string read(const std::string& name) const;

  bool is_lost(const File& file);
  std::string survivor(const Write& write);

  Dice dice_;
  std::uint64_t generation_ = 0;
  std::map<std::string, File> files_;
};

// The disk as one life of a server sees it: after a power cut nothing goes through any more.
class Mount {
 public:
  explicit Mount(Disk& disk) : disk_(&disk), generation_(disk.generation()) {}

  Result<void> append(const std::string& name, std::string_view bytes);  // makes the file
  Result<void> sync(const std::string& name);
  Result<void> sync_folder();
  void remove(const std::string& name);
  std::vector<std::string> list() const;  // sorted
  std::string read(const std::string& name) const;
  bool is_full() const { return disk_->weather.full; }
  bool has_power() const { return disk_->generation() == generation_; }

 private:
  Disk* disk_;
  std::uint64_t generation_;
};

}  // namespace tapal::sim
