// The options that say which waiting mail is meant: those of rules/queue/filter.h.
#pragma once

#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "app/cli/command.h"

namespace tapal::app {

struct QueueFilterOptions {
  std::vector<std::string> ids;
  std::string domain, recipient, sender, user, site, reason, older;
  bool held = false;
};

// What a hold rule takes: what a message is, not which one.
void declare_queue_rule_filter(const Command& command, QueueFilterOptions& into);
// All of them.
void declare_queue_filter(const Command& command, QueueFilterOptions& into);

// As the control socket wants it; empty when nothing was said. The server checks it.
boost::json::object queue_filter(const QueueFilterOptions& options);

}  // namespace tapal::app
