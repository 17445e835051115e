#include "sim/disk.h"

#include <utility>

namespace tapal::sim {
namespace {

std::unexpected<Error> input_output_error() { return fail(Code::internal, "input/output error"); }
std::unexpected<Error> no_power() { return fail(Code::closed, "there is no power"); }

}  // namespace

Result<void> Disk::append(const std::string& name, std::string_view bytes) {
  File& file = files_[name];
  if (file.removed) file = File();
  const bool fails = weather.append_fails_one_in != 0 && dice_.one_in(weather.append_fails_one_in);
  if (weather.full || fails) {
    // A short write: some of it is there.
    file.writes.push_back({std::string(bytes.substr(0, dice_.below(bytes.size() + 1)))});
    return weather.full ? fail(Code::full, "no space left on the disk") : input_output_error();
  }
  file.writes.push_back({std::string(bytes)});
  return {};
}

Result<void> Disk::sync(const std::string& name) {
  const bool fails = weather.sync_fails_one_in != 0 && dice_.one_in(weather.sync_fails_one_in);
  for (Write& write : files_[name].writes) {
    if (write.state != Write::State::cached) continue;
    const bool reached = !fails || dice_.one_in(2);
    write.state = reached ? Write::State::synced : Write::State::doomed;
  }
  if (fails) return input_output_error();
  return {};
}

Result<void> Disk::sync_folder() {
  if (weather.sync_fails_one_in != 0 && dice_.one_in(weather.sync_fails_one_in))
    return input_output_error();
  std::erase_if(files_, [](const auto& entry) { return entry.second.removed; });
  for (auto& [name, file] : files_) file.entry_synced = true;
  return {};
}

void Disk::remove(const std::string& name) {
  const auto found = files_.find(name);
  if (found == files_.end()) return;
  if (found->second.entry_synced)
    found->second.removed = true;
  else
    files_.erase(found);
}

std::vector<std::string> Disk::list() const {
  std::vector<std::string> names;
  for (const auto& [name, file] : files_)
    if (!file.removed) names.push_back(name);
  return names;
}

std::string Disk::read(const std::string& name) const {
  std::string all;
  const auto found = files_.find(name);
  if (found == files_.end() || found->second.removed) return all;
  for (const Write& write : found->second.writes) all += write.bytes;
  return all;
}

std::uint64_t Disk::bytes() const {
  std::uint64_t all = 0;
  for (const auto& [name, file] : files_)
    for (const Write& write : file.writes) all += write.bytes.size();
  return all;
}

// What a power cut leaves of a write: all, nothing, or its beginning.
std::string Disk::survivor(const Write& write) {
  if (write.state == Write::State::synced) return write.bytes;
  const bool doomed = write.state == Write::State::doomed;
  switch (doomed && !dice_.one_in(4) ? 0 : dice_.below(3)) {
    case 0: return {};
    case 1: return write.bytes;
    default: return write.bytes.substr(0, dice_.below(write.bytes.size() + 1));
  }
}

bool Disk::is_lost(const File& file) {
  if (file.removed) return !dice_.one_in(2);
  return !file.entry_synced && dice_.one_in(2);
}

void Disk::cut_power() {
  ++generation_;
  std::erase_if(files_, [this](const auto& entry) { return is_lost(entry.second); });
  for (auto& [name, file] : files_) {
    std::string kept;
    std::size_t position = 0;
    for (const Write& write : file.writes) {
      const std::string survived = survivor(write);
      if (!survived.empty()) {
        kept.resize(position, '\0');  // what came before and is gone leaves a hole
        kept += survived;
      }
      position += write.bytes.size();
    }
    file = File{{{std::move(kept), Write::State::synced}}, true, false};
  }
}

Result<void> Mount::append(const std::string& name, std::string_view bytes) {
  return has_power() ? disk_->append(name, bytes) : no_power();
}
Result<void> Mount::sync(const std::string& name) {
  return has_power() ? disk_->sync(name) : no_power();
}
Result<void> Mount::sync_folder() { return has_power() ? disk_->sync_folder() : no_power(); }
void Mount::remove(const std::string& name) {
  if (has_power()) disk_->remove(name);
}
std::vector<std::string> Mount::list() const {
  return has_power() ? disk_->list() : std::vector<std::string>();
}
std::string Mount::read(const std::string& name) const {
  return has_power() ? disk_->read(name) : std::string();
}

}  // namespace tapal::sim
