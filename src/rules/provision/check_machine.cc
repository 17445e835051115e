// The machine and what has to be kept up on it.
#include <algorithm>
#include <cstdlib>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "rules/provision/checks.h"
#include "values/text/date.h"
#include "values/text/duration.h"

namespace tapal::provision {
namespace {

constexpr std::uint64_t mib = 1024ULL * 1024;
constexpr std::uint64_t room_least = 200 * mib;
constexpr std::uint64_t room_good = 1024 * mib;
constexpr std::chrono::seconds clock_off_little{60};
constexpr std::chrono::seconds clock_off_much{300};  // signatures in the future, failing TLS
constexpr std::chrono::seconds queue_age_max = std::chrono::hours(24);
constexpr std::size_t queue_waiting_many = 10'000;
constexpr std::size_t files_told_max = 3;

// What is not in the copy elsewhere; empty: nothing.
std::string backup_lag(const BackupFacts& backup) {
  if (!backup.trouble.empty()) return "nobody can tell: " + backup.trouble;
  if (!backup.changed.empty()) {
    const std::span<const std::string> some(backup.changed.begin(),
                                            std::min(backup.changed.size(), files_told_max));
    return fmt::format("{} files changed since the last commit: {}{}",
                       backup.changed.size(),
                       fmt::join(some, ", "),
                       some.size() < backup.changed.size() ? " and more" : "");
  }
  if (backup.not_pushed > 0)
    return fmt::format("{} commits are not at {} yet", backup.not_pushed, backup.remote);
  return {};
}

}  // namespace

// By the dates of web servers: the median, since one of them may be wrong itself.
void check_clock(Look& look) {
  bool is_complete = true;
  for (const auto& url : look.home.outside.clock_pages)
    is_complete = look.page(url) != nullptr && is_complete;
  if (!is_complete) return;
  std::vector<std::int64_t> ahead;
  for (const auto& [url, fact] : look.evidence().pages.all())
    if (fact.clock_ahead) ahead.push_back(fact.clock_ahead->count());
  if (ahead.empty())
    return look.info("clock",
                     {.seen = "no web server to compare it with could be reached",
                      .expected = "the same time as theirs",
                      .fix = "timedatectl"});
  std::ranges::nth_element(ahead, ahead.begin() + static_cast<std::ptrdiff_t>(ahead.size() / 2));
  const std::chrono::seconds off(ahead[ahead.size() / 2]);
  const auto size = std::chrono::abs(off);
  if (size < clock_off_little) return look.ok("clock", "right");
  const Advice advice{
      .seen = fmt::format(
          "{} {}", text::duration_text(size), off > std::chrono::seconds(0) ? "fast" : "slow"),
      .expected = "the time of others",
      .fix = "timedatectl set-ntp true"};
  if (size < clock_off_much)
    look.warn("clock", advice);
  else
    look.error("clock", advice);
}

void check_disk(Look& look) {
  for (const auto& disk : look.home.disks) {
    const auto seen =
        fmt::format("{} MiB of {} MiB are free", disk.free_bytes / mib, disk.total_bytes / mib);
    const Advice advice{.seen = seen,
                        .expected = "1 GiB at least: a full disk refuses mail",
                        .fix =
                            "make room: du -xh / | sort -h | tail, apt clean, journalctl "
                            "--vacuum-size=200M"};
    if (disk.free_bytes < room_least)
      look.error(disk.path, advice);
    else if (disk.free_bytes < room_good)
      look.warn(disk.path, advice);
    else
      look.ok(disk.path, seen);
  }
}

void check_server(Look& look) {
  if (look.home.queue) return look.ok("server", "running");
  look.error("server",
             {.seen = "not running, or its control socket does not answer",
              .expected = "a running server",
              .fix = "systemctl start tapal; then journalctl -u tapal when it ends again"});
}

void check_queue(Look& look) {
  const auto& queue = look.home.queue;
  if (!queue) return;
  const auto seen = fmt::format(
      "{} messages, the oldest {}", queue->messages, text::duration_text(queue->oldest));
  if (queue->held > 0)
    look.info("queue",
              {.seen = fmt::format("{} recipients are held", queue->held),
               .expected = "none, unless you hold them",
               .fix = "tapal queue release all"});
  if (queue->waiting >= queue_waiting_many)
    return look.warn("queue",
                     {.seen = fmt::format("{} recipients wait", queue->waiting),
                      .expected = "fewer: somebody may be sending in your name",
                      .fix = "tapal queue list; tapal user guesses"});
  if (queue->messages > 0 && queue->oldest > queue_age_max)
    return look.warn("queue",
                     {.seen = seen,
                      .expected = "nothing that waits for more than a day",
                      .fix = "tapal queue list, then tapal why ID"});
  look.ok("queue", queue->messages == 0 ? "empty" : seen);
}

void check_loose_files(Look& look) {
  for (const auto& file : look.home.loose_files)
    look.error(file.path,
               {.seen = fmt::format("others may read it (mode {:03o})", file.mode & 0777U),
                .expected = "its owner alone",
                .fix = "chmod go= " + file.path,
                .repair = Repair{Repair::Kind::owner_only, file.path}});
  if (look.home.loose_files.empty()) look.ok("keys and passwords", "for their owner alone");
}

void check_backup(Look& look) {
  const auto& backup = look.home.backup;
  if (!backup) return;
  if (!backup->repository || backup->remote.empty())
    return look.info(
        "configuration",
        {.seen = backup->repository ? "kept in git on this machine alone" : "no backup",
         .expected = "a copy on another machine",
         .fix = "tapal backup remote URL"});
  const Advice advice{.seen = backup_lag(*backup),
                      .expected = "a copy of what is used",
                      .fix = "tapal backup now, which also tells what is in its way"};
  if (!advice.seen.empty()) return look.warn("configuration", advice);
  look.ok("configuration",
          fmt::format("at {} since {}",
                      backup->remote,
                      backup->committed ? text::rfc3339_date(*backup->committed) : "never"));
}

void check_credentials(Look& look) {
  if (look.home.credentials.empty())
    return look.info("DNS",
                     {.seen = "no account at a DNS provider is set: records are entered by hand",
                      .expected = "one, so that keys can be changed and certificates renewed alone",
                      .fix = "tapal dns providers"});
  for (const auto& one : look.home.credentials) {
    if (one.problem.empty())
      look.ok(one.provider, "reaches the zone " + one.zone);
    else
      look.error(one.provider,
                 {.seen = one.problem,
                  .expected = "credentials that reach the zone, for their owner's eyes only",
                  .fix = fmt::format("make new ones at the provider ({}), and put them into the "
                                     "credentials file",
                                     one.scope)});
  }
}

}  // namespace tapal::provision
