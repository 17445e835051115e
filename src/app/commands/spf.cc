#include <memory>
#include <string>
#include <string_view>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/cli/dns_option.h"
#include "app/commands/commands.h"
#include "drivers/system/clock.h"
#include "protocols/mailauth/spf_check.h"

namespace tapal::app {
namespace {

struct SpfCheckOptions {
  std::string ip;
  std::string mail_from;
  std::string helo;
  std::string host_name;
  std::string dns_server;
};

// The reverse path, with or without its angle brackets.
std::string_view bare_path(std::string_view path) {
  if (path.size() < 2 || !path.starts_with('<') || !path.ends_with('>')) return path;
  return path.substr(1, path.size() - 2);
}

void print(const mailauth::SpfResult& result) {
  fmt::print("{}\n", mailauth::spf_verdict_text(result.verdict));
  if (!result.explanation.empty()) fmt::print("explanation: {}\n", result.explanation);
  fmt::print("reason: {}\nidentity: {}\ndomain: {}\n",
             result.reason,
             mailauth::spf_identity_text(result.identity),
             result.domain);
  if (!result.mechanism.empty()) fmt::print("mechanism: {}\n", result.mechanism);
  for (const std::string& record : result.records) fmt::print("record: {}\n", record);
}

boost::json::object to_json(const mailauth::SpfResult& result) {
  return {{"result", mailauth::spf_verdict_text(result.verdict)},
          {"explanation", result.explanation},
          {"reason", result.reason},
          {"identity", mailauth::spf_identity_text(result.identity)},
          {"domain", result.domain},
          {"mechanism", result.mechanism},
          {"records", boost::json::array(result.records.begin(), result.records.end())}};
}

int run_spf_check(const CommonOptions& common, const SpfCheckOptions& options) {
  const auto ip = IpAddress::from_text(options.ip);
  if (!ip) {
    tell({Code::invalid, options.ip + " is not an IP address, as in 192.0.2.1 or 2001:db8::1"});
    return exit_usage;
  }
  mailauth::SpfQuestion question;
  question.ip = *ip;
  question.identity =
      mailauth::SpfIdentity::of_mail_from(bare_path(options.mail_from), options.helo);
  question.helo = options.helo;
  question.host_name = options.host_name;
  question.now = SystemClock().wall_now();
  mailauth::SpfCheck check(std::move(question));
  const auto asked = answer_from_dns(common, options.dns_server, check);
  if (!asked) return tell(asked.error());
  if (common.output == Output::json)
    print_json(to_json(check.result()));
  else
    print(check.result());
  return exit_done;
}

}  // namespace

void declare_spf(const Command& tapal) {
  const auto spf = tapal.add_group(
      "spf", "who may send for a domain", "spf check --ip 192.0.2.1 --mail-from ann@example.com");
  const auto check =
      spf.add("check",
              "may this client send as this address? the result, then why",
              "spf check --ip 192.0.2.1 --mail-from ann@example.com --helo mail.example.com");
  auto options = std::make_shared<SpfCheckOptions>();
  check.text({"--ip", "the client's address", true}, options->ip);
  check.text({"--mail-from", "the envelope sender; empty or <>: HELO is checked"},
             options->mail_from);
  check.text({"--helo", "what the client says in HELO or EHLO"}, options->helo);
  check.text({"--host-name", "our own name, for explanations"}, options->host_name);
  check.text({"--dns-server", dns_server_help}, options->dns_server);
  check.runs([options](const auto& common) { return run_spf_check(common, *options); });
}

}  // namespace tapal::app
