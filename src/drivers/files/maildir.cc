#include "drivers/files/maildir.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>

#include "drivers/files/descriptor.h"
#include "drivers/files/files.h"
#include "rules/account/user_record.h"
#include "values/crypto/hash.h"
#include "values/text/hex.h"
#include "values/text/idna.h"
#include "values/text/line_ends.h"

namespace tapal::files {
namespace {

namespace fs = std::filesystem;

constexpr mode_t maildir_mode = 0700;
constexpr mode_t file_mode = 0600;
constexpr std::size_t block_bytes = 64UL * 1024;

Result<void> write_message(const Descriptor& file,
                           std::string_view prefix,
                           const Body& body,
                           const fs::path& path) {
  text::ToLocalLineEnds ends;
  TAPAL_CHECK(write_all(file, ends.convert(prefix), path));
  std::string block(block_bytes, '\0');
  for (std::uint64_t offset = 0; offset < body.size();) {
    TAPAL_TRY(const std::size_t count, body.read(offset, block));
    if (count == 0) return fail(Code::internal, "the message ends before its length");
    TAPAL_CHECK(write_all(file, ends.convert(std::string_view(block).substr(0, count)), path));
    offset += count;
  }
  return write_all(file, ends.rest(), path);
}

// tmp/ last: where it is, the others are.
Result<void> create_maildir(const fs::path& maildir) {
  for (const char* part : {"new", "cur", "tmp"}) {
    TAPAL_CHECK(create_folder(maildir / part, maildir_mode));
  }
  // Maildir++ knows a folder in a mailbox by this file.
  if (!maildir.filename().string().starts_with('.')) return {};
  return write_atomically(maildir / "maildirfolder", "", file_mode);
}

}  // namespace

Result<void> deliver_to_maildir(const fs::path& maildir,
                                const std::string& name,
                                std::string_view prefix,
                                const Body& body) {
  static std::atomic<unsigned> counter = 0;
  // A name of its own, so that the same message on two workers does not mix; what a crash leaves
  // in tmp/ is removed by readers of the mailbox after 36 hours, as Maildir has it.
  const fs::path temporary = maildir / "tmp" / fmt::format("{}.{}.{}", name, getpid(), counter++);
  const fs::path final_place = maildir / "new" / name;
  const auto create = [&] {
    return Descriptor(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file_mode));
  };
  Descriptor file = create();
  if (!file && errno == ENOENT) {
    TAPAL_CHECK(create_maildir(maildir));
    file = create();
  }
  if (!file) return std::unexpected(system_error("create", temporary, errno));
  const auto finish = [&]() -> Result<void> {
    TAPAL_CHECK(write_message(file, prefix, body, temporary));
    if (fsync(file.number()) != 0 || !file.close())
      return std::unexpected(system_error("write", temporary, errno));
    if (rename(temporary.c_str(), final_place.c_str()) != 0)
      return std::unexpected(system_error("create", final_place, errno));
    return {};
  };
  if (auto finished = finish(); !finished) {
    unlink(temporary.c_str());
    return finished;
  }
  return sync_folder(maildir / "new");
}

MaildirMailbox::MaildirMailbox(fs::path folder, Workers& workers)
    : folder_(std::move(folder)), workers_(workers) {}

Result<fs::path> MaildirMailbox::maildir_of(const MailboxPlace& place) const {
  const mail::Address& user = place.user;
  if (place.folder.starts_with('/')) return fs::path(place.folder);
  if (!place.folder.empty() && place.folder != junk_folder)
    return fail(Code::invalid, place.folder + ": a Maildir is named by its absolute path");
  // The key: one mailbox for a name however its case is written.
  const std::string key = user.key();
  const std::string name = key.substr(0, key.rfind('@'));
  if (const auto wrong = account::user_name_problem(name); !wrong.empty())
    return fail(Code::invalid, wrong);
  TAPAL_CHECK(text::check_hostname(user.domain));
  const auto mailbox = folder_ / user.domain / name;
  return place.folder.empty() ? mailbox : mailbox / ("." + place.folder);
}

std::string MaildirMailbox::file_name(const mail::Address& user, QueueId id) {
  constexpr unsigned low_bits = 22;  // of QueueId; above are milliseconds since 1970
  const std::uint64_t seconds = (id.value >> low_bits) / 1000;
  const crypto::Digest digest = crypto::sha256(user.key());
  return fmt::format(
      "{}.{}-{}.tapal", seconds, id.text(), text::to_hex(crypto::bytes_of(digest).substr(0, 8)));
}

Task<Result<void>> MaildirMailbox::deliver(
    Loop& loop, MailboxPlace place, BodyPtr body, std::string prefix, QueueId id) {
  struct Delivery {
    fs::path maildir;
    std::string name;
    std::string prefix;
    BodyPtr body;
    Result<void> operator()() const { return deliver_to_maildir(maildir, name, prefix, *body); }
  };
  TAPAL_CO_TRY(fs::path maildir, maildir_of(place));
  auto name = file_name(place.user, id);
  Delivery delivery{std::move(maildir), std::move(name), std::move(prefix), std::move(body)};
  auto run = run_on(workers_, loop, std::move(delivery));
  auto result = co_await run;
  if (!result) co_return std::unexpected(std::move(result).error());
  co_return *std::move(result);
}

}  // namespace tapal::files
