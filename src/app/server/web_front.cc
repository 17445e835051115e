#include "app/server/web_front.h"

#include <utility>

namespace tapal::app {
namespace {

using http::Url;

// Apart from those of mail, so that a flood of one leaves the other alone.
constexpr ConnectionLimits connection_limits{.all_max = 1'000, .per_address_max = 50};

void add_server(std::vector<api::MailServer>& servers,
                const std::string& host,
                api::MailServer::Tls tls,
                const std::vector<Endpoint>& endpoints) {
  if (endpoints.empty() || endpoints.front().port == 0) return;
  servers.push_back({api::MailServer::Protocol::smtp, tls, host, endpoints.front().port});
}

api::WebOptions web_options(const Settings& settings, const std::vector<Endpoint>& https) {
  using Tls = api::MailServer::Tls;
  api::WebOptions options{.host_name = settings.hostname, .https_port = {}, .submission = {}};
  if (!https.empty()) options.https_port = https.front().port;
  const auto& listen = settings.listen;
  add_server(options.submission, settings.hostname, Tls::implicit, listen.submissions);
  add_server(options.submission, settings.hostname, Tls::starttls, listen.submission);
  return options;
}

}  // namespace

WebFront::WebFront(const WebWorld& world)
    : world_(world), tls_(world.certificates, world.challenges), connections_(connection_limits) {}

Result<std::unique_ptr<WebFront>> WebFront::open(WebWorld world) {
  auto front = std::unique_ptr<WebFront>(new WebFront(world));
  const auto& listen = world.settings.listen;
  TAPAL_TRY(auto secure, world.handed.open("https", listen.https));
  TAPAL_TRY(auto clear, world.handed.open("http", listen.http));
  front->addresses_ = {local_endpoints(clear), local_endpoints(secure)};
  front->site_ = std::make_unique<api::WebSite>(
      web_options(world.settings, front->addresses_.https), world.domains, world.challenges);
  for (std::size_t i = 0; i < world.loops.size(); ++i)
    front->servers_.push_back(std::make_unique<HttpServer>(HttpServerWorld{world.loops.loop(i),
                                                                           world.clock,
                                                                           world.log,
                                                                           *front->site_,
                                                                           front->connections_,
                                                                           front->tls_}));
  front->serve(Url::Scheme::https, std::move(secure));
  front->serve(Url::Scheme::http, std::move(clear));
  return front;
}

void WebFront::serve(Url::Scheme scheme, std::vector<ListenSocket> sockets) {
  for (auto& socket : sockets) {
    std::vector<AcceptTarget> targets;
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      auto begin = [&server = *servers_[i], scheme](std::unique_ptr<Stream> stream) {
        server.begin(scheme, std::move(stream));
      };
      targets.push_back({&world_.loops.loop(i), std::move(begin)});
    }
    ListenerOptions options;
    options.on_trouble = [&log = world_.log](const Error& error) {
      log.write(Level::error, "cannot accept", {{"reason", error.what}});
    };
    listeners_.push_back(std::make_unique<Listener>(
        world_.loops.loop(0), std::move(socket), std::move(targets), std::move(options)));
  }
}

void WebFront::close() {
  for (auto& listener : listeners_) listener->close();
}

Task<void> WebFront::stop(std::size_t index) { return servers_.at(index)->stop(); }

}  // namespace tapal::app
