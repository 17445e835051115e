// Hold rules: tapal queue rule add, list, del.
#include <memory>
#include <string>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/cli/control_client.h"
#include "app/cli/queue_filter_option.h"
#include "app/commands/commands.h"
#include "values/text/duration.h"
#include "values/text/json_fields.h"

namespace tapal::app {

namespace json = boost::json;

namespace {

struct RuleOptions {
  QueueFilterOptions filter;
  std::string until;
  std::string lasts;
  std::string note;
};

int run_add(const CommonOptions& common, const RuleOptions& options) {
  json::object request{{"command", "queue rule add"},
                       {"filter", queue_filter(options.filter)},
                       {"note", options.note},
                       {"until", options.until}};
  if (!options.lasts.empty()) {
    const auto lasts = text::parse_duration(options.lasts);
    if (!lasts) return tell(lasts.error());
    request["seconds"] = std::chrono::ceil<std::chrono::seconds>(*lasts).count();
  }
  const auto answer = ask_and_tell(common, request);
  if (!answer) return answer.error();
  if (common.output == Output::text)
    fmt::print("rule {} holds {} recipients now, and what comes later\n",
               json::serialize(answer->at("rule")),
               json::serialize(answer->at("recipients")));
  return exit_done;
}

int run_rule_list(const CommonOptions& common) {
  const auto answer = ask_and_tell(common, {{"command", "queue rule list"}});
  if (!answer) return answer.error();
  if (common.output == Output::json) return exit_done;
  for (const auto& each : answer->at("rules").as_array()) {
    const auto& rule = each.as_object();
    const auto until = text::text_at(rule, "until");
    fmt::print("{:>4}  {:<24}  {}{}\n",
               json::serialize(rule.at("rule")),
               until.empty() ? "until it is ended" : until,
               text::text_at(rule, "options"),
               text::text_at(rule, "note").empty()
                   ? ""
                   : fmt::format("  ({})", text::text_at(rule, "note")));
  }
  return exit_done;
}

int run_end(const CommonOptions& common, std::int64_t number) {
  const auto answer = ask_and_tell(common, {{"command", "queue rule del"}, {"rule", number}});
  if (!answer) return answer.error();
  if (common.output == Output::text)
    fmt::print("rule {} has ended: {} recipients go on\n",
               number,
               json::serialize(answer->at("recipients")));
  return exit_done;
}

}  // namespace

void declare_queue_rule(const Command& queue) {
  const auto rule =
      queue.add_group("rule", "hold what waits and what comes later", "queue rule list");
  const auto add = rule.add("add",
                            "hold all that matches until the rule ends",
                            "queue rule add --domain example.com --for 4h --note 'they move'");
  auto options = std::make_shared<RuleOptions>();
  declare_queue_rule_filter(add, options->filter);
  add.text({"--until", "its end: 2026-12-24T18:00:00Z; default: until it is ended"},
           options->until);
  add.text({"--for", "the same as a span of time: 4h, 1d"}, options->lasts);
  add.text({"--note", "why; `tapal why` shows it"}, options->note);
  add.runs([options](const auto& common) { return run_add(common, *options); });

  rule.add("list", "the rules in force", "queue rule list").runs(&run_rule_list);

  const auto end = rule.add("del", "end a rule: what it held goes on", "queue rule del 1");
  auto number = std::make_shared<std::int64_t>(0);
  end.number({"number", "of the rule, as it is listed", true}, {1, UINT32_MAX}, *number);
  end.runs([number](const auto& common) { return run_end(common, *number); });
}

}  // namespace tapal::app
