#include "services/upkeep/challenge_hooks.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/dns/name.h"
#include "values/text/ascii.h"

namespace tapal::upkeep {
namespace {

constexpr std::size_t hook_name_bytes_max = 64;
constexpr std::size_t value_bytes_max = 255;
constexpr std::size_t words_bytes_max = 300;
constexpr std::size_t secret_bytes_min = 4;  // anything shorter would blank half of every text
constexpr std::string_view search_path =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::string_view challenge_label = "_acme-challenge.";

// A function of a dnsapi script as acme.sh calls it. Everything comes as an argument: none of it is
// ever part of the shell's text. `set --` keeps acme.sh, which ends in `main "$@"`, from acting.
constexpr const char* acme_sh_text = R"(umask 077
acme_sh=$1 script=$2 call=$3 name=$4 value=$5
set --
. "$acme_sh" >/dev/null
_initpath >/dev/null 2>&1
. "$script"
"$call" "$name" "$value"
)";

bool is_plain_file_name(std::string_view name) {
  constexpr std::string_view marks = "-_.";
  return !name.empty() && name.size() <= hook_name_bytes_max && name.front() != '.' &&
         name.front() != '-' &&
         std::ranges::all_of(name, [&](char c) { return text::is_alnum(c) || marks.contains(c); });
}

// Names and values come from an authority's order by way of our own code, and are looked at once
// more: what runs below may be any script.
Result<void> check(std::string_view name, std::string_view value) {
  constexpr std::string_view marks = "-_.";
  const auto canonical = dns::parse_name(name);
  if (name.empty() || !canonical || *canonical != name ||
      !std::ranges::all_of(name, [&](char c) { return text::is_alnum(c) || marks.contains(c); }))
    return fail(Code::invalid, fmt::format("{} is no name for a hook", text::printable(name, 100)));
  const auto is_fit = [](char c) { return c > ' ' && c <= '~'; };
  if (value.empty() || value.size() > value_bytes_max || !std::ranges::all_of(value, is_fit))
    return fail(Code::invalid, "the text is not one for a hook: up to 255 printable characters");
  return {};
}

// The longest first: one may be part of another.
void blank_values(std::string& text, const std::vector<std::string>& environment) {
  constexpr std::string_view stars = "***";
  std::vector<std::string_view> secrets;
  secrets.reserve(environment.size());
  for (const auto& variable : environment)
    secrets.push_back(std::string_view(variable).substr(variable.find('=') + 1));
  std::ranges::sort(secrets, std::ranges::greater{}, &std::string_view::size);
  for (const auto secret : secrets) {
    if (secret.size() < secret_bytes_min) break;
    for (auto at = text.find(secret); at != text.npos; at = text.find(secret, at + stars.size()))
      text.replace(at, secret.size(), stars);
  }
}

std::string last_line(const ProgramEnd& end) {
  for (const std::string_view output :
       {std::string_view(end.error_output), std::string_view(end.output)})
    if (const auto lines = text::trim(output); !lines.empty())
      return std::string(text::trim(lines.substr(lines.rfind('\n') + 1)));
  return "it says nothing";
}

Result<void> judge(const ProgramEnd& end, std::string_view hook, const HookOptions& options) {
  if (end.timed_out)
    return fail(Code::timed_out,
                fmt::format("{} did not end within {} s", hook, options.time_max.count()));
  if (end.signal != 0)
    return fail(Code::try_later, fmt::format("signal {} ended {}", end.signal, hook));
  if (end.exit_code == 0) return {};
  auto words = last_line(end);
  blank_values(words, options.environment);
  return fail(Code::try_later,
              fmt::format("{} failed (exit code {}): {}",
                          hook,
                          end.exit_code,
                          text::printable(words, words_bytes_max)));
}

Task<Result<void>> run_hook(
    Programs& programs, Loop& loop, ProgramRun run, std::string hook, const HookOptions& options) {
  run.environment.emplace_back(search_path);
  run.environment.insert(
      run.environment.end(), options.environment.begin(), options.environment.end());
  run.time_max = options.time_max;
  auto end = co_await programs.run(loop, std::move(run));
  if (!end) co_return fail(end.error().code, fmt::format("{}: {}", hook, end.error().what));
  co_return judge(*end, hook, options);
}

}  // namespace

Result<std::string> hook_path(std::string_view folder, std::string_view name) {
  if (!is_plain_file_name(name))
    return fail(Code::invalid,
                fmt::format("\"{}\" is no name of a hook: letters, digits, - _ and .",
                            text::printable(name, 100)));
  return fmt::format("{}/{}", folder, name);
}

Task<Result<void>> ProgramHook::run(Loop& loop,
                                    std::string_view operation,
                                    std::string name,
                                    std::string value) {
  TAPAL_CO_CHECK(check(name, value));
  ProgramRun run;
  run.arguments = {program_, std::string(operation), std::move(name), std::move(value)};
  auto hook = "hook " + program_;
  co_return co_await run_hook(programs_, loop, std::move(run), std::move(hook), options_);
}

Result<AcmeShHook> AcmeShHook::from_script(AcmeShScript script,
                                           HookOptions options,
                                           Programs& programs) {
  const auto is_fit = [](char c) { return text::is_alnum(c) || c == '_'; };
  if (!script.name.starts_with("dns_") || script.name.size() > hook_name_bytes_max ||
      !std::ranges::all_of(script.name, is_fit))
    return fail(Code::invalid,
                fmt::format("\"{}\" is no script of acme.sh's dnsapi folder: expected dns_cf, "
                            "dns_gd and the like",
                            text::printable(script.name, 100)));
  for (const auto& path : {script.acme_sh, script.home})
    if (!path.starts_with('/'))
      return fail(Code::invalid,
                  fmt::format("\"{}\" is not an absolute path", text::printable(path, 200)));
  return AcmeShHook(std::move(script), std::move(options), programs);
}

Task<Result<void>> AcmeShHook::run(Loop& loop,
                                   std::string_view operation,
                                   std::string name,
                                   std::string value) {
  TAPAL_CO_CHECK(check(name, value));
  if (!name.starts_with(challenge_label))
    co_return fail(Code::invalid,
                   fmt::format("{}: scripts of acme.sh are run for {}* only, as many would spoil "
                               "other records",
                               name,
                               challenge_label));
  const auto folder = script_.acme_sh.substr(0, script_.acme_sh.rfind('/'));
  ProgramRun run;
  run.arguments = {"/bin/sh", "-c", acme_sh_text, "tapal", script_.acme_sh};
  run.arguments.push_back(fmt::format("{}/dnsapi/{}.sh", folder, script_.name));
  run.arguments.push_back(fmt::format("{}_{}", script_.name, operation));
  run.arguments.push_back(std::move(name));
  run.arguments.push_back(std::move(value));
  run.environment = {"LE_WORKING_DIR=" + script_.home, "HOME=" + script_.home};
  auto hook = "acme.sh " + script_.name;
  co_return co_await run_hook(programs_, loop, std::move(run), std::move(hook), options_);
}

}  // namespace tapal::upkeep
