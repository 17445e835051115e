// What `tapal status` and `tapal backup save` are told by the running server.
#include <boost/json.hpp>
#include <unistd.h>

#include "app/server/parts.h"
#include "values/text/date.h"

namespace tapal::app {

namespace json = boost::json;

namespace {

json::array shown(const std::vector<Endpoint>& endpoints) {
  json::array list;
  for (const auto& endpoint : endpoints) list.emplace_back(endpoint.text());
  return list;
}

json::object shown(const ServerAddresses& addresses) {
  return {{"smtp", shown(addresses.smtp)},
          {"submission", shown(addresses.submission)},
          {"submissions", shown(addresses.submissions)},
          {"http", shown(addresses.http)},
          {"https", shown(addresses.https)}};
}

json::object shown(const api::Trouble& trouble) {
  json::object fields;
  for (const auto& [name, value] : trouble.what.fields) fields[name] = value;
  return {{"time", text::rfc3339_date(trouble.when)},
          {"level", trouble.level == Level::error ? "error" : "warning"},
          {"event", trouble.what.event},
          {"fields", std::move(fields)}};
}

}  // namespace

Task<Result<std::string>> Server::Parts::answer_overview() {
  const auto counts = dispatcher->counts();
  json::array recent;
  for (const auto& trouble : troubles.all()) recent.push_back(shown(trouble));
  json::object overview{{"version", TAPAL_VERSION},
                        {"process", ::getpid()},
                        {"host", settings.hostname},
                        {"started", text::rfc3339_date(started)},
                        {"running_seconds", (clock.wall_now() - started) / std::chrono::seconds(1)},
                        {"disk_free_bytes", store->free_bytes()},
                        {"queue",
                         {{"messages", counts.messages},
                          {"recipients_waiting", counts.waiting},
                          {"recipients_held", counts.held},
                          {"attempts", counts.attempts},
                          {"destinations", counts.destinations}}},
                        {"troubles", std::move(recent)}};
  const std::scoped_lock lock(reload_mutex);
  overview["listening"] = shown(addresses);
  co_return json::serialize(overview);
}

Task<Result<std::string>> Server::Parts::make_checkpoint() {
  auto make = [this] { return store->checkpoint(); };
  const auto made = co_await run_on(*disk_workers, main_loop(), std::move(make));
  if (!made) co_return fail(Code::full, "too much waits for the spool's disk");
  TAPAL_CO_TRY(const auto folder, *made);
  const json::object answer{{"folder", folder}};
  co_return json::serialize(answer);
}

}  // namespace tapal::app
