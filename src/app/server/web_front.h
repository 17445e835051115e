// Ports 80 and 443 of a running server: sockets, HTTP servers on every loop, and what they serve.
#pragma once

#include <memory>
#include <vector>

#include "app/server/handed_sockets.h"
#include "app/settings/settings.h"
#include "base/connection_count.h"
#include "base/result.h"
#include "base/snapshot.h"
#include "drivers/net/http_server.h"
#include "drivers/net/listener.h"
#include "drivers/net/loop.h"
#include "drivers/net/tls.h"
#include "ports/challenge_board.h"
#include "ports/clock.h"
#include "ports/log.h"
#include "services/api/web_site.h"
#include "services/intake/domains.h"

namespace tapal::app {

// All must outlive the front.
struct WebWorld {
  LoopPool& loops;
  Clock& clock;
  Log& log;
  const Settings& settings;
  const Snapshot<intake::Domains>& domains;
  const ChallengeBoard& challenges;
  ServerContext& certificates;
  HandedSockets& handed;
};

class WebFront {
 public:
  struct Addresses {  // with the ports the system picked
    std::vector<Endpoint> http;
    std::vector<Endpoint> https;
  };

  // Listens as the settings say; maybe nowhere. On the accepting loop, or before the loops run. The
  // Error names the port that cannot be had, and why.
  static Result<std::unique_ptr<WebFront>> open(WebWorld world);

  const Addresses& addresses() const { return addresses_; }
  void close();                        // on the accepting loop: no new connections
  Task<void> stop(std::size_t index);  // on that loop: cuts its connections

 private:
  explicit WebFront(const WebWorld& world);
  void serve(http::Url::Scheme scheme, std::vector<ListenSocket> sockets);

  WebWorld world_;
  WebTls tls_;
  ConnectionCount connections_;
  Addresses addresses_;
  std::unique_ptr<api::WebSite> site_;
  std::vector<std::unique_ptr<HttpServer>> servers_;  // one a loop
  std::vector<std::unique_ptr<Listener>> listeners_;
};

}  // namespace tapal::app
