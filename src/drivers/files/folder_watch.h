// Tells when a file in a folder has been finished: written and closed, or given another mode.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <thread>

#include "base/result.h"
#include "drivers/files/descriptor.h"

namespace tapal::files {

// With a thread of its own (inotify(7)).
class FolderWatch {
 public:
  // `on_change` is called on that thread, once for many changes; it must outlive the watch.
  static Result<std::unique_ptr<FolderWatch>> start(const std::filesystem::path& folder,
                                                    std::function<void()> on_change);
  ~FolderWatch();
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

 private:
  FolderWatch(Descriptor changes, Descriptor ending, std::function<void()> on_change);
  void run();

  Descriptor changes_;
  Descriptor ending_;  // becomes readable when the thread shall end
  std::function<void()> on_change_;
  std::thread thread_;
};

}  // namespace tapal::files
