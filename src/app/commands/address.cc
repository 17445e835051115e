// Addresses and domain names, each brought to the form that the server compares.
#include "values/mail/address.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/commands/commands.h"
#include "app/config/public_suffix_file.h"
#include "values/text/ascii.h"
#include "values/text/idna.h"

namespace tapal::app {
namespace {

struct SuffixOptions {
  std::string domain;
  std::string list;
};

// One line with the answer, or with why there is none; `answer` holds more for JSON.
// Code::not_found: what was asked about is good, but there is no answer.
int answer(const CommonOptions& common,
           const Result<std::string>& line,
           boost::json::object answer) {
  answer["valid"] = line.has_value();
  if (!line) answer["reason"] = line.error().what;
  if (common.output == Output::json) {
    print_json(answer);
  } else {
    const bool is_good = line || line.error().code == Code::not_found;
    fmt::print("{}{}\n", is_good ? "" : "invalid: ", line ? *line : line.error().what);
  }
  return line ? exit_done : tell(line.error());
}

int run_address_check(const CommonOptions& common, const std::string& text) {
  const auto address = mail::parse_address(text);
  if (!address) return answer(common, std::unexpected(address.error()), {});
  return answer(common,
                address->text(),
                {{"address", address->text()},
                 {"local", address->local},
                 {"domain", address->domain},
                 {"key", address->key()},
                 {"smtputf8", !address->is_ascii()}});
}

int run_to_ascii(const CommonOptions& common, const std::string& domain) {
  const auto ascii = text::domain_to_ascii(domain);
  if (!ascii) return answer(common, ascii, {});
  return answer(common, ascii, {{"domain", *ascii}});
}

// In the script it was asked in: scripts can go on comparing with what they have.
Result<std::string> registrable(const SuffixOptions& options) {
  TAPAL_TRY(const auto list, load_public_suffixes(options.list));
  TAPAL_TRY(const auto ascii, text::domain_to_ascii(options.domain));
  const auto found = list.registrable(ascii);
  if (!found)
    return fail(Code::not_found, "none: " + ascii + " is a public suffix, nobody registers it");
  return text::is_ascii(options.domain) ? *found : text::domain_to_unicode(*found);
}

int run_psl(const CommonOptions& common, const SuffixOptions& options) {
  const auto domain = registrable(options);
  if (!domain) return answer(common, domain, {});
  return answer(common,
                domain,
                {{"registrable", *domain}, {"ascii", text::domain_to_ascii(*domain).value_or("")}});
}

}  // namespace

void declare_address(const Command& tapal) {
  const auto address =
      tapal.add_group("address", "mail addresses", "address check ann@example.com");
  const auto check = address.add("check",
                                 "whether it is an address that mail can be sent to, and its "
                                 "normal form",
                                 "address check ann@example.com");
  auto text = std::make_shared<std::string>();
  check.text({"address", "the whole address", true}, *text);
  check.runs([text](const auto& common) { return run_address_check(common, *text); });

  const auto idna =
      tapal.add_group("idna", "international domain names", "idna to-ascii bücher.example");
  const auto to_ascii =
      idna.add("to-ascii", "the form of a domain that DNS has", "idna to-ascii bücher.example");
  auto domain = std::make_shared<std::string>();
  to_ascii.text({"domain", "in any script", true}, *domain);
  to_ascii.runs([domain](const auto& common) { return run_to_ascii(common, *domain); });

  const auto psl = tapal.add(
      "psl", "the domain that somebody registered, of a name below it", "psl www.example.co.uk");
  auto options = std::make_shared<SuffixOptions>();
  psl.text({"domain", "in any script", true}, options->domain);
  psl.text({"--list", "a public suffix list; default: the system's"}, options->list);
  psl.runs([options](const auto& common) { return run_psl(common, *options); });
}

}  // namespace tapal::app
