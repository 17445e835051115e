// `tapal providers`: the mailbox providers that are known, with what the operator added.
#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/commands/commands.h"
#include "app/config/reply_knowledge.h"
#include "values/text/duration.h"

namespace tapal::app {
namespace {

using shaping::Provider;
using shaping::ReplyRule;

// Name and value of each limit that is there.
std::vector<std::pair<std::string_view, std::string>> limits_of(const Provider& provider) {
  std::vector<std::pair<std::string_view, std::string>> limits;
  const auto count = [&limits](std::string_view name, const std::optional<std::size_t>& value) {
    if (value) limits.emplace_back(name, std::to_string(*value));
  };
  const auto rate = [&limits](std::string_view name, const std::optional<shaping::Rate>& value) {
    if (value) limits.emplace_back(name, shaping::rate_text(*value));
  };
  const auto& [per_source, per_site, messages, recipients] = provider.limits;
  count("connections_per_source", per_source.connections_max);
  count("connections_per_site", per_site.connections_max);
  count("messages_per_connection", messages);
  count("recipients_per_transaction", recipients);
  rate("message_rate_per_source", per_source.messages);
  rate("message_rate_per_site", per_site.messages);
  rate("connection_rate_per_source", per_source.connections);
  rate("connection_rate_per_site", per_site.connections);
  count("daily_warm_up_start", provider.daily_warm_up_start);
  return limits;
}

boost::json::object to_json(const Provider& provider) {
  boost::json::object limits;
  for (const auto& [name, value] : limits_of(provider)) limits[name] = value;
  boost::json::array replies;
  for (const ReplyRule& rule : provider.replies)
    replies.push_back(boost::json::object{{"name", rule.name},
                                          {"patterns", json_list(rule.patterns)},
                                          {"action", shaping::text_of(rule.reaction)},
                                          {"seconds", rule.time.count()},
                                          {"note", rule.note}});
  return {{"name", provider.name},
          {"mx", json_list(provider.mx_suffixes)},
          {"domains", json_list(provider.domains)},
          {"limits", limits},
          {"replies", replies}};
}

void print_line(const Provider& provider) {
  std::vector<std::string> limits;
  for (const auto& [name, value] : limits_of(provider))
    limits.push_back(fmt::format("{} {}", name, value));
  fmt::print("{:15} {:40} {}\n",
             provider.name,
             fmt::format("{}", fmt::join(provider.mx_suffixes, " ")),
             fmt::join(limits, ", "));
}

void print_whole(const Provider& provider) {
  fmt::print("{}\n", provider.name);
  if (!provider.mx_suffixes.empty()) fmt::print("  mx: {}\n", fmt::join(provider.mx_suffixes, " "));
  if (!provider.domains.empty()) fmt::print("  domains: {}\n", fmt::join(provider.domains, " "));
  for (const auto& [name, value] : limits_of(provider)) fmt::print("  {}: {}\n", name, value);
  for (const ReplyRule& rule : provider.replies)
    fmt::print("  {}: {} {}\n    {}\n    {}\n",
               rule.name,
               shaping::text_of(rule.reaction),
               rule.time.count() == 0 ? "" : text::duration_text(rule.time),
               fmt::join(rule.patterns, "\n    "),
               rule.note);
}

int run_providers(const CommonOptions& common, const std::string& name) {
  const auto table = load_providers(common.config);
  if (!table) return tell(table.error());
  const auto* one = name == table->any().name ? &table->any() : table->find(name);
  if (!name.empty() && one == nullptr)
    return tell({Code::not_found,
                 fmt::format("there is no provider {}; `tapal providers` lists them", name)});
  if (common.output == Output::json) {
    boost::json::array all;
    if (one != nullptr) {
      all.push_back(to_json(*one));
    } else {
      for (const Provider& provider : table->all()) all.push_back(to_json(provider));
      all.push_back(to_json(table->any()));
    }
    print_json({{"providers", all}});
  } else if (one != nullptr) {
    print_whole(*one);
  } else {
    for (const Provider& provider : table->all()) print_line(provider);
    print_line(table->any());
  }
  return exit_done;
}

}  // namespace

void declare_providers(const Command& tapal) {
  const auto command = tapal.add("providers",
                                 "mailbox providers: how they are known, their limits, and what "
                                 "their replies call for",
                                 "providers gmail");
  auto name = std::make_shared<std::string>();
  command.text({"name", "one of them, with its replies; \"any\" holds for everybody"}, *name);
  command.runs([name](const auto& common) { return run_providers(common, *name); });
}

}  // namespace tapal::app
