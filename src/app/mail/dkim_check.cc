#include "app/mail/dkim_check.h"

#include <utility>

#include "app/cli/once.h"
#include "drivers/system/clock.h"
#include "ports/look_up.h"
#include "values/mail/header.h"

namespace tapal::app {
namespace {

Task<bool> ask_keys(NetLoop& loop, Resolver& resolver, mailauth::SignedMessage& message) {
  co_await answer_lookups(resolver, loop, message);
  co_return true;
}

}  // namespace

Result<std::vector<mailauth::DkimResult>> check_dkim(std::string_view message,
                                                     ResolverOptions options) {
  const auto end = mail::header_end(message).value_or(message.size());
  mailauth::SignedMessage signed_message(message.substr(0, end));
  mailauth::DkimVerifier verifier(signed_message);
  signed_message.on_body(message.substr(end));
  TAPAL_TRY(const auto resolver, UnboundResolver::open(std::move(options)));
  run_once<bool>([&](NetLoop& loop) { return ask_keys(loop, *resolver, signed_message); });
  return verifier.results(SystemClock().wall_now());
}

}  // namespace tapal::app
