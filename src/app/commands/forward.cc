#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/cli/dns_option.h"
#include "app/cli/message_file.h"
#include "app/commands/commands.h"
#include "app/config/domains.h"
#include "app/config/public_suffix_file.h"
#include "app/settings/settings.h"
#include "drivers/files/config_folder.h"
#include "drivers/system/clock.h"
#include "rules/forward/plan.h"
#include "services/intake/admission.h"
#include "services/intake/branch_head.h"
#include "services/intake/verification.h"
#include "values/mail/header.h"
#include "values/text/ascii.h"

namespace tapal::app {
namespace {

struct PlanOptions {
  std::string file;
  std::string to;
  std::string ip;
  std::string helo = "unknown";
  std::string mail_from;  // empty: the message's Return-Path
  std::string dns_server;
};

// One place that the mail would go to.
struct Destination {
  std::string address;
  std::string via_alias;    // empty: it is delivered here
  std::string return_path;  // with which it leaves
};

struct Planned {
  mailauth::Findings findings;
  forward::Plan plan;
  std::vector<Destination> destinations;
  std::string refusal;  // of the recipient; empty: it is taken
};

Result<std::optional<mail::Address>> return_path_of(const PlanOptions& options,
                                                    std::string_view header) {
  auto path = options.mail_from;
  if (path.empty())
    if (const auto fields = mail::HeaderFields::parse(header))
      path = fields->body_of("Return-Path");
  if (path.empty() || path == "<>") return std::nullopt;
  if (path.starts_with('<') && path.ends_with('>')) path = path.substr(1, path.size() - 2);
  TAPAL_TRY(auto address, mail::parse_address(path));
  return std::optional(std::move(address));
}

Task<mailauth::Findings> look(intake::Verification& verification,
                              Resolver& resolver,
                              Loop& loop,
                              const dns::PublicSuffixes& suffixes) {
  const intake::VerificationWorld world{loop, resolver, &suffixes};
  co_return co_await verification.finish(world, loop.now() + std::chrono::seconds(30));
}

Result<mailauth::Findings> verify(const CommonOptions& common,
                                  const PlanOptions& options,
                                  std::string_view message,
                                  intake::VerificationSubject subject) {
  const auto end = mail::header_end(message).value_or(message.size());
  intake::Verification verification(std::move(subject), message.substr(0, end));
  verification.on_body(message.substr(end));
  TAPAL_TRY(const auto suffixes, load_public_suffixes({}));
  TAPAL_TRY(auto asked, resolver_options(common, options.dns_server));
  TAPAL_TRY(const auto resolver, UnboundResolver::open(std::move(asked)));
  return run_once<mailauth::Findings>(
      [&](NetLoop& loop) { return look(verification, *resolver, loop, suffixes); });
}

Result<void> place(const CommonOptions& common,
                   const PlanOptions& options,
                   const intake::VerificationSubject& subject,
                   Planned& planned) {
  const auto folder = files::load_config_folder({common.config, {}});
  TAPAL_TRY(const auto domains, make_domains(folder));
  TAPAL_TRY(auto to, mail::parse_address(options.to));
  const intake::Passage passage{subject.return_path, subject.now};
  const mail::Recipient recipient{.address = std::move(to)};
  const auto placed = intake::place_recipient(*domains, {}, passage, recipient);
  if (!placed) {
    planned.refusal = smtp::one_line(placed.error());
    return {};
  }
  for (const auto& one : *placed) {
    Destination destination{.address = one.recipient.address.text()};
    auto path = subject.return_path;
    if (one.via_alias) {
      destination.via_alias = one.via_alias->text();
      path = intake::passed_on_path(*domains, path, *one.via_alias, {}, subject.now).path;
    }
    destination.return_path = path ? path->text() : "<>";
    planned.destinations.push_back(std::move(destination));
  }
  return {};
}

Result<Planned> plan(const CommonOptions& common, const PlanOptions& options) {
  TAPAL_TRY(const auto message, read_message(options.file));
  TAPAL_TRY(const auto settings, load_settings(common.config));
  intake::VerificationSubject subject{
      .helo = options.helo, .host_name = settings.hostname, .now = SystemClock().wall_now()};
  const auto ip = IpAddress::from_text(options.ip.empty() ? "::" : options.ip);
  if (!ip) return fail(Code::invalid, options.ip + " is no IP address");
  subject.peer = *ip;
  TAPAL_TRY(subject.return_path, return_path_of(options, message));
  Planned planned;
  TAPAL_CHECK(place(common, options, subject, planned));
  TAPAL_TRY(planned.findings, verify(common, options, message, std::move(subject)));
  planned.plan = forward::plan_forward(planned.findings, settings.forward.remedies);
  return planned;
}

boost::json::object to_json(const Planned& planned) {
  const auto& found = planned.findings;
  boost::json::array targets;
  for (const auto& one : planned.destinations)
    targets.push_back(
        {{"address", one.address}, {"via_alias", one.via_alias}, {"return_path", one.return_path}});
  return {{"way", forward::text_of(planned.plan.way)},
          {"passes", planned.plan.passes},
          {"reason", planned.plan.reason},
          {"spf", mailauth::spf_verdict_text(found.spf.verdict)},
          {"dkim", mailauth::dkim_verdict_text(mailauth::overall_verdict(found.dkim))},
          {"arc", mailauth::arc_status_text(found.arc.status)},
          {"dmarc", mailauth::dmarc_verdict_text(found.dmarc.verdict)},
          {"policy", mailauth::dmarc_policy_text(found.dmarc.policy)},
          {"refusal", planned.refusal},
          {"targets", targets}};
}

void print(const Planned& planned) {
  const auto& found = planned.findings;
  fmt::print("{}\npasses: {}\nreason: {}\n",
             forward::text_of(planned.plan.way),
             planned.plan.passes ? "yes" : "no",
             planned.plan.reason);
  fmt::print("found: spf={} dkim={} arc={} dmarc={} policy={}\n",
             mailauth::spf_verdict_text(found.spf.verdict),
             mailauth::dkim_verdict_text(mailauth::overall_verdict(found.dkim)),
             mailauth::arc_status_text(found.arc.status),
             mailauth::dmarc_verdict_text(found.dmarc.verdict),
             mailauth::dmarc_policy_text(found.dmarc.policy));
  if (!planned.refusal.empty()) fmt::print("refused: {}\n", planned.refusal);
  for (const auto& one : planned.destinations) {
    if (one.via_alias.empty())
      fmt::print("delivered: {}\n", one.address);
    else
      fmt::print("passed on: {} by {}, from {}\n", one.address, one.via_alias, one.return_path);
  }
}

int run_forward_plan(const CommonOptions& common, const PlanOptions& options) {
  const auto planned = plan(common, options);
  if (!planned) return tell(planned.error());
  if (common.output == Output::json)
    print_json(to_json(*planned));
  else
    print(*planned);
  return exit_done;
}

}  // namespace

void declare_forward(const Command& tapal) {
  const auto forward = tapal.add_group(
      "forward", "mail that aliases pass on", "forward plan message.eml --to x@a.example");
  const auto plan = forward.add("plan",
                                "will this message pass at the target, and what would be done",
                                "forward plan message.eml --to any@example.com --ip 192.0.2.1 "
                                "--mail-from ann@bank.example");
  auto options = std::make_shared<PlanOptions>();
  plan.text({"file", "the message; - is standard input", true}, options->file);
  plan.text({"--to", "the address of ours that it came to", true}, options->to);
  plan.text({"--ip", "the server it came from; without it SPF speaks for nobody"}, options->ip);
  plan.text({"--helo", "the name that server gave"}, options->helo);
  plan.text({"--mail-from", "default: the message's Return-Path"}, options->mail_from);
  plan.text({"--dns-server", dns_server_help}, options->dns_server);
  plan.runs([options](const auto& common) { return run_forward_plan(common, *options); });
}

}  // namespace tapal::app
