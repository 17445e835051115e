#include "services/upkeep/git.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::upkeep {
namespace {

constexpr std::string_view branch = "main";
constexpr std::chrono::seconds git_time_max{60};  // a push that hangs
constexpr std::size_t git_output_bytes_max = 16UL * 1024 * 1024;

// Neither the user's settings nor the repository's decide what is run or asked here.
const std::vector<std::string>& settings() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> words;
    for (const auto* setting : {"safe.directory=*",  // the server and root look at one folder
                                "user.name=tapal",
                                "user.email=tapal@localhost",
                                "commit.gpgSign=false",
                                "core.hooksPath=/dev/null",
                                "core.fsmonitor=false",
                                "core.fsync=all",  // a power cut leaves no empty objects
                                "core.quotePath=false",
                                "core.autocrlf=false",
                                "advice.addIgnoredFile=false",
                                "gc.autoDetach=false",
                                "push.default=nothing"}) {
      words.emplace_back("-c");
      words.emplace_back(setting);
    }
    return words;
  }();
  return all;
}

std::string last_line(std::string_view text) {
  const auto trimmed = text::trim(text);
  const auto line = trimmed.substr(trimmed.rfind('\n') + 1);  // npos + 1 is 0
  return text::printable(line, 300);
}

std::vector<std::string> names(std::string_view text) {  // each ended by NUL
  std::vector<std::string> all;
  for (const auto name : text::split(text, '\0'))
    if (!name.empty()) all.emplace_back(name);
  return all;
}

}  // namespace

std::string why_unfit_remote(std::string_view url) {
  if (url.empty()) return "a URL is missing";
  if (url.starts_with('-')) return "a URL does not begin with \"-\"";
  if (url.contains("::")) return "a URL that names a program is not used";
  for (const char c : url)
    if (static_cast<unsigned char>(c) <= ' ') return "a URL has no spaces";
  const auto scheme = url.find("://");
  if (scheme == url.npos) return {};
  const auto place = url.substr(scheme + 3, url.find('/', scheme + 3) - scheme - 3);
  const auto user = place.substr(0, std::min(place.rfind('@'), place.size()));
  if (user.size() < place.size() && (user.contains(':') || url.starts_with("http")))
    return "a password or token does not belong into a URL, where others see it: use an ssh key, "
           "or "
           "git's credential store";
  return {};
}

Task<Result<ProgramEnd>> Git::run(std::vector<std::string> words) {
  ProgramRun run;
  run.arguments = {"/usr/bin/git", "-C", world_.folder};
  std::ranges::copy(settings(), std::back_inserter(run.arguments));
  std::ranges::move(words, std::back_inserter(run.arguments));
  run.environment = world_.environment;
  run.time_max = git_time_max;
  run.output_bytes_max = git_output_bytes_max;
  auto end = co_await world_.programs.run(world_.loop, std::move(run));
  if (!end && end.error().code == Code::not_found)
    co_return fail(Code::not_found, "there is no /usr/bin/git; apt install git");
  co_return end;
}

Task<Result<std::string>> Git::ask(std::vector<std::string> words) {
  const auto verb = words.front();
  auto end = co_await run(std::move(words));
  if (!end) co_return std::unexpected(std::move(end.error()));
  if (end->timed_out)
    co_return fail(Code::try_later,
                   fmt::format("git {} took more than {} s", verb, git_time_max.count()));
  if (end->exit_code != 0)
    co_return fail(Code::invalid, fmt::format("git {}: {}", verb, last_line(end->error_output)));
  co_return std::move(end->output);
}

Task<Result<void>> Git::init() {
  std::vector<std::string> words{"init", "-q", "-b", std::string(branch)};
  auto done = co_await ask(std::move(words));
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return Result<void>();
}

Task<Result<void>> Git::forget_all() {
  std::vector<std::string> words{"rm", "-r", "-q", "--cached", "--ignore-unmatch", "."};
  auto done = co_await ask(std::move(words));
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return Result<void>();
}

Task<Result<bool>> Git::commit(std::string message, std::vector<std::string> more) {
  std::vector<std::string> words{"add", "-A", "--", "."};
  auto added = co_await ask(std::move(words));
  if (!added) co_return std::unexpected(std::move(added.error()));
  if (!more.empty()) {
    std::vector<std::string> force{"add", "-f", "--"};
    std::ranges::move(more, std::back_inserter(force));
    auto forced = co_await ask(std::move(force));
    if (!forced) co_return std::unexpected(std::move(forced.error()));
  }
  std::vector<std::string> compare{"diff", "--cached", "--quiet"};
  auto same = co_await run(std::move(compare));
  if (!same) co_return std::unexpected(std::move(same.error()));
  if (same->exit_code == 0) co_return false;
  std::vector<std::string> keep{"commit", "-q", "--no-verify", "-m", std::move(message)};
  auto kept = co_await ask(std::move(keep));
  if (!kept) co_return std::unexpected(std::move(kept.error()));
  co_return true;
}

Task<Result<std::string>> Git::remote() {
  std::vector<std::string> words{"config", "--local", "remote.origin.url"};
  auto end = co_await run(std::move(words));
  if (!end) co_return std::unexpected(std::move(end.error()));
  co_return std::string(text::trim(end->output));
}

Task<Result<void>> Git::set_remote(std::string url) {
  auto there = co_await remote();
  if (!there) co_return std::unexpected(std::move(there.error()));
  std::vector<std::string> words{
      "remote", there->empty() ? "add" : "set-url", "origin", std::move(url)};
  auto done = co_await ask(std::move(words));
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return Result<void>();
}

Task<Result<void>> Git::push() {
  std::vector<std::string> words{"push", "-q", "origin", fmt::format("HEAD:refs/heads/{}", branch)};
  auto done = co_await ask(std::move(words));
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return Result<void>();
}

Task<Result<Git::Commit>> Git::last() {
  std::vector<std::string> words{"log", "-1", "--format=%H%x00%cI%x00%s"};
  auto end = co_await run(std::move(words));
  if (!end) co_return std::unexpected(std::move(end.error()));
  const auto fields = text::split(text::trim(end->output), '\0');
  if (end->exit_code != 0 || fields.size() != 3) co_return Commit();
  co_return Commit{std::string(fields[0]), std::string(fields[1]), std::string(fields[2])};
}

Task<Result<std::size_t>> Git::commits_not_pushed() {
  std::vector<std::string> words{"rev-list", "--count", "HEAD", "--not", "--remotes=origin"};
  auto output = co_await ask(std::move(words));
  if (!output) co_return std::unexpected(std::move(output.error()));
  co_return text::to_number<std::size_t>(text::trim(*output)).value_or(0);
}

Task<Result<std::vector<std::string>>> Git::changed() {
  std::vector<std::string> words{"status", "--porcelain", "--no-renames", "-uall", "-z"};
  auto output = co_await ask(std::move(words));
  if (!output) co_return std::unexpected(std::move(output.error()));
  auto files = names(*output);
  std::erase_if(files, [](const auto& file) { return file.starts_with("D "); });
  for (auto& file : files) file.erase(0, 3);  // "XY "
  co_return files;
}

Task<Result<std::vector<std::string>>> Git::kept_out() {
  std::vector<std::string> words{"ls-files", "--others", "--ignored", "--exclude-standard", "-z"};
  auto output = co_await ask(std::move(words));
  if (!output) co_return std::unexpected(std::move(output.error()));
  co_return names(*output);
}

}  // namespace tapal::upkeep
