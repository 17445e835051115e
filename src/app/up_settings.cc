// What the other phases found out, written into tapal.toml.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/settings_edit.h"
#include "app/settings_table.h"
#include "app/up.h"

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

Result<void> set_sources(Up& up) {
  if (up.options.addresses.empty()) return {};
  for (const auto& address : up.addresses) {
    TAPAL_CHECK(set_text(
        up, address.is_v4() ? "delivery.source_ipv4" : "delivery.source_ipv6", address.text()));
  }
  return {};
}

}  // namespace

Result<void> up_settings(Up& up) {
  if (up.only_plans() && !up.on_scratch) return {};
  TAPAL_CHECK(set_text(up, "dns.provider", up.options.dns_provider));
  if (!up.options.dns_credentials_file.empty()) {
    TAPAL_CHECK(set_text(up,
                         "dns.credentials_file",
                         std::filesystem::absolute(up.options.dns_credentials_file).string()));
  }
  TAPAL_CHECK(set_text(up, "dns.url", up.options.dns_url));
  TAPAL_CHECK(set_sources(up));
  TAPAL_TRY(const auto settings, load_settings(up.common.config));
  TAPAL_CHECK(set_web(up, settings));
  return set_certificate(up);
}

}  // namespace tapal::app
