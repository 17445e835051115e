#include "drivers/files/tar_file.h"

#include <cerrno>
#include <ctime>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "drivers/files/descriptor.h"
#include "drivers/files/files.h"
#include "drivers/files/ownership.h"
#include "values/text/ascii.h"

namespace tapal::files {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t tar_block_bytes = 64UL * 1024;
// Names are bytes, whatever the locale; the archive says so to its reader.
constexpr const char* names_are_bytes = "hdrcharset=BINARY";

using EntryPtr = std::unique_ptr<archive_entry,
                                 decltype([](archive_entry* entry) { archive_entry_free(entry); })>;

}  // namespace

struct TarWriter::State {
  fs::path path;
  fs::path part;
  Descriptor file;
  archive* tar;
  bool finished = false;
  bool abandoned = false;  // takes nothing more: freeing would fill the entry up, and write the end

  std::unexpected<Error> error() const {
    return std::unexpected(system_error("write", path, archive_errno(tar)));
  }
  // What the archive calls with its blocks.
  static la_ssize_t put(archive* tar, void* at, const void* bytes, std::size_t count) {
    const auto& state = *static_cast<State*>(at);
    ssize_t written = -1;
    do {
      errno = ECANCELED;
      if (!state.abandoned) written = ::write(state.file.number(), bytes, count);
    } while (written < 0 && errno == EINTR);
    if (written < 0) archive_set_error(tar, errno, "cannot write");
    return written;
  }
};

TarWriter::TarWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}

TarWriter::~TarWriter() {
  if (state_->tar != nullptr) {
    state_->abandoned = !state_->finished;
    archive_write_free(state_->tar);
  }
  if (!state_->finished) ::unlink(state_->part.c_str());
}

Result<std::unique_ptr<TarWriter>> TarWriter::create(const fs::path& path) {
  struct stat facts{};
  if (::lstat(path.c_str(), &facts) == 0)
    return fail(Code::denied,
                fmt::format("{} is there already, and is not written over", path.string()));
  auto part = path;
  part += ".part";
  Descriptor file(
      ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return std::unexpected(system_error("create", part, errno));
  if (::fchmod(file.number(), 0600) != 0)
    return std::unexpected(system_error("set the mode of", part, errno));
  TAPAL_CHECK(follow_owner(file, part));
  std::unique_ptr<TarWriter> writer(new TarWriter(
      std::make_unique<State>(State{path, std::move(part), std::move(file), archive_write_new()})));
  auto* tar = writer->state_->tar;
  archive_write_set_bytes_per_block(tar, tar_block_bytes);
  archive_write_set_bytes_in_last_block(tar, 1);
  if (archive_write_set_format_pax_restricted(tar) != ARCHIVE_OK ||
      archive_write_set_options(tar, names_are_bytes) != ARCHIVE_OK ||
      archive_write_open(tar, writer->state_.get(), nullptr, &State::put, nullptr) != ARCHIVE_OK)
    return writer->state_->error();
  return writer;
}

Result<void> TarWriter::begin(const TarEntry& entry) {
  const EntryPtr header(archive_entry_new());
  archive_entry_set_pathname(header.get(), entry.name.c_str());
  archive_entry_set_filetype(header.get(), AE_IFREG);
  archive_entry_set_perm(header.get(), 0600);
  archive_entry_set_size(header.get(), static_cast<la_int64_t>(entry.bytes));
  archive_entry_set_mtime(header.get(), std::time(nullptr), 0);
  if (archive_write_header(state_->tar, header.get()) < ARCHIVE_WARN) return state_->error();
  return {};
}

Result<void> TarWriter::write(std::string_view bytes) {
  const auto written = archive_write_data(state_->tar, bytes.data(), bytes.size());
  if (written < 0) return state_->error();
  if (static_cast<std::size_t>(written) != bytes.size())
    return fail(
        Code::internal,
        fmt::format("cannot write {}: a file grew while it was read", state_->path.string()));
  return {};
}

Result<void> TarWriter::finish() {
  if (archive_write_close(state_->tar) != ARCHIVE_OK) return state_->error();
  if (::fsync(state_->file.number()) != 0 || !state_->file.close())
    return std::unexpected(system_error("write", state_->path, errno));
  if (::rename(state_->part.c_str(), state_->path.c_str()) != 0)
    return std::unexpected(system_error("make", state_->path, errno));
  state_->finished = true;
  return sync_folder(state_->path.has_parent_path() ? state_->path.parent_path() : ".");
}

struct TarReader::State {
  fs::path path;
  Descriptor file;
  archive* tar;
  std::string name;  // of the file begun

  std::unexpected<Error> error() const {
    const auto* reason = archive_error_string(tar);
    return fail(Code::invalid,
                fmt::format("{} is cut off or damaged {}{} (byte {}): {}",
                            path.string(),
                            name.empty() ? "at its begin" : "in or behind ",
                            text::printable(name, 200),
                            archive_filter_bytes(tar, -1),
                            reason != nullptr ? reason : "no reason given"));
  }
};

TarReader::TarReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
TarReader::~TarReader() { archive_read_free(state_->tar); }

Result<std::unique_ptr<TarReader>> TarReader::open(const fs::path& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file) return std::unexpected(system_error("open", path, errno));
  struct stat facts{};
  if (::fstat(file.number(), &facts) != 0 || !S_ISREG(facts.st_mode))
    return fail(Code::invalid, fmt::format("{} is not a regular file", path.string()));
  std::unique_ptr<TarReader> reader(
      new TarReader(std::make_unique<State>(State{path, std::move(file), archive_read_new(), {}})));
  auto* tar = reader->state_->tar;
  if (archive_read_support_format_tar(tar) != ARCHIVE_OK ||
      archive_read_open_fd(tar, reader->state_->file.number(), tar_block_bytes) != ARCHIVE_OK)
    return reader->state_->error();
  return reader;
}

Result<std::optional<TarEntry>> TarReader::next() {
  archive_entry* header = nullptr;
  const int result = archive_read_next_header(state_->tar, &header);
  if (result == ARCHIVE_EOF) return std::optional<TarEntry>();
  if (result < ARCHIVE_WARN) return state_->error();
  const auto* name = archive_entry_pathname(header);
  state_->name = name != nullptr ? name : "";
  if (archive_entry_filetype(header) != AE_IFREG || archive_entry_hardlink(header) != nullptr ||
      archive_entry_size(header) < 0)
    return fail(Code::invalid,
                fmt::format("{}: {} is no regular file, and has no place here",
                            state_->path.string(),
                            text::printable(state_->name, 200)));
  return TarEntry{state_->name, static_cast<std::uint64_t>(archive_entry_size(header))};
}

Result<std::size_t> TarReader::read(std::span<char> into) {
  const auto count = archive_read_data(state_->tar, into.data(), into.size());
  if (count < 0) return state_->error();
  return static_cast<std::size_t>(count);
}

}  // namespace tapal::files
