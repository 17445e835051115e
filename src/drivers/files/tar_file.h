// Plain tar files (POSIX.1-2001 pax, as every tar reads them) with nothing but regular files in
// them. What is written is the file's owner's alone, and is at its place whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal::files {

struct TarEntry {
  std::string name;
  std::uint64_t bytes = 0;
};

class TarWriter {
 public:
  // Written as "<path>.part" until finish(). Code::denied: there is something at `path` already.
  static Result<std::unique_ptr<TarWriter>> create(const std::filesystem::path& path);
  ~TarWriter();  // removes what is unfinished
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  // Begins a file; the one before it has all its bytes.
  Result<void> begin(const TarEntry& entry);
  Result<void> write(std::string_view bytes);
  Result<void> finish();  // on stable storage, and at its place

 private:
  struct State;
  explicit TarWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class TarReader {
 public:
  static Result<std::unique_ptr<TarReader>> open(const std::filesystem::path& path);
  ~TarReader();
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;

  // Nothing: the end. Code::invalid: no tar, damaged or cut off here, or no regular file. The name
  // is as the archive has it, and may lead anywhere.
  Result<std::optional<TarEntry>> next();
  // Of the file begun; 0: its end.
  Result<std::size_t> read(std::span<char> into);

 private:
  struct State;
  explicit TarReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tapal::files
