// Orders to waiting mail: tapal queue retry, hold, release, drop, bounce, move.
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "app/cli/control_client.h"
#include "app/cli/queue_filter_option.h"
#include "app/commands/commands.h"
#include "app/commands/queue_listing.h"

namespace tapal::app {

namespace json = boost::json;

namespace {

struct OrderOptions {
  QueueFilterOptions filter;
  std::string text;
  std::string route;
  bool all = false;
  bool dry_run = false;
  bool yes = false;
};

struct OrderKind {
  std::string_view name;
  std::string_view done;  // "3 messages {}"
  const char* help;
  const char* example;
  bool destroys = false;
};
constexpr OrderKind kinds[] = {
    {"retry", "are tried now", "try now", "queue retry --domain example.com"},
    {"hold", "are held", "keep back until released", "queue hold --user ann@example.org"},
    {"release", "go on", "let what was held go on", "queue release --all"},
    {"drop", "are dropped", "remove; nobody is told", "queue drop --sender spam@example.org", true},
    {"bounce",
     "are returned",
     "give up and tell the senders",
     "queue bounce --domain gone.example --text 'the domain is gone'",
     true},
    {"move",
     "go by the other route",
     "send by another host",
     "queue move --domain example.com --route relay.example.net:587"},
};

json::object request_of(std::string_view command, const OrderOptions& options) {
  return {{"command", fmt::format("queue {}", command)}, {"filter", queue_filter(options.filter)}};
}

int list_what_is_meant(const CommonOptions& common, const OrderOptions& options) {
  const auto counted = ask_and_tell({common.config, Output::text}, request_of("count", options));
  if (!counted) return counted.error();
  const auto listed = ask_and_tell({common.config, Output::text}, request_of("list", options));
  if (!listed) return listed.error();
  if (common.output == Output::json) {
    json::object both = *listed;
    both["counted"] = *counted;
    print_json(both);
    return exit_done;
  }
  print_queue_list(*listed);
  fmt::print("{} messages, {} recipients: nothing was done\n",
             json::serialize(counted->at("messages")),
             json::serialize(counted->at("recipients")));
  return exit_done;
}

// What is named by its id needs no second thought. Returns an exit code where it is not to be done.
std::optional<int> ask_first(const CommonOptions& common,
                             const OrderKind& kind,
                             const OrderOptions& options) {
  if (!kind.destroys || options.yes || !options.filter.ids.empty()) return {};
  if (queue_filter(options.filter).empty() && !options.all) return {};  // the server refuses it
  const auto counted = ask_and_tell({common.config, Output::text}, request_of("count", options));
  if (!counted) return counted.error();
  fmt::print(stderr,
             "{} messages with {} recipients would be {}.\n",
             json::serialize(counted->at("messages")),
             json::serialize(counted->at("recipients")),
             kind.name == "drop" ? "removed, and nobody told" : "given up, and their senders told");
  if (isatty(STDIN_FILENO) == 0) {
    fmt::print(stderr, "Say --yes to do it, --dry-run to see them.\n");
    return exit_failed;
  }
  fmt::print(stderr, "Do it? [y/N] ");
  std::string said;
  std::getline(std::cin, said);
  if (said == "y" || said == "yes") return {};
  return exit_failed;
}

int run_order(const CommonOptions& common, const OrderKind& kind, const OrderOptions& options) {
  if (options.dry_run) return list_what_is_meant(common, options);
  if (const auto refused = ask_first(common, kind, options)) return *refused;
  auto request = request_of(kind.name, options);
  request["all"] = options.all;
  if (!options.text.empty()) request["text"] = options.text;
  if (!options.route.empty()) request["route"] = options.route;
  const auto answer = ask_and_tell(common, request);
  if (!answer) return answer.error();
  if (common.output == Output::json) return exit_done;
  fmt::print("{} messages {}, {} recipients\n",
             json::serialize(answer->at("messages")),
             kind.done,
             json::serialize(answer->at("recipients")));
  if (const auto busy = answer->at("under_way").to_number<std::uint64_t>(); busy != 0)
    fmt::print("{} recipients were left alone: they are being tried right now\n", busy);
  return exit_done;
}

}  // namespace

void declare_queue_orders(const Command& queue) {
  for (const auto& kind : kinds) {
    const auto command = queue.add(std::string(kind.name), kind.help, kind.example);
    auto options = std::make_shared<OrderOptions>();
    declare_queue_filter(command, options->filter);
    command.flag({"--all", "every message in the queue"}, options->all);
    command.flag({"--dry-run", "list what is meant and do nothing"}, options->dry_run);
    if (kind.destroys) command.flag({"--yes", "do not ask"}, options->yes);
    if (kind.name == "bounce") command.text({"--text", "what the senders are told"}, options->text);
    if (kind.name == "move")
      command.text({"--route", "HOST[:PORT]; usual: the way the address has", true},
                   options->route);
    command.runs(
        [options, &kind](const auto& common) { return run_order(common, kind, *options); });
  }
}

}  // namespace tapal::app
