#include <memory>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/cli/control_client.h"
#include "app/cli/queue_filter_option.h"
#include "app/commands/commands.h"
#include "app/commands/queue_listing.h"
#include "app/settings/settings.h"
#include "values/text/json_fields.h"

namespace tapal::app {

namespace json = boost::json;

namespace {

struct ListOptions {
  QueueFilterOptions filter;
  std::int64_t limit = 1000;
  bool why = false;
};

int run_queue_list(const CommonOptions& common, const ListOptions& options) {
  const auto answer = ask_and_tell(common,
                                   {{"command", "queue list"},
                                    {"filter", queue_filter(options.filter)},
                                    {"limit", options.limit},
                                    {"why", options.why}});
  if (!answer) return answer.error();
  if (common.output == Output::json) return exit_done;
  print_queue_list(*answer);
  fmt::print("{} messages in the queue\n", json::serialize(answer->at("total")));
  return exit_done;
}

int run_queue_count(const CommonOptions& common, const QueueFilterOptions& filter) {
  const auto answer =
      ask_and_tell(common, {{"command", "queue count"}, {"filter", queue_filter(filter)}});
  if (!answer) return answer.error();
  if (common.output == Output::text)
    fmt::print("{} messages, {} recipients, {} bytes\n",
               json::serialize(answer->at("messages")),
               json::serialize(answer->at("recipients")),
               json::serialize(answer->at("bytes")));
  return exit_done;
}

int run_queue_sites(const CommonOptions& common, std::int64_t limit) {
  const auto answer = ask_and_tell(common, {{"command", "queue sites"}, {"limit", limit}});
  if (!answer) return answer.error();
  if (common.output == Output::json) return exit_done;
  fmt::print("{:>8}  {:>8}  {:>8}  {:<24}  {}\n", "waiting", "held", "tried", "next", "site");
  for (const auto& each : answer->at("sites").as_array()) {
    const auto& site = each.as_object();
    fmt::print("{:>8}  {:>8}  {:>8}  {:<24}  {}\n",
               json::serialize(site.at("waiting")),
               json::serialize(site.at("held")),
               json::serialize(site.at("attempts")),
               text::text_at(site, "next_due"),
               text::text_at(site, "site"));
  }
  return exit_done;
}

int run_queue_show(const CommonOptions& common, const std::string& id) {
  const auto answer = ask_and_tell(common, {{"command", "queue show"}, {"id", id}});
  if (!answer) return answer.error();
  if (common.output == Output::text)
    fmt::print("{}\n{}\n", text::text_at(*answer, "why"), json::serialize(answer->at("message")));
  return exit_done;
}

int run_why(const CommonOptions& common, const std::string& what) {
  const auto answer = ask_and_tell(common, {{"command", "why"}, {"what", what}});
  if (!answer) return answer.error();
  const auto& found = answer->at("why").as_array();
  if (common.output == Output::text) {
    for (const auto& paragraph : found) fmt::print("{}\n", paragraph.as_string().c_str());
    if (found.empty())
      fmt::print(
          "Nothing in the queue for {}: it was delivered, refused or returned, or was never "
          "accepted here; "
          "the log tells which.\n",
          what);
  }
  return found.empty() ? exit_failed : exit_done;
}

int run_reload(const CommonOptions& common) {
  const auto answer = ask_and_tell(common, {{"command", "reload"}});
  if (!answer) return answer.error();
  if (common.output == Output::text) fmt::print("configuration reloaded\n");
  return exit_done;
}

}  // namespace

void declare_queue(const Command& tapal) {
  const auto queue = tapal.add_group("queue", "what waits to be delivered", "queue list");
  const auto list = queue.add("list", "list messages, oldest first", "queue list --older 2h --why");
  auto options = std::make_shared<ListOptions>();
  declare_queue_filter(list, options->filter);
  list.number({"--limit", "at most this many; default 1000"}, {}, options->limit);
  list.flag({"--why", "say why each of them waits"}, options->why);
  list.runs([options](const auto& common) { return run_queue_list(common, *options); });

  const auto count = queue.add("count", "count messages", "queue count --domain example.com");
  auto counted = std::make_shared<QueueFilterOptions>();
  declare_queue_filter(count, *counted);
  count.runs([counted](const auto& common) { return run_queue_count(common, *counted); });

  const auto sites = queue.add("sites", "where most mail waits to go", "queue sites --limit 10");
  auto limit = std::make_shared<std::int64_t>(20);
  sites.number({"--limit", "at most this many; default 20"}, {}, *limit);
  sites.runs([limit](const auto& common) { return run_queue_sites(common, *limit); });

  const auto show = queue.add("show", "everything about one message", "queue show 01ABCDEFGHJKM");
  auto shown = std::make_shared<std::string>();
  show.text({"id", "its queue id", true}, *shown);
  show.runs([shown](const auto& common) { return run_queue_show(common, *shown); });

  declare_queue_orders(queue);
  declare_queue_rule(queue);

  const auto why = tapal.add("why", "why a message waits, in one paragraph", "why ann@example.com");
  auto what = std::make_shared<std::string>();
  why.text({"what", "a queue id, or an address of a sender or recipient", true}, *what);
  why.runs([what](const auto& common) { return run_why(common, *what); });

  tapal.add("reload", "make the running server read its configuration again", "reload")
      .runs(&run_reload);
}

}  // namespace tapal::app
