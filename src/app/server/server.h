// A whole tapal in this process: everything wired together, from listeners to couriers. Several
// may run side by side (the demo does).
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/server/handed_sockets.h"
#include "app/settings/settings.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "ports/log.h"

namespace tapal::app {

struct ServerAddresses {
  std::vector<Endpoint> smtp;
  std::vector<Endpoint> submission;
  std::vector<Endpoint> submissions;
  std::vector<Endpoint> http;
  std::vector<Endpoint> https;
};

class Server {
 public:
  // Listens and delivers when it returns. The Error says what is wrong and where: configuration,
  // certificates, a port in use, a spool in use. `log` must outlive the server. `handed` come in
  // place of the settings' own listeners.
  static Result<std::unique_ptr<Server>> start(std::filesystem::path config_folder,
                                               Settings settings,
                                               Log& log,
                                               HandedSockets handed = {});
  // As stop().
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Takes in the changed configuration folder and certificates. What is wrong keeps the last good
  // state in place and goes to the log; settings that need a restart are named there. Any thread.
  Result<void> reload();
  // reload() when a file has changed since the last look; cheap otherwise. Any thread.
  void reload_if_changed();
  // Stops accepting, gives sessions and attempts under way `grace`, then ends them. What was
  // acknowledged is in the spool.
  void stop(std::chrono::seconds grace);

  // Whether every event loop has turned since the last call. One thread, the same each time.
  bool is_alive();
  // To systemd, in one line for people: "running; 3 messages in the queue". Any thread.
  void tell_status();

  // With the ports the system picked; those of submission come with the first certificate. Any
  // thread.
  ServerAddresses addresses() const;

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace tapal::app
