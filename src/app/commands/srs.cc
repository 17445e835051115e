#include "rules/forward/srs.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/commands/commands.h"
#include "drivers/files/files.h"
#include "drivers/system/clock.h"
#include "values/text/ascii.h"
#include "values/text/idna.h"

namespace tapal::app {
namespace {

struct SrsOptions {
  std::string address;
  std::string secret;
  std::string secret_file;
  std::string alias;
  std::int64_t now = -1;  // seconds since 1970; less than 0: the clock's
};

Result<forward::SrsKeys> keys_of(const SrsOptions& options) {
  if (options.secret_file.empty() == options.secret.empty())
    return fail(Code::invalid, "give either --secret or --secret-file");
  if (options.secret_file.empty()) return forward::SrsKeys{options.secret, {}};
  TAPAL_TRY(const auto text, files::read_file(options.secret_file));
  return forward::read_srs_keys(text, options.secret_file);
}

Result<mail::Address> reverse(const forward::Srs& srs,
                              const mail::Address& address,
                              const std::string& alias,
                              WallTime now) {
  if (address.domain != alias)
    return fail(Code::invalid, fmt::format("{} is not at {}", address.text(), alias));
  auto sender = srs.reverse(address, now);
  if (!sender)
    return fail(Code::denied,
                fmt::format("{}: {}", address.text(), forward::text_of(sender.error())));
  if (auto* readable = std::get_if<mail::Address>(&*sender)) return std::move(*readable);
  return fail(
      Code::not_found,
      fmt::format("{}: the sender is kept by the server that made the address", address.text()));
}

enum class Direction : std::uint8_t { forward, reverse };

Result<mail::Address> rewrite(const SrsOptions& options, Direction direction) {
  TAPAL_TRY(auto keys, keys_of(options));
  TAPAL_TRY(const auto address, mail::parse_address(options.address));
  TAPAL_TRY(const auto alias, text::domain_to_ascii(options.alias));
  const auto now =
      options.now < 0 ? SystemClock().wall_now() : WallTime(std::chrono::seconds(options.now));
  const forward::Srs srs(std::move(keys));
  return direction == Direction::forward ? srs.forward(address, alias, now)
                                         : reverse(srs, address, alias, now);
}

int run_srs(const CommonOptions& common, const SrsOptions& options, Direction direction) {
  const auto address = rewrite(options, direction);
  if (!address) return tell(address.error());
  if (common.output == Output::json) {
    print_json({{"address", address->text()}});
  } else {
    fmt::print("{}\n", address->text());
  }
  return exit_done;
}

}  // namespace

void declare_srs(const Command& tapal) {
  const auto srs = tapal.add_group(
      "srs", "rewritten return paths of forwarded mail", "srs forward --secret-file srs.keys ...");
  const auto declare = [&srs](const std::string& name, const std::string& help, Direction which) {
    const auto command = srs.add(
        name,
        help,
        fmt::format("srs {} --secret-file /etc/tapal/srs.keys --alias example.com {}",
                    name,
                    which == Direction::forward ? "user@sender.example" : "SRS0=...@example.com"));
    auto options = std::make_shared<SrsOptions>();
    command.text({"address", "the return path", true}, options->address);
    command.text({"--secret", "the key; other users of this machine can see it"}, options->secret);
    command.text({"--secret-file", "a file of keys, as srs.keys in the configuration folder"},
                 options->secret_file);
    command.text({"--alias", "our domain, that the mail is passed on from", true}, options->alias);
    command.number({"--now", "the time, in seconds since 1970; default: now"},
                   {0, 253'402'300'799},
                   options->now);
    command.runs([options, which](const auto& common) { return run_srs(common, *options, which); });
  };
  declare(
      "forward", "the return path that mail from ADDRESS is passed on under", Direction::forward);
  declare("reverse", "the sender behind a rewritten address", Direction::reverse);
}

}  // namespace tapal::app
