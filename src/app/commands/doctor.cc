#include <algorithm>
#include <iostream>
#include <memory>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/backup/committed_command.h"
#include "app/cli/dns_option.h"
#include "app/cli/message_file.h"
#include "app/cli/once.h"
#include "app/commands/commands.h"
#include "app/config/public_suffix_file.h"
#include "app/doctor/look.h"
#include "app/doctor/repairs.h"
#include "app/doctor/report.h"
#include "drivers/net/http_client.h"
#include "drivers/net/tls.h"
#include "drivers/system/clock.h"
#include "services/upkeep/examination.h"
#include "values/text/idna.h"

namespace tapal::app {
namespace {

namespace json = boost::json;
using provision::Finding;
using provision::Severity;

constexpr int exit_warnings = 4;  // nothing worse than warnings

struct DoctorOptions {
  std::string domain;  // empty: all of ours
  std::vector<std::string> only;
  std::vector<std::string> addresses;
  std::string dns_server;
  bool fixes = false;
  bool bulk = false;
  bool verbose = false;
  bool paste = false;
};

int exit_code(Severity worst) {
  if (worst == Severity::error) return exit_failed;
  return worst == Severity::warning ? exit_warnings : exit_done;
}

ReportStyle style_of(const DoctorOptions& options) {
  ReportStyle style;
  if (options.verbose) style.detail = ReportStyle::Detail::everything;
  if (options.bulk) style.audience = ReportStyle::Audience::bulk;
  return style;
}

// Mends what it may, then looks again at what that touched.
Result<std::vector<Finding>> mend(DoctorLook& look,
                                  const DoctorPlace& place,
                                  std::vector<Finding> findings) {
  const auto repaired = repair(place.config, findings);
  for (const auto& one : repaired.done) fmt::print(stderr, "mended: {}\n", one);
  for (const auto& one : repaired.failed) fmt::print(stderr, "not mended: {}\n", one);
  if (repaired.done.empty()) return findings;
  TAPAL_TRY(const auto again, look.examine(place, repaired.checks));
  std::erase_if(findings, [&](const Finding& one) {
    return std::ranges::find(repaired.checks, one.id) != repaired.checks.end();
  });
  findings.insert(findings.end(), again.begin(), again.end());
  return findings;
}

Result<std::vector<std::string>> chosen_domains(const CommonOptions& common,
                                                const DoctorOptions& options) {
  if (!options.domain.empty()) {
    TAPAL_TRY(auto domain, text::domain_to_ascii(options.domain));
    return std::vector{std::move(domain)};
  }
  auto all = files::load_config_folder({common.config, {}}).directory.domains();
  if (all.empty())
    return fail(Code::not_found, "there is no domain yet: tapal init DOMAIN makes one");
  return all;
}

Result<std::vector<IpAddress>> read_addresses(const std::vector<std::string>& texts) {
  std::vector<IpAddress> addresses;
  for (const auto& text : texts) {
    const auto address = IpAddress::from_text(text);
    if (!address) return fail(Code::invalid, text + " is not an IP address");
    addresses.push_back(*address);
  }
  return addresses;
}

Result<void> check_names(const std::vector<std::string>& only) {
  for (const auto& name : only)
    if (std::ranges::none_of(provision::all_checks(), [&](const auto& check) {
          return provision::is_chosen(check, std::span(&name, 1));
        })) {
      std::string known;
      for (const auto& check : provision::all_checks()) known += fmt::format(" {}", check.id);
      return fail(Code::invalid, fmt::format("no check is called {}; there are:{}", name, known));
    }
  return {};
}

int run_paste(const CommonOptions& common) {
  const auto text = read_message("-");
  if (!text) return tell(text.error());
  const auto graded = provision::grade_paste(*text);
  if (!graded) return tell(graded.error());
  if (common.output == Output::json)
    print_json(report_json(*graded));
  else
    fmt::print("{}", report_text(*graded));
  return exit_code(provision::worst_of(graded->findings));
}

int run_doctor(const CommonOptions& common, const DoctorOptions& options) {
  if (options.paste) return run_paste(common);
  const auto addresses = read_addresses(options.addresses);
  const auto names = check_names(options.only);
  if (!addresses || !names) {
    tell(!addresses ? addresses.error() : names.error());
    return exit_usage;
  }
  const auto look = DoctorLook::prepare(common, options.dns_server);
  if (!look) return tell(look.error());
  const auto domains = chosen_domains(common, options);
  if (!domains) return tell(domains.error());
  auto worst = Severity::ok;
  json::array reports;
  for (const auto& domain : *domains) {
    const DoctorPlace place{common.config, domain, *addresses};
    auto findings = (*look)->examine(place, options.only);
    if (findings && options.fixes) findings = mend(**look, place, *std::move(findings));
    if (!findings) return tell(findings.error());
    worst = std::max(worst, provision::worst_of(*findings));
    if (common.output == Output::json)
      reports.push_back(report_json(domain, *findings, style_of(options)));
    else
      fmt::print("{}{}",
                 domain == domains->front() ? "" : "\n",
                 report_text(domain, *findings, style_of(options)));
  }
  if (common.output == Output::json) print_json({{"domains", std::move(reports)}});
  return exit_code(worst);
}

}  // namespace

void declare_doctor(const Command& tapal) {
  const auto doctor =
      tapal.add("doctor",
                "looks at everything that mail of a domain depends on, and tells how "
                "to mend what is wrong; exit code 0: nothing to do, 1: errors, 4: "
                "warnings only",
                "doctor example.com");
  auto options = std::make_shared<DoctorOptions>();
  doctor.text({"domain", "a domain of this server; default: all of them"}, options->domain);
  doctor.texts({"--only", "these checks: an id such as spf.egress, or a family such as spf"},
               options->only);
  doctor.texts(
      {"--address", "an address that mail leaves from; default: as set, else the machine's"},
      options->addresses);
  doctor.flag({"--fix", "mend what is safe: missing aliases of roles, rights of files"},
              options->fixes);
  doctor.flag({"--bulk", "show what Gmail, Yahoo and Outlook ask of bulk senders, too"},
              options->bulk);
  doctor.flag({"--verbose", "show what is in order, too"}, options->verbose);
  doctor.flag({"--paste", "read the text under \"show original\" from standard input and grade it"},
              options->paste);
  doctor.text({"--dns-server", dns_server_help}, options->dns_server);
  doctor.runs([options](const auto& common) {
    const auto run = [&](const CommonOptions& all) { return run_doctor(all, *options); };
    return options->fixes ? run_and_commit(common, "tapal doctor", run) : run(common);
  });
}

}  // namespace tapal::app
