// What the other phases found out, written into tapal.toml.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/config/relay_route.h"
#include "app/settings/edit.h"
#include "app/settings/table.h"
#include "app/up/up.h"
#include "drivers/files/files.h"
#include "drivers/net/addresses.h"

namespace tapal::app {
namespace {

Result<void> set(Up& up, std::string_view name, const std::string& value) {
  TAPAL_TRY(const auto changed, write_setting(up.common.config, name, value));
  const auto mark = up.only_plans() ? Mark::planned : Mark::changed;
  if (changed) up.report.tell(mark, fmt::format("setting {} = {}", name, value));
  return {};
}

Result<void> set_text(Up& up, std::string_view name, const std::string& value) {
  if (value.empty()) return {};
  return set(up, name, toml_quoted(value));
}

std::string everywhere(std::uint16_t port) {
  return fmt::format(R"(["0.0.0.0:{0}", "[::]:{0}"])", port);
}

// Only the first time: later the server itself has the ports.
Result<void> set_web(Up& up, const Settings& settings) {
  if (settings.listen.http.empty() && port_taken_by(80).empty()) {
    TAPAL_CHECK(set(up, "listen.http", everywhere(80)));
  }
  if (settings.listen.https.empty() && port_taken_by(443).empty()) {
    TAPAL_CHECK(set(up, "listen.https", everywhere(443)));
  }
  return {};
}

// The server's own name, and those that its web pages are found by.
Result<void> set_certificate(Up& up) {
  TAPAL_CHECK(set_text(up, "acme.directory", up.options.acme_directory));
  TAPAL_TRY(const auto settings, load_settings(up.common.config));
  auto names = settings.acme.names;
  std::vector<std::string> wanted{up.hostname};
  if (!settings.listen.https.empty()) {
    wanted.push_back("mta-sts." + up.domain);
    wanted.push_back("autoconfig." + up.domain);
  }
  for (auto& name : wanted)
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  if (names == settings.acme.names) return {};
  std::vector<std::string> quoted;
  quoted.reserve(names.size());
  for (const auto& name : names) quoted.push_back(toml_quoted(name));
  return set(up, "acme.names", fmt::format("[{}]", fmt::join(quoted, ", ")));
}

// Not those that stand before this machine's own, as behind NAT: nobody can send from them here.
Result<void> set_sources(Up& up) {
  if (up.options.addresses.empty()) return {};
  const auto ours = local_addresses();
  for (const auto& address : up.addresses) {
    if (std::ranges::find(ours, address) == ours.end()) continue;
    TAPAL_CHECK(set_text(
        up, address.is_v4() ? "delivery.source_ipv4" : "delivery.source_ipv6", address.text()));
  }
  return {};
}

constexpr std::string_view relay_credentials = "relay";

// The service cannot read what is root's: it gets a copy, beside the settings and kept out of the
// backup as all that is secret.
Result<void> keep_credentials(Up& up, const std::string& given, std::string_view name) {
  const auto file = up.common.config / kept_name(name);
  TAPAL_TRY(const auto text, files::read_file(given));
  const auto kept = files::read_file(file);
  if (kept && *kept == text) return {};
  TAPAL_CHECK(files::create_folder(file.parent_path(), 0700));
  TAPAL_CHECK(files::write_atomically(file, text, 0600));
  up.report.tell(up.only_plans() ? Mark::planned : Mark::changed,
                 fmt::format("a copy of {} in {}", given, file.string()));
  return {};
}

// All mail to others leaves through another server. A way out that is there already is the owner's.
Result<void> set_relay(Up& up, const Settings& settings) {
  constexpr auto name = relay_setting;
  if (up.options.relay.empty()) return {};
  const auto value =
      relay_route({up.options.relay, up.options.relay_user, kept_name(relay_credentials)});
  TAPAL_TRY(const auto alone, with_setting("", name, value));
  const auto wanted = parse_settings(alone, "--relay").settings.delivery.routes.at("*");
  if (const auto& routes = settings.delivery.routes; routes.contains("*")) {
    const auto& now = routes.at("*");
    if (now.host != wanted.host || now.port != wanted.port || now.user != wanted.user)
      return fail(Code::invalid,
                  fmt::format("mail to others goes through {} already: change {} in tapal.toml by "
                              "hand, or leave out --relay",
                              now.host,
                              name));
  }
  if (!wanted.user.empty()) {
    TAPAL_CHECK(keep_credentials(up, up.options.relay_password_file, relay_credentials));
  }
  if (settings.delivery.routes.contains("*")) return {};
  TAPAL_CHECK(set(up, name, value));
  up.report.tell(Mark::by_hand,
                 fmt::format("the domain's SPF record must let {} send: add the include: that its "
                             "documents name; tapal keeps it",
                             wanted.host));
  return {};
}

}  // namespace

Result<void> up_settings(Up& up) {
  if (up.only_plans() && !up.on_scratch) return {};
  TAPAL_CHECK(set_text(up, "dns.provider", up.options.dns_provider));
  if (!up.options.dns_credentials_file.empty()) {
    const std::string name = up.options.dns_provider.empty() ? "dns" : up.options.dns_provider;
    TAPAL_CHECK(keep_credentials(up, up.options.dns_credentials_file, name));
    TAPAL_CHECK(set_text(up, "dns.credentials_file", kept_name(name)));
  }
  TAPAL_CHECK(set_text(up, "dns.url", up.options.dns_url));
  TAPAL_CHECK(set_sources(up));
  TAPAL_TRY(const auto settings, load_settings(up.common.config));
  TAPAL_CHECK(set_web(up, settings));
  TAPAL_CHECK(set_relay(up, settings));
  return set_certificate(up);
}

}  // namespace tapal::app
