#include "drivers/files/folder_watch.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "drivers/files/files.h"

namespace tapal::files {

Result<std::unique_ptr<FolderWatch>> FolderWatch::start(const std::filesystem::path& folder,
                                                        std::function<void()> on_change) {
  Descriptor changes(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  Descriptor ending(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!changes || !ending ||
      ::inotify_add_watch(
          changes.number(), folder.c_str(), IN_ATTRIB | IN_CLOSE_WRITE | IN_ONLYDIR) < 0)
    return std::unexpected(system_error("watch", folder, errno));
  return std::unique_ptr<FolderWatch>(
      new FolderWatch(std::move(changes), std::move(ending), std::move(on_change)));
}

FolderWatch::FolderWatch(Descriptor changes, Descriptor ending, std::function<void()> on_change)
    : changes_(std::move(changes)),
      ending_(std::move(ending)),
      on_change_(std::move(on_change)),
      thread_([this] { run(); }) {}

FolderWatch::~FolderWatch() {
  const std::uint64_t one = 1;
  static_cast<void>(::write(ending_.number(), &one, sizeof one));
  thread_.join();
}

void FolderWatch::run() {
  std::array<pollfd, 2> waits{pollfd{changes_.number(), POLLIN, 0},
                              pollfd{ending_.number(), POLLIN, 0}};
  alignas(inotify_event) std::array<char, 16384> events{};
  while (::poll(waits.data(), waits.size(), -1) >= 0 || errno == EINTR) {
    if (waits[1].revents != 0) return;
    if (waits[0].revents == 0) continue;
    while (::read(changes_.number(), events.data(), events.size()) > 0) {
    }
    on_change_();
  }
}

}  // namespace tapal::files
