#include "services/api/web_site.h"

#include <utility>

#include <fmt/format.h>

#include "rules/account/mta_sts.h"
#include "values/text/ascii.h"

namespace tapal::api {
namespace {

constexpr std::string_view challenge_path = "/.well-known/acme-challenge/";
constexpr std::string_view policy_path = "/.well-known/mta-sts.txt";
constexpr std::string_view autoconfig_path = "/mail/config-v1.1.xml";
constexpr std::string_view well_known_autoconfig_path =
    "/.well-known/autoconfig/mail/config-v1.1.xml";
constexpr std::string_view autodiscover_path = "/autodiscover/autodiscover.xml";

http::Response text_page(int status, std::string text, std::string_view type = "text/plain") {
  return {status, {{"Content-Type", std::string(type)}}, std::move(text)};
}

http::Response nothing_here() { return text_page(404, "There is nothing here.\n"); }

http::Response xml_page(std::string xml) {
  return text_page(200, std::move(xml), "application/xml");
}

}  // namespace

Task<http::Response> WebSite::answer(Loop&, http::Request request) {
  const bool in_clear = request.url.scheme == http::Url::Scheme::http;
  co_return in_clear ? answer_in_clear(request) : answer_securely(request);
}

std::optional<WebSite::Name> WebSite::find_name(const http::Url& url) const {
  using Purpose = Name::Purpose;
  std::string_view host = url.host;
  if (host.ends_with('.')) host.remove_suffix(1);
  const auto domains = domains_.get();
  const auto is_ours = [&](std::string_view domain) {
    return domains->directory.is_own_domain(domain);
  };
  constexpr std::pair<std::string_view, Purpose> labels[] = {
      {"mta-sts.", Purpose::mta_sts},
      {"autoconfig.", Purpose::autoconfig},
      {"autodiscover.", Purpose::autodiscover},
  };
  for (const auto& [label, purpose] : labels)
    if (host.starts_with(label) && is_ours(host.substr(label.size())))
      return Name{purpose, std::string(host.substr(label.size()))};
  if (is_ours(host)) return Name{Purpose::domain, std::string(host)};
  if (text::equals_ignoring_case(host, options_.host_name)) return Name{};
  return {};
}

// A token is proof enough of who asks: authorities come by whatever name they were told.
http::Response WebSite::answer_in_clear(const http::Request& request) const {
  const auto path = request.url.path();
  if (path.starts_with(challenge_path)) {
    auto authorization = challenges_.http(path.substr(challenge_path.size()));
    if (!authorization) return nothing_here();
    return text_page(200, *std::move(authorization), "application/octet-stream");
  }
  if (!options_.https_port || !find_name(request.url)) return nothing_here();
  auto there = request.url;
  there.scheme = http::Url::Scheme::https;
  there.port = *options_.https_port;
  auto response = text_page(301, "This is at https.\n");
  response.headers.push_back(
      {"Location", fmt::format("https://{}{}", there.authority(), there.target)});
  return response;
}

http::Response WebSite::answer_securely(const http::Request& request) const {
  using Purpose = Name::Purpose;
  const auto name = find_name(request.url);
  if (!name || name->domain.empty()) return nothing_here();
  const auto path = request.url.path();
  const auto purpose = name->purpose;
  if (purpose == Purpose::mta_sts)
    return path == policy_path ? policy_of(name->domain) : nothing_here();
  if (request.method == "POST" && !text::equals_ignoring_case(path, autodiscover_path))
    return nothing_here();
  const auto servers = servers_of(name->domain);
  if (servers.empty()) return nothing_here();
  if (path == well_known_autoconfig_path ||
      (path == autoconfig_path && purpose == Purpose::autoconfig))
    return xml_page(autoconfig_xml(name->domain, servers));
  if (text::equals_ignoring_case(path, autodiscover_path))
    return xml_page(autodiscover_xml(servers));
  return nothing_here();
}

http::Response WebSite::policy_of(const std::string& domain) const {
  const auto domains = domains_.get();
  const auto* const settings = domains->directory.settings(domain);
  if (settings == nullptr) return nothing_here();
  const auto policy = account::mta_sts_policy(*settings, text::to_lower(options_.host_name));
  return policy ? text_page(200, tlspolicy::mta_sts_text(*policy)) : nothing_here();
}

// None for a domain without users: nobody could log in.
std::vector<MailServer> WebSite::servers_of(const std::string& domain) const {
  const auto domains = domains_.get();
  if (domains->directory.users(domain).empty()) return {};
  std::vector<MailServer> servers = options_.submission;
  const auto* const settings = domains->directory.settings(domain);
  constexpr std::uint16_t imaps_port = 993;
  if (settings != nullptr && !settings->imap_server.empty())
    servers.insert(
        servers.begin(),
        {MailServer::Protocol::imap, MailServer::Tls::implicit, settings->imap_server, imaps_port});
  return servers;
}

}  // namespace tapal::api
