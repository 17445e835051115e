#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/cli/dns_option.h"
#include "app/cli/host_questions.h"
#include "app/cli/once.h"
#include "app/commands/commands.h"
#include "app/config/domains.h"
#include "app/gmail/setup.h"
#include "app/gmail/wait.h"
#include "app/mail/app_passwords.h"
#include "drivers/files/config_folder.h"
#include "drivers/system/clock.h"
#include "values/crypto/hash.h"
#include "values/text/date.h"
#include "values/text/duration.h"

namespace tapal::app {
namespace {

namespace json = boost::json;

constexpr std::int64_t wait_seconds_default = 600;
constexpr std::int64_t wait_seconds_max = 3600;

struct GmailOptions {
  std::string address;
  std::string user;     // empty: found out
  std::string ca_file;  // empty: the system's authorities
  bool new_password = false;
  std::int64_t wait_seconds = wait_seconds_default;
};

// One port of the server, looked at from outside.
struct PortFinding {
  SubmissionPort port;
  std::string server;  // "192.0.2.1:465"; empty where nothing was reached
  CertificateFinding certificate;
};

std::string_view manner(SubmissionPort port) {
  return port.tls == SubmissionPort::Tls::implicit ? "SSL" : "TLS";
}

Result<GmailPlan> plan(const CommonOptions& common, const GmailOptions& options) {
  TAPAL_TRY(const auto address, mail::parse_address(options.address));
  TAPAL_TRY(const auto settings, load_settings(common.config));
  const auto folder =
      files::load_config_folder({common.config, settings.certificates_folder(common.config)});
  TAPAL_TRY(const auto domains, make_domains(folder));
  return plan_gmail(*domains, settings, address, options.user);
}

// Asks DNS for the host and looks at each port at its first address, as Gmail would.
Task<std::vector<PortFinding>> look_from_outside(NetLoop& loop,
                                                 Resolver& resolver,
                                                 GmailPlan plan,
                                                 std::string ca_file) {
  std::vector<PortFinding> findings;
  const auto addresses = co_await host_addresses(loop, resolver, plan.host);
  for (const auto port : plan.ports) {
    PortFinding finding{port, {}, {}};
    if (!addresses) {
      finding.certificate.problems = {addresses.error().what};
      findings.push_back(std::move(finding));
      continue;
    }
    const Endpoint server{addresses->front(), port.port};
    const auto served = co_await look_at_certificate(loop, plan.host, server, port.tls, ca_file);
    if (served) {
      finding.server = server.text();
      finding.certificate = judge_certificate(*served, plan.host, SystemClock().wall_now());
    } else {
      finding.certificate.problems = {
          fmt::format("nothing to use at {}: {}; is the server running, and does the firewall let "
                      "this port in?",
                      server.text(),
                      served.error().what)};
    }
    findings.push_back(std::move(finding));
  }
  co_return findings;
}

Result<std::vector<PortFinding>> look_at_ports(const CommonOptions& common,
                                               const GmailPlan& plan,
                                               const std::string& ca_file) {
  TAPAL_TRY(auto options, resolver_options(common, ""));
  TAPAL_TRY(const auto resolver, UnboundResolver::open(std::move(options)));
  return run_once<std::vector<PortFinding>>(
      [&](NetLoop& loop) { return look_from_outside(loop, *resolver, plan, ca_file); });
}

json::object to_json(const PortFinding& finding) {
  json::object port{{"port", finding.port.port}, {"security", manner(finding.port)}};
  json::array problems;
  for (const auto& problem : finding.certificate.problems) problems.emplace_back(problem);
  port["problems"] = std::move(problems);
  if (const auto& facts = finding.certificate.facts) {
    port["issuer"] = facts->issuer;
    port["expires"] = text::rfc3339_date(facts->validity.not_after);
  }
  return port;
}

void print(const PortFinding& finding, const std::string& host) {
  const auto& [facts, problems] = finding.certificate;
  for (const auto& problem : problems)
    fmt::print("  port {}: {}{}\n", finding.port.port, facts ? "the certificate: " : "", problem);
  if (problems.empty() && facts)
    fmt::print("  port {}: a certificate for {} that holds until {}, from {}\n",
               finding.port.port,
               host,
               text::rfc3339_day(facts->validity.not_after),
               facts->issuer);
}

// What stands in the form. The password is empty where the one made earlier goes on.
struct Form {
  GmailPlan plan;
  std::vector<PortFinding> ports;  // with one that works at least
  std::string password;
};

const PortFinding* best_of(const std::vector<PortFinding>& ports) {
  const auto works = [](const PortFinding& port) { return port.certificate.problems.empty(); };
  const auto found = std::ranges::find_if(ports, works);
  return found == ports.end() ? nullptr : &*found;
}

// The application password named gmail; empty when there is one already that is to stay.
Result<std::string> password_for(const CommonOptions& common,
                                 const GmailOptions& options,
                                 const mail::Address& user) {
  const AppPasswordPlace place{user, std::string(gmail_password_name)};
  TAPAL_TRY(const auto passwords, app_passwords_of(common, user));
  const bool has_one =
      std::ranges::find(passwords, place.name, &account::AppPassword::name) != passwords.end();
  if (has_one && !options.new_password) return std::string();
  if (has_one) {
    TAPAL_CHECK(remove_app_password(common, place));
  }
  return add_app_password(common, place);
}

void print_form(const CommonOptions& common, const Form& form) {
  const auto& best = *best_of(form.ports);
  const auto user = form.plan.user.text();
  fmt::print(
      "In Gmail: Settings, \"See all settings\", \"Accounts and Import\", \"Send mail as\", \"Add "
      "another email address\".\n"
      "  Name           as people shall see it\n"
      "  Email address  {}\n"
      "  Treat as an alias: leave it ticked\n"
      "Next step:\n"
      "  SMTP Server    {}\n"
      "  Port           {}, secured connection using {}\n"
      "  Username       {}\n",
      form.plan.address.text(),
      form.plan.host,
      best.port.port,
      manner(best.port),
      user);
  if (form.password.empty())
    fmt::print(
        "  Password       the one made earlier; --new-password makes another in its place\n");
  else
    fmt::print("  Password       {}\n", form.password);
  fmt::print("To take the password back: tapal user app-password del {} --name {}{}\n\n",
             user,
             gmail_password_name,
             config_words(common));
  fmt::print("As Gmail will see {}:\n", form.plan.host);
  for (const auto& port : form.ports) print(port, form.plan.host);
}

json::object to_json(const GmailPlan& plan, const std::vector<PortFinding>& ports) {
  json::array list;
  for (const auto& port : ports) list.push_back(to_json(port));
  json::object answer{{"address", plan.address.text()},
                      {"user", plan.user.text()},
                      {"host", plan.host},
                      {"ports", std::move(list)}};
  if (const auto* best = best_of(ports)) {
    answer["port"] = best->port.port;
    answer["security"] = manner(best->port);
  }
  return answer;
}

int tell_unfit(const CommonOptions& common,
               const GmailPlan& plan,
               const std::vector<PortFinding>& ports) {
  if (common.output == Output::json) {
    print_json(to_json(plan, ports));
    return exit_failed;
  }
  fmt::print("Gmail cannot send by {} yet:\n", plan.host);
  for (const auto& port : ports) print(port, plan.host);
  if (ports.empty())
    fmt::print("  no port takes mail from users: see listen.submissions in the settings\n");
  fmt::print("Nothing was changed. Put this right and run the command again.\n");
  return exit_failed;
}

int run_gmail(const CommonOptions& common, const GmailOptions& options) {
  const auto planned = plan(common, options);
  if (!planned) return tell(planned.error());
  auto ports = look_at_ports(common, *planned, options.ca_file);
  if (!ports) return tell(ports.error());
  if (best_of(*ports) == nullptr) return tell_unfit(common, *planned, *ports);
  auto password = password_for(common, options, planned->user);
  if (!password) return tell(password.error());
  if (common.output == Output::json) {
    auto answer = to_json(*planned, *ports);
    answer["password"] = password->empty() ? json::value() : json::value(*password);
    print_json(answer);
  } else {
    print_form(common, {*planned, *std::move(ports), *password});
  }
  crypto::wipe(*password);
  const std::chrono::seconds wait(options.wait_seconds);
  if (wait.count() == 0) return exit_done;
  if (common.output == Output::text)
    fmt::print(
        "\nWaiting {} for Gmail's confirmation of {}; Ctrl-C ends the waiting and nothing "
        "else.\n",
        text::duration_text(wait),
        planned->address.text());
  std::fflush(stdout);  // it is to be read, and typed, meanwhile
  return wait_for_confirmation(common, planned->address, wait);
}

}  // namespace

void declare_gmail(const Command& tapal) {
  const auto gmail = tapal.add(
      "gmail",
      "make Gmail send as an address of yours: what to type, and the confirmation as it comes",
      "gmail ann@example.com");
  auto options = std::make_shared<GmailOptions>();
  gmail.text({"address", "a user's address, or an alias that a user may send as", true},
             options->address);
  gmail.text({"--user", "who logs in; default: whoever may send as the address"}, options->user);
  gmail.flag({"--new-password", "make a new password in place of the one made earlier"},
             options->new_password);
  gmail.number({"--wait", "seconds to wait for the confirmation; default 600, 0 does not wait"},
               {0, wait_seconds_max},
               options->wait_seconds);
  gmail.text({"--ca-file", "trust these certificates in place of the system's: for tests"},
             options->ca_file);
  gmail.changes([options](const auto& common) { return run_gmail(common, *options); });
}

}  // namespace tapal::app
