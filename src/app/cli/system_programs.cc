#include "app/cli/system_programs.h"

#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "app/cli/once.h"
#include "drivers/system/program_runner.h"
#include "drivers/system/worker_pool.h"
#include "values/text/ascii.h"

namespace tapal::app {
namespace {

constexpr std::size_t printed_bytes_max = 1024UL * 1024;

// A person's PATH may lack the folders of what only root runs.
std::string search_path() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets variables
  const auto* path = std::getenv("PATH");
  return fmt::format("{}:/usr/sbin:/sbin:/usr/bin:/bin", path == nullptr ? "" : path);
}

}  // namespace

std::string find_program(std::string_view name) {
  const auto path = search_path();
  for (const auto folder : text::split(path, ':')) {
    if (!folder.starts_with('/')) continue;
    const auto file = std::filesystem::path(folder) / name;
    if (access(file.c_str(), X_OK) == 0) return file.string();
  }
  return {};
}

Result<std::string> ask_program(std::vector<std::string> words) {
  const auto program = find_program(words.front());
  if (program.empty()) return fail(Code::not_found, words.front() + " is not installed");
  ProgramRun run{.arguments = words, .environment = {"PATH=" + search_path(), "LC_ALL=C"}};
  run.arguments.front() = program;
  run.output_bytes_max = printed_bytes_max;
  WorkerPool workers({.threads = 1});
  ProgramRunner programs(workers);
  const auto end = run_once<Result<ProgramEnd>>(
      [&](NetLoop& loop) { return programs.run(loop, std::move(run)); });
  if (!end) return std::unexpected(end.error());
  if (end->exit_code != 0)
    return fail(Code::denied,
                fmt::format("{}: {}{}", fmt::join(words, " "), end->output, end->error_output));
  return end->output;
}

}  // namespace tapal::app
