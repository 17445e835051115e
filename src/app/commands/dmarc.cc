#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/cli/dns_option.h"
#include "app/commands/commands.h"
#include "app/config/public_suffix_file.h"
#include "protocols/mailauth/dmarc_check.h"
#include "protocols/mailauth/domain_name.h"
#include "values/text/ascii.h"

namespace tapal::app {
namespace {

using mailauth::DmarcIdentifier;
using mailauth::DmarcResult;

// The words of RFC 8601 section 2.7.
const std::vector<std::string> spf_results = {
    "none", "neutral", "pass", "fail", "softfail", "policy", "temperror", "permerror"};
const std::vector<std::string> dkim_results = {
    "none", "pass", "fail", "policy", "neutral", "temperror", "permerror"};

struct DmarcOptions {
  std::vector<std::string> header_from;
  std::string spf = "none";
  std::string spf_domain;
  std::vector<std::string> dkim;  // one for each signature, in the order of dkim_domains
  std::vector<std::string> dkim_domains;
  std::string suffix_list;
  std::string dns_server;
};

DmarcIdentifier identifier(DmarcIdentifier::Method method,
                           std::string_view result,
                           std::string domain) {
  using enum DmarcIdentifier::Outcome;
  const auto outcome = result == "pass"        ? passed
                       : result == "temperror" ? temporary_error
                                               : not_passed;
  return {method, outcome, std::move(domain)};
}

Result<mailauth::DmarcQuestion> question(DmarcOptions options) {
  // A message without a signature needs no domain for that.
  if (options.dkim == std::vector<std::string>{"none"}) options.dkim_domains.resize(1);
  if (options.dkim.size() != options.dkim_domains.size())
    return fail(Code::invalid,
                fmt::format("{} times --dkim, but {} times --dkim-domain: each result has a domain",
                            options.dkim.size(),
                            options.dkim_domains.size()));
  mailauth::DmarcQuestion asked;
  for (const auto& domain : options.header_from) {
    auto name = mailauth::comparable_name(domain);
    if (name) {
      asked.author.domains.push_back(*std::move(name));
    } else {
      asked.author.problem = name.error().what;
    }
  }
  asked.identifiers.push_back(
      identifier(DmarcIdentifier::Method::spf, options.spf, options.spf_domain));
  for (std::size_t i = 0; i < options.dkim.size(); ++i)
    asked.identifiers.push_back(
        identifier(DmarcIdentifier::Method::dkim, options.dkim[i], options.dkim_domains[i]));
  return asked;
}

Result<DmarcResult> check(const CommonOptions& common,
                          const DmarcOptions& options,
                          mailauth::DmarcQuestion asked) {
  TAPAL_TRY(const auto suffixes, load_public_suffixes(options.suffix_list));
  mailauth::DmarcCheck core(std::move(asked), &suffixes);
  TAPAL_CHECK(answer_from_dns(common, options.dns_server, core));
  return core.result();
}

std::string_view place_text(DmarcResult::FoundAt place) {
  switch (place) {
    case DmarcResult::FoundAt::nowhere: return "nowhere";
    case DmarcResult::FoundAt::author_domain: return "author domain";
    case DmarcResult::FoundAt::organizational_domain: return "organizational domain";
    case DmarcResult::FoundAt::public_suffix: return "public suffix";
  }
  return "nowhere";
}

void print(const DmarcResult& result) {
  fmt::print("{}\ndisposition={}\nreason: {}\n",
             mailauth::dmarc_verdict_text(result.verdict),
             mailauth::dmarc_policy_text(result.disposition),
             result.reason);
  if (!result.record) return;
  fmt::print("record: {}\nfound at: _dmarc.{}, the {}\n",
             text::printable(result.record_text, mailauth::dmarc_record_bytes_max),
             result.policy_domain,
             place_text(result.found_at));
  if (!result.organizational_domain.empty())
    fmt::print("organizational domain: {}\n", result.organizational_domain);
  for (const auto& note : result.record->notes) fmt::print("note: {}\n", note);
}

boost::json::object to_json(const DmarcResult& result) {
  boost::json::array aligned;
  for (const auto& one : result.aligned)
    aligned.push_back(
        boost::json::object{{"method", one.method == DmarcIdentifier::Method::spf ? "spf" : "dkim"},
                            {"domain", one.domain}});
  boost::json::object answer{{"result", mailauth::dmarc_verdict_text(result.verdict)},
                             {"disposition", mailauth::dmarc_policy_text(result.disposition)},
                             {"reason", result.reason},
                             {"author_domain", result.author_domain},
                             {"organizational_domain", result.organizational_domain},
                             {"aligned", aligned}};
  if (result.record) {
    answer["policy"] = mailauth::dmarc_policy_text(result.policy);
    answer["policy_domain"] = result.policy_domain;
    answer["found_at"] = place_text(result.found_at);
    answer["record"] = text::printable(result.record_text, mailauth::dmarc_record_bytes_max);
    answer["rua"] = json_list(result.record->aggregate_reports_to);
    answer["notes"] = json_list(result.record->notes);
  }
  return answer;
}

int run_dmarc_check(const CommonOptions& common, const DmarcOptions& options) {
  auto asked = question(options);
  if (!asked) {
    tell(asked.error());
    return exit_usage;
  }
  const auto result = check(common, options, *std::move(asked));
  if (!result) return tell(result.error());
  if (common.output == Output::json) {
    print_json(to_json(*result));
  } else {
    print(*result);
  }
  return exit_done;
}

}  // namespace

void declare_dmarc(const Command& tapal) {
  const auto dmarc =
      tapal.add_group("dmarc",
                      "DMARC policies",
                      "dmarc check --header-from example.com --spf pass --spf-domain x.example");
  const auto check =
      dmarc.add("check",
                "what DMARC makes of results of SPF and DKIM: the result, then what the domain "
                "asks to be done with the message",
                "dmarc check --header-from example.com --dkim pass --dkim-domain example.com");
  auto options = std::make_shared<DmarcOptions>();
  check.texts(
      {"--header-from", "the domain in the From field; several: the strictest counts", true},
      options->header_from);
  check.text({"--spf", "the result of SPF; default none", false, {}, spf_results}, options->spf);
  check.text({"--spf-domain", "the domain of MAIL FROM, else of HELO"}, options->spf_domain);
  check.texts(
      {"--dkim", "the result of a signature; may be given several times", false, {}, dkim_results},
      options->dkim);
  check.texts({"--dkim-domain", "its d=; as many as there are --dkim"}, options->dkim_domains);
  check.text({"--suffix-list", "a public suffix list; default: the system's"},
             options->suffix_list);
  check.text({"--dns-server", dns_server_help}, options->dns_server);
  check.runs([options](const auto& common) { return run_dmarc_check(common, *options); });
  declare_dmarc_advance(dmarc);
}

}  // namespace tapal::app
