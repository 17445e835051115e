#include "drivers/net/port_owner.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view listening = "0A";  // the state's code in /proc/net/tcp

struct Listening {
  std::set<std::string> inodes;
  std::string user;  // number of one who made a socket; empty: there is none
};

// The sockets that listen on the port.
Listening listening_on(std::uint16_t port) {
  const auto wanted = fmt::format(":{:04X}", port);
  Listening found;
  for (const char* table : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
    std::ifstream file(table);
    for (std::string line; std::getline(file, line);) {
      const auto words = text::words(line);
      if (words.size() <= 9 || !words[1].ends_with(wanted) || words[3] != listening) continue;
      found.inodes.emplace(words[9]);
      found.user = words[7];
    }
  }
  return found;
}

bool holds_one_of(const fs::path& descriptors, const std::set<std::string>& inodes) {
  std::error_code error;
  for (fs::directory_iterator entry(descriptors, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unreadable;
    const auto target = fs::read_symlink(entry->path(), unreadable).string();
    if (target.starts_with("socket:[") && inodes.contains(target.substr(8, target.size() - 9)))
      return true;
  }
  return false;
}

}  // namespace

std::string port_owner(std::uint16_t port) {
  const auto [inodes, user] = listening_on(port);
  if (inodes.empty()) return {};
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    const auto process = entry->path().filename().string();
    if (!text::to_number<int>(process) || !holds_one_of(entry->path() / "fd", inodes)) continue;
    std::ifstream name_file(entry->path() / "comm");
    std::string name;
    std::getline(name_file, name);
    return fmt::format("{} (process {})", text::printable(name), process);
  }
  return fmt::format("a process of the user with number {}, which `ss -ltnp` names to root",
                     text::printable(user));
}

}  // namespace tapal
