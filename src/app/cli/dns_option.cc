#include "app/cli/dns_option.h"

#include "app/settings/settings.h"

namespace tapal::app {
namespace {

// There is nobody else to ask when this one does not answer, and somebody waits for the command.
constexpr std::chrono::seconds one_server_timeout{5};

}  // namespace

Result<ResolverOptions> resolver_options(const CommonOptions& common,
                                         const std::string& dns_server) {
  ResolverOptions options;
  if (dns_server.empty()) {
    if (const auto settings = load_settings(common.config)) options = settings->resolver;
    return options;
  }
  const auto server = Endpoint::from_text(dns_server);
  if (!server)
    return fail(Code::invalid, dns_server + " is not ADDRESS:PORT, as in 127.0.0.1:53 or [::1]:53");
  options.mode = ResolverOptions::Mode::forward;
  options.servers = {*server};
  options.trust_anchor_file = "";  // the server that was named is believed
  options.question_timeout = one_server_timeout;
  return options;
}

}  // namespace tapal::app
