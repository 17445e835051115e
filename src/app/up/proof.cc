// The service runs, and mail goes both ways.
#include <fmt/format.h>

#include "app/up/delivery_proof.h"
#include "app/up/service_start.h"
#include "app/up/up.h"
#include "drivers/system/random.h"
#include "values/text/hex.h"

namespace tapal::app {
namespace {

std::string_view or_none(const std::string& text) {
  return text.empty() ? std::string_view("none") : std::string_view(text);
}

void tell(Up& up, const Proof& proof, std::string_view what) {
  up.report.tell(proof.is_delivered ? Mark::fine : Mark::trouble,
                 fmt::format("{}: {}\nto {}, TLS {}, queue id {}",
                             what,
                             proof.reply,
                             or_none(proof.relay),
                             or_none(proof.relayed_tls),
                             proof.queue_id));
}

ProofOptions proof_options(const Up& up) {
  ProofOptions options;
  options.user = up.user;
  options.outside = up.forward.empty() ? up.user : up.forward.front();
  // With a catch-all any address does; one that nobody has proves it.
  options.inside = up.forward.empty()
                       ? up.user
                       : mail::Address{"proof-" + text::to_hex(SystemRandom().bytes(4)), up.domain};
  options.hostname = up.hostname;
  return options;
}

bool passes(std::string_view result) { return result.starts_with("pass"); }

}  // namespace

Result<void> up_service(Up& up) {
  TAPAL_CHECK(up_network(up));
  if (up.only_plans()) {
    up.report.tell(Mark::planned, "the server as a service of this machine, if it does not run");
    return {};
  }
  TAPAL_TRY(const auto settings, load_settings(up.common.config));
  TAPAL_TRY(const auto started, ensure_service_runs(up.common, settings, up.options.root));
  switch (started) {
    case ServiceStart::was_running:
      up.report.tell(Mark::fine, "the server runs, and has taken in what was changed");
      break;
    case ServiceStart::by_systemd:
      up.report.tell(Mark::changed, "tapal.service is enabled and runs: journalctl -u tapal");
      break;
    case ServiceStart::detached:
      up.report.tell(Mark::changed,
                     fmt::format("the server runs until this machine stops (there is no systemd "
                                 "here); it writes to {}/tapal.log",
                                 settings.state_folder));
  }
  return {};
}

Result<void> up_proof(Up& up) {
  if (up.only_plans()) {
    up.report.tell(Mark::planned, "a test message out, and one in by this server's own MX");
    return {};
  }
  const auto options = proof_options(up);
  TAPAL_TRY(const auto out, prove_sending(up.common, options));
  tell(up, out, fmt::format("{} writes to {}", options.user.text(), options.outside.text()));
  TAPAL_TRY(const auto in, prove_receiving(up.common, options));
  tell(up, in, fmt::format("a stranger writes to {}", options.inside.text()));
  const bool all_pass = passes(in.spf) && passes(in.dkim) && passes(in.dmarc);
  up.report.tell(all_pass ? Mark::fine : Mark::trouble,
                 fmt::format("what a receiver finds: SPF {}, DKIM {}, DMARC {}, TLS {}",
                             or_none(in.spf),
                             or_none(in.dkim),
                             or_none(in.dmarc),
                             or_none(in.submitted_tls)));
  if (!out.is_delivered || !in.is_delivered)
    return fail(Code::try_later,
                fmt::format("mail does not arrive yet; `tapal why {}` tells more",
                            out.is_delivered ? in.queue_id : out.queue_id));
  return {};
}

}  // namespace tapal::app
