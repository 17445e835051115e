#include "app/certificates/lone_order.h"

#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "app/certificates/parts.h"
#include "app/cli/control_client.h"
#include "app/cli/once.h"
#include "base/snapshot.h"
#include "drivers/net/http_client.h"
#include "drivers/net/http_server.h"
#include "drivers/net/listener.h"
#include "drivers/resolver/unbound_resolver.h"
#include "drivers/system/clock.h"
#include "drivers/system/log_sinks.h"
#include "drivers/system/program_runner.h"
#include "drivers/system/random.h"
#include "drivers/system/worker_pool.h"
#include "services/api/web_site.h"

namespace tapal::app {
namespace {

using http::Url;

constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

std::vector<Endpoint> or_everywhere(const std::vector<Endpoint>& wanted, std::uint16_t port) {
  if (!wanted.empty()) return wanted;
  return {{IpAddress::v4({0, 0, 0, 0}), port}, {IpAddress{}, port}};
}

// Shows a board on the ports that can be had, until it is closed.
class ChallengeFront {
 public:
  ChallengeFront(NetLoop& loop, Clock& clock, Log& log, const ChallengeBoard& board)
      : loop_(loop),
        log_(log),
        certificates_(ServerContext::without_certificate()),
        tls_(*certificates_, board),
        site_({}, domains_, board),
        server_({loop, clock, log, site_, connections_, tls_}) {}

  bool listen(Url::Scheme scheme, const std::vector<Endpoint>& endpoints) {
    bool any = false;
    for (const auto& endpoint : endpoints) {
      auto socket = ListenSocket::tcp(endpoint);
      if (!socket) {
        log_.write(Level::warning, "cannot listen", {{"reason", socket.error().what}});
        continue;
      }
      std::vector<AcceptTarget> targets;
      targets.push_back({&loop_, [this, scheme](std::unique_ptr<Stream> stream) {
                           server_.begin(scheme, std::move(stream));
                         }});
      listeners_.push_back(
          std::make_unique<Listener>(loop_, *std::move(socket), std::move(targets)));
      any = true;
    }
    return any;
  }
  Task<void> close() {
    for (auto& listener : listeners_) listener->close();
    co_await server_.stop();
  }

 private:
  NetLoop& loop_;
  Log& log_;
  std::unique_ptr<ServerContext> certificates_;
  WebTls tls_;
  Snapshot<intake::Domains> domains_{std::make_shared<const intake::Domains>()};
  api::WebSite site_;
  ConnectionCount connections_{ConnectionLimits{}};
  HttpServer server_;
  std::vector<std::unique_ptr<Listener>> listeners_;
};

struct Order {
  const std::filesystem::path& config;
  const Settings& settings;
  const std::string& request;
  Resolver& resolver;
};

Task<Result<std::string>> run(NetLoop& loop, Order order) {
  SystemClock clock;
  TextLog log(2, clock, Level::warning, LineStart::no_time);
  WorkerPool workers({.threads = 1, .name = "disk"});
  ProgramRunner programs(workers);
  ChallengeBoard board;
  SystemRandom random;
  TAPAL_CO_TRY(const auto tls, ClientContext::make({order.settings.tls.trusted_ca_file}));
  StreamHttpClient http({loop, loop, order.resolver, *tls});
  ChallengeFront front(loop, clock, log, board);
  const auto& listen = order.settings.listen;
  CertificateWorld world{loop,
                         clock,
                         log,
                         order.resolver,
                         workers,
                         programs,
                         board,
                         http,
                         random,
                         false,
                         false,
                         {},
                         {}};
  world.listens_http = front.listen(Url::Scheme::http, or_everywhere(listen.http, http_port));
  world.listens_https = front.listen(Url::Scheme::https, or_everywhere(listen.https, https_port));
  auto parts = CertificateParts::make(order.config, order.settings, std::move(world));
  auto answer = parts ? co_await answer_cert((*parts)->keeper(), order.request)
                      : Result<std::string>(std::unexpected(parts.error()));
  co_await front.close();
  co_return answer;
}

}  // namespace

Result<std::string> order_alone(const std::filesystem::path& config,
                                const Settings& settings,
                                const std::string& request) {
  TAPAL_TRY(const auto resolver, UnboundResolver::open(settings.resolver));
  const Order order{config, settings, request, *resolver};
  TAPAL_TRY(const auto answer,
            run_once<Result<std::string>>([&](NetLoop& loop) { return run(loop, order); }));
  return std::string(boost::json::parse(answer).as_string());
}

Result<std::string> order_certificate(const CommonOptions& common,
                                      const boost::json::object& request) {
  TAPAL_TRY(const auto settings, load_settings(common.config));
  const auto line = boost::json::serialize(request);
  const auto answer = ask_server(settings.control_socket(), line);
  if (!answer && answer.error().code == Code::not_found)
    return order_alone(common.config, settings, line);
  if (!answer) return std::unexpected(answer.error());
  const auto object = boost::json::parse(*answer).as_object();
  if (!object.at("ok").as_bool())
    return fail(Code::denied, std::string(object.at("error").as_string()));
  return std::string(object.at("result").as_string());
}

}  // namespace tapal::app
