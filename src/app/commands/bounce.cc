// `tapal bounce`: what notices and replies mean.
#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/cli/message_file.h"
#include "app/commands/commands.h"
#include "app/config/reply_knowledge.h"
#include "rules/bounce/notice_text.h"
#include "rules/bounce/returned_mail.h"
#include "values/text/ascii.h"
#include "values/text/duration.h"

namespace tapal::app {
namespace {

using bounce::Diagnosis;
using bounce::Returned;

struct ExplainOptions {
  std::string text;
  std::string provider;
  std::string stage;
};

std::string_view hardness(const Diagnosis& diagnosis) {
  return diagnosis.is_hard ? "hard" : "soft";
}

boost::json::object to_json(const Diagnosis& diagnosis) {
  const auto& row = bounce::row_of(diagnosis.category);
  return {{"category", row.name},
          {"hardness", hardness(diagnosis)},
          {"status", diagnosis.status},
          {"meaning", row.meaning},
          {"rule", diagnosis.rule}};
}

boost::json::object to_json(const Returned& one) {
  auto object = to_json(one.diagnosis);
  object["recipient"] = text::printable(one.recipient);
  object["fate"] = bounce::text_of(one.fate);
  object["said"] = text::printable(one.said, bounce::said_bytes_max);
  return object;
}

void print(const std::string& file, const bounce::ReturnedMail& mail) {
  if (mail.returned.empty()) fmt::print("{}: {}\n", file, bounce::text_of(mail.kind));
  for (const Returned& one : mail.returned)
    fmt::print("{}: {} {}, {}, {}, {}\n  {}\n",
               file,
               one.recipient.empty() ? "somebody" : text::printable(one.recipient),
               bounce::text_of(one.fate),
               bounce::row_of(one.diagnosis.category).name,
               hardness(one.diagnosis),
               one.diagnosis.status,
               text::printable(one.said, 300));
}

void print_as_json(const std::string& file, const bounce::ReturnedMail& mail) {
  boost::json::array returned;
  for (const Returned& one : mail.returned) returned.push_back(to_json(one));
  print_json({{"file", file}, {"kind", bounce::text_of(mail.kind)}, {"returned", returned}});
}

int run_classify(const CommonOptions& common, const std::vector<std::string>& files) {
  const auto rules = load_bounce_rules(common.config);
  if (!rules) return tell(rules.error());
  int exit = exit_done;
  for (const std::string& file : files) {
    const auto message = read_message(file);
    if (!message) {
      exit = tell(message.error());
      continue;
    }
    const auto mail = bounce::read_returned_mail(*message, *rules);
    common.output == Output::json ? print_as_json(file, mail) : print(file, mail);
  }
  return exit;
}

// As a peer's reply of one line has it.
bounce::Refusal refusal_of(const ExplainOptions& options) {
  bounce::Refusal refusal;
  refusal.text = options.text;
  refusal.code = bounce::code_told(options.text);
  refusal.phase =
      options.stage.empty() ? bounce::phase_told(options.text) : bounce::stage_named(options.stage);
  return refusal;
}

std::string action_text(const shaping::ReplyRule& rule) {
  const auto action = shaping::text_of(rule.reaction);
  return rule.time == std::chrono::seconds(0)
             ? std::string(action)
             : fmt::format("{} {}", action, text::duration_text(rule.time));
}

void print(const Diagnosis& diagnosis, const shaping::ReplyRule* rule) {
  const auto& row = bounce::row_of(diagnosis.category);
  fmt::print("{} ({}): {}\nstatus: {}\nrule: {}\n",
             row.name,
             hardness(diagnosis),
             row.meaning,
             diagnosis.status,
             diagnosis.rule.empty() ? "none" : diagnosis.rule);
  if (rule == nullptr) {
    fmt::print("action: none, beside what the code says\n");
  } else {
    fmt::print("action: {}, by {}\nnote: {}\n", action_text(*rule), rule->name, rule->note);
  }
}

int run_explain(const CommonOptions& common, const ExplainOptions& options) {
  const auto rules = load_bounce_rules(common.config);
  if (!rules) return tell(rules.error());
  const auto providers = load_providers(common.config);
  if (!providers) return tell(providers.error());
  const auto* provider = providers->find(options.provider);
  if (!options.provider.empty() && provider == nullptr) {
    tell({Code::invalid,
          fmt::format("there is no provider {}; `tapal providers` lists them", options.provider)});
    return exit_usage;
  }
  const auto diagnosis = rules->diagnose(refusal_of(options));
  const auto* rule = providers->rule_for(provider, options.text);
  if (common.output != Output::json) {
    print(diagnosis, rule);
    return exit_done;
  }
  auto answer = to_json(diagnosis);
  if (rule != nullptr) {
    answer["action"] = shaping::text_of(rule->reaction);
    answer["action_seconds"] = rule->time.count();
    answer["action_rule"] = rule->name;
    answer["note"] = rule->note;
  }
  print_json(answer);
  return exit_done;
}

int run_categories(const CommonOptions& common) {
  boost::json::array all;
  for (const auto& row : bounce::categories()) {
    const std::string_view hard = row.is_hard ? "hard" : "soft";
    if (common.output == Output::json)
      all.push_back(boost::json::object{
          {"category", row.name}, {"hardness", hard}, {"meaning", row.meaning}});
    else
      fmt::print("{:15} {}  {}\n", row.name, hard, row.meaning);
  }
  if (common.output == Output::json) print_json({{"categories", all}});
  return exit_done;
}

}  // namespace

void declare_bounce(const Command& tapal) {
  const auto group = tapal.add_group(
      "bounce", "what notices and replies of other servers mean", "bounce classify notice.eml");
  const auto classify =
      group.add("classify",
                "read notices of other servers: for each recipient its category, hard (the address "
                "is lost) or soft, its status and what was said",
                "bounce classify --json notice.eml");
  auto files = std::make_shared<std::vector<std::string>>();
  classify.texts({"file", "notices; \"-\" is standard input", true}, *files);
  classify.runs([files](const auto& common) { return run_classify(common, *files); });

  const auto explain = group.add("explain",
                                 "what a reply means, and what tapal does about it",
                                 "bounce explain '421 4.7.28 ...' --provider gmail");
  auto options = std::make_shared<ExplainOptions>();
  explain.text({"text", "the reply on one line, as the log has it", true}, options->text);
  explain.text({"--provider", "who said it, by the names of `tapal providers`"}, options->provider);
  explain.text({"--stage",
                "what it answered",
                false,
                {},
                {bounce::stage_words.begin(), bounce::stage_words.end()}},
               options->stage);
  explain.runs([options](const auto& common) { return run_explain(common, *options); });

  group.add("categories", "all categories", "bounce categories").runs(run_categories);
}

}  // namespace tapal::app
