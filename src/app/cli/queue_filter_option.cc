#include "app/cli/queue_filter_option.h"

#include <boost/json.hpp>

namespace tapal::app {

namespace json = boost::json;

void declare_queue_rule_filter(const Command& command, QueueFilterOptions& into) {
  command.text({"--domain", "to this domain; .example.com: to any below it"}, into.domain);
  command.text({"--site", "that goes there, as `tapal queue sites` names it"}, into.site);
  command.text({"--recipient", "to this address"}, into.recipient);
  command.text({"--sender", "from this address or domain; <>: notices"}, into.sender);
  command.text({"--user", "submitted by this user"}, into.user);
  command.text({"--reason", "whose last reply has this in it, or this status"}, into.reason);
}

void declare_queue_filter(const Command& command, QueueFilterOptions& into) {
  command.texts({"ids", "queue ids"}, into.ids);
  declare_queue_rule_filter(command, into);
  command.text({"--older", "in the queue for longer than this: 2h, 1d12h"}, into.older);
  command.flag({"--held", "held, by hand or by a rule"}, into.held);
}

json::object queue_filter(const QueueFilterOptions& options) {
  json::object filter;
  if (!options.ids.empty()) filter["ids"] = json::value_from(options.ids);
  for (const auto& [name, text] : {std::pair{"domain", &options.domain},
                                   {"site", &options.site},
                                   {"recipient", &options.recipient},
                                   {"sender", &options.sender},
                                   {"user", &options.user},
                                   {"reason", &options.reason},
                                   {"older", &options.older}})
    if (!text->empty()) filter[name] = *text;
  if (options.held) filter["held"] = true;
  return filter;
}

}  // namespace tapal::app
