// The service, its queue, its certificates and its last troubles, on one screen.
#include <set>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/cli/control_client.h"
#include "app/commands/commands.h"
#include "app/settings/settings.h"
#include "drivers/files/config_folder.h"
#include "drivers/net/port_owner.h"
#include "drivers/system/clock.h"
#include "values/crypto/certificate.h"
#include "values/text/ascii.h"
#include "values/text/date.h"
#include "values/text/duration.h"

namespace tapal::app {

namespace json = boost::json;

namespace {

constexpr std::chrono::days expiry_warning{14};

void row(std::string_view name, std::string_view value) { fmt::print("{:<12} {}\n", name, value); }

std::string value_text(const json::object& object, std::string_view name) {
  const auto& value = object.at(name);
  return value.is_string() ? text::printable(std::string(value.get_string()))
                           : json::serialize(value);
}

json::array certificates_of(const CommonOptions& common, const Settings& settings, WallTime now) {
  json::array list;
  const auto folder =
      files::load_config_folder({common.config, settings.certificates_folder(common.config)});
  for (const auto& certificate : folder.certificates) {
    const auto facts = crypto::read_certificate(certificate.chain_pem);
    if (!facts) continue;
    json::array names;
    for (const auto& name : facts->names) names.emplace_back(name);
    const auto left = facts->validity.not_after - now;
    list.push_back(json::object{{"file", certificate.chain_file},
                                {"names", std::move(names)},
                                {"expires", text::rfc3339_date(facts->validity.not_after)},
                                {"days_left", std::chrono::floor<std::chrono::days>(left).count()},
                                {"self_signed", facts->self_signed}});
  }
  return list;
}

std::string listening_text(const json::object& listening) {
  std::vector<std::string> all;
  for (const auto& [use, endpoints] : listening)
    for (const auto& endpoint : endpoints.as_array())
      all.push_back(fmt::format("{} {}", std::string_view(use), endpoint.as_string().c_str()));
  return all.empty() ? "nowhere" : fmt::format("{}", fmt::join(all, ", "));
}

void print_service(const json::object& service) {
  const std::chrono::seconds running(service.at("running_seconds").to_number<std::int64_t>());
  row("service",
      fmt::format("running since {} ({}), process {}",
                  value_text(service, "started"),
                  text::duration_text(running),
                  value_text(service, "process")));
  row("listening", listening_text(service.at("listening").as_object()));
  const auto& queue = service.at("queue").as_object();
  row("queue",
      fmt::format("{} messages; recipients: {} waiting, {} held; {} attempts under way",
                  value_text(queue, "messages"),
                  value_text(queue, "recipients_waiting"),
                  value_text(queue, "recipients_held"),
                  value_text(queue, "attempts")));
  constexpr double mib = 1024.0 * 1024;
  row("disk",
      fmt::format("{:.0f} MiB free for mail",
                  service.at("disk_free_bytes").to_number<double>() / mib));
}

void print_certificates(const json::array& certificates) {
  if (certificates.empty()) row("certificate", "NONE: no TLS, and nobody can log in");
  for (const auto& each : certificates) {
    const auto& certificate = each.as_object();
    const auto days = certificate.at("days_left").to_number<std::int64_t>();
    std::vector<std::string> names;
    for (const auto& name : certificate.at("names").as_array())
      names.emplace_back(name.as_string());
    row("certificate",
        fmt::format("{}: {} {} days, until {}{}",
                    fmt::join(names, ", "),
                    days < expiry_warning.count() ? "ONLY" : "for",
                    days,
                    value_text(certificate, "expires"),
                    certificate.at("self_signed").as_bool() ? "; self-signed" : ""));
  }
}

void print_troubles(const json::array& troubles) {
  if (troubles.empty()) return row("troubles", "none since the start");
  std::string_view name = "troubles";
  for (const auto& each : troubles) {
    const auto& trouble = each.as_object();
    std::string line = fmt::format("{} {}: {}",
                                   value_text(trouble, "time"),
                                   value_text(trouble, "level"),
                                   value_text(trouble, "event"));
    for (const auto& [field, value] : trouble.at("fields").as_object())
      line += fmt::format(
          " {}={}", std::string_view(field), text::printable(std::string(value.as_string()), 200));
    row(std::exchange(name, ""), line);
  }
}

Result<json::value> ask_overview(const Settings& settings) {
  TAPAL_TRY(const auto answer, ask_server(settings.control_socket(), R"({"command":"overview"})"));
  const auto object = json::parse(answer, {}, {.allow_invalid_utf8 = true}).as_object();
  if (object.at("ok").as_bool()) return object.at("result");
  return fail(Code::invalid, std::string(object.at("error").as_string()));
}

// What keeps a server that does not run from its ports.
json::array taken_ports(const ListenSettings& listen) {
  std::set<std::uint16_t> ports;
  for (const auto* endpoints :
       {&listen.smtp, &listen.submission, &listen.submissions, &listen.http, &listen.https})
    for (const auto& endpoint : *endpoints) ports.insert(endpoint.port);
  json::array taken;
  for (const auto port : ports)
    if (const auto owner = port_owner(port); !owner.empty())
      taken.push_back(json::object{{"port", port}, {"owner", owner}});
  return taken;
}

void print_absence(const json::object& status) {
  row("service", "NOT RUNNING: " + value_text(status, "error"));
  for (const auto& each : status.at("taken_ports").as_array()) {
    const auto& taken = each.as_object();
    row("port",
        fmt::format("{} IN USE by {}", value_text(taken, "port"), value_text(taken, "owner")));
  }
}

int run_status(const CommonOptions& common) {
  const auto settings = load_settings(common.config);
  if (!settings) return tell(settings.error());
  const auto asked = ask_overview(*settings);
  json::object status{
      {"ok", asked.has_value()},
      {"certificates", certificates_of(common, *settings, SystemClock().wall_now())}};
  if (asked) {
    status["service"] = *asked;
  } else {
    status["error"] = asked.error().what;
    status["taken_ports"] = taken_ports(settings->listen);
  }
  if (common.output == Output::json) {
    print_json(status);
  } else {
    fmt::print("tapal {} as {}\n", TAPAL_VERSION, settings->hostname);
    if (asked)
      print_service(status.at("service").as_object());
    else
      print_absence(status);
    print_certificates(status.at("certificates").as_array());
    if (asked) print_troubles(status.at("service").as_object().at("troubles").as_array());
  }
  return asked ? exit_done : exit_no_server;
}

}  // namespace

void declare_status(const Command& tapal) {
  tapal
      .add("status",
           "the service, its queue, certificates and last troubles on one screen",
           "status")
      .runs(&run_status);
}

}  // namespace tapal::app
