// Listening sockets that systemd holds for the server (socket activation): bound before it starts,
// kept while it restarts.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "drivers/net/listener.h"

namespace tapal::app {

class HandedSockets {
 public:
  // Those of this process, by FileDescriptorName= (smtp, submission, submissions, http, https), or
  // by the usual port where the name is another. Once in a process. The Error names a socket that
  // has no use here.
  static Result<HandedSockets> take();

  // The sockets handed over for that use, which come in place of the settings; where there are
  // none, new ones at `endpoints`.
  Result<std::vector<ListenSocket>> open(std::string_view use,
                                         const std::vector<Endpoint>& endpoints);

 private:
  std::map<std::string, std::vector<ListenSocket>, std::less<>> by_use_;
};

}  // namespace tapal::app
