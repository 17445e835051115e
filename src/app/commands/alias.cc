#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/commands/commands.h"
#include "app/config/alias_edit.h"
#include "app/config/domains.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"
#include "drivers/system/clock.h"
#include "rules/alias/aliases_edit.h"
#include "services/intake/admission.h"
#include "values/text/idna.h"

namespace tapal::app {
namespace {

namespace json = boost::json;

struct AliasOptions {
  std::string address;
  std::string domain;
  std::vector<std::string> targets;
};

int edit_aliases(const CommonOptions& common, const AliasOptions& options, AliasEdit edit) {
  const auto file = edit_alias(common, options.address, options.targets, edit);
  if (!file) return tell(file.error());
  if (common.output == Output::json) {
    print_json({{"alias", options.address}, {"file", file->string()}});
  } else {
    fmt::print("{}: {} is changed; a running server takes it in at once\n",
               options.address,
               file->string());
  }
  return exit_done;
}

int run_alias_list(const CommonOptions& common, const std::string& only) {
  const auto folder = files::load_config_folder({common.config, {}});
  for (const auto& problem : folder.problems) fmt::print(stderr, "tapal: {}\n", problem);
  json::array list;
  for (const auto& domain : folder.directory.domains()) {
    if (!only.empty() && domain != only) continue;
    const auto text = files::read_file(files::aliases_file(common.config, domain));
    if (!text) continue;
    for (const auto& alias : alias::list_aliases(*text)) {
      const auto name = fmt::format("{}@{}", alias.name, domain);
      if (common.output == Output::text)
        fmt::print("{}: {}\n", name, fmt::join(alias.targets, ", "));
      list.push_back({{"alias", name},
                      {"targets", json::array(alias.targets.begin(), alias.targets.end())},
                      {"line", alias.line}});
    }
  }
  if (common.output == Output::json) print_json({{"aliases", std::move(list)}});
  return folder.problems.empty() ? exit_done : exit_failed;
}

std::string_view kind_text(alias::Target::Kind kind) {
  switch (kind) {
    case alias::Target::Kind::user: return "mailbox";
    case alias::Target::Kind::remote: return "smtp";
    case alias::Target::Kind::handed: return "handover";
  }
  return {};
}

// What mail from a stranger would meet.
struct Outcome {
  std::vector<alias::ExplainedStep> way;
  std::expected<std::vector<intake::Placed>, smtp::Reply> answer;
};

void print_outcome(const std::string& asked, const Outcome& outcome) {
  for (const auto& [level, address, what] : outcome.way)
    fmt::print("{:{}}{}  {}\n", "", 2 * level, address.text(), what);
  if (!outcome.answer) {
    fmt::print(
        "mail from outside to {} is refused: {}\n", asked, smtp::one_line(outcome.answer.error()));
    return;
  }
  fmt::print("mail from outside to {} is accepted, for {} recipient{}\n",
             asked,
             outcome.answer->size(),
             outcome.answer->size() == 1 ? "" : "s");
  for (const auto& [recipient, kind, via_alias] : *outcome.answer)
    if (via_alias)
      fmt::print(
          "  to {} under a return path at {}\n", recipient.address.text(), via_alias->domain);
}

json::object outcome_json(const std::string& asked, const Outcome& outcome) {
  json::array way;
  for (const auto& [level, address, what] : outcome.way)
    way.push_back({{"level", level}, {"address", address.text()}, {"what", what}});
  json::object answer{{"address", asked}, {"accepted", outcome.answer.has_value()}};
  if (outcome.answer) {
    json::array recipients;
    for (const auto& [recipient, kind, via_alias] : *outcome.answer) {
      json::object one{{"address", recipient.address.text()}, {"by", kind_text(kind)}};
      if (recipient.handover.kind != mail::Handover::Kind::usual)
        one["handover"] = alias::text_of(recipient.handover);
      if (via_alias) one["via_alias"] = via_alias->text();
      recipients.push_back(std::move(one));
    }
    answer["recipients"] = std::move(recipients);
  } else {
    answer["reply"] = smtp::one_line(outcome.answer.error());
  }
  answer["way"] = std::move(way);
  return answer;
}

int run_test(const CommonOptions& common, const std::string& text) {
  const auto address = mail::parse_address(text);
  if (!address) return tell(address.error());
  const auto folder = files::load_config_folder({common.config, {}});
  for (const auto& problem : folder.problems) fmt::print(stderr, "tapal: {}\n", problem);
  const auto domains = make_domains(folder);
  if (!domains) return tell(domains.error());
  const intake::Passage from_outside{mail::Address{"sender", "outside.example"},
                                     SystemClock().wall_now()};
  const Outcome outcome{
      (*domains)->aliases.explain(*address),
      intake::place_recipient(**domains, intake::Client{}, from_outside, {.address = *address})};
  if (common.output == Output::json) {
    print_json(outcome_json(address->text(), outcome));
  } else {
    print_outcome(address->text(), outcome);
  }
  return outcome.answer ? exit_done : exit_failed;
}

}  // namespace

void declare_alias(const Command& tapal) {
  const auto alias = tapal.add_group("alias", "who gets the mail of an address", "alias list");
  auto options = std::make_shared<AliasOptions>();
  const Argument address{
      "address", "info@example.com, *@example.com or /sales-.*/@example.com", true};

  const auto add = alias.add(
      "add", "add an alias, or targets to one", "alias add info@example.com ann me@gmail.com");
  add.text(address, options->address);
  add.texts({"targets", "users, addresses, or what docs/guide/aliases.md lists", true},
            options->targets);
  add.changes(
      [options](const auto& common) { return edit_aliases(common, *options, alias::add_alias); });

  const auto del = alias.add(
      "del", "delete an alias, or targets of one", "alias del info@example.com me@gmail.com");
  del.text(address, options->address);
  del.texts({"targets", "only these; default: the whole alias"}, options->targets);
  del.changes([options](const auto& common) {
    return edit_aliases(common, *options, alias::remove_alias);
  });

  const auto list = alias.add("list", "list aliases", "alias list example.com");
  list.text({"domain", "of this domain only"}, options->domain);
  list.runs([options](const auto& common) { return run_alias_list(common, options->domain); });

  const auto test = alias.add(
      "test", "show where mail to an address would go, and why", "alias test info@example.com");
  test.text({"address", "any address of this server", true}, options->address);
  test.runs([options](const auto& common) { return run_test(common, options->address); });
}

}  // namespace tapal::app
