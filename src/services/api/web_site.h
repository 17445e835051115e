// What ports 80 and 443 serve, by the name asked for and nothing under foreign names:
//   http://any/.well-known/acme-challenge/TOKEN            answers to certificate authorities
//   http://ours/...                                        leads to https, where that is on
//   https://mta-sts.DOMAIN/.well-known/mta-sts.txt         the domain's MTA-STS policy (RFC 8461)
//   https://autoconfig.DOMAIN/mail/config-v1.1.xml         servers for Thunderbird, also at
//   https://DOMAIN/.well-known/autoconfig/mail/config-v1.1.xml
//   https://autodiscover.DOMAIN/autodiscover/autodiscover.xml   servers for Outlook
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/snapshot.h"
#include "ports/challenge_board.h"
#include "ports/http_handler.h"
#include "services/api/client_setup.h"
#include "services/intake/domains.h"

namespace tapal::api {

struct WebOptions {
  std::string host_name;                    // of this machine
  std::optional<std::uint16_t> https_port;  // nothing: https is off
  std::vector<MailServer> submission;       // where our users hand in mail
};

// Safe from any thread; the references must outlive it.
class WebSite final : public HttpHandler {
 public:
  WebSite(WebOptions options,
          const Snapshot<intake::Domains>& domains,
          const ChallengeBoard& challenges)
      : options_(std::move(options)), domains_(domains), challenges_(challenges) {}

  Task<http::Response> answer(Loop& loop, http::Request request) override;

 private:
  http::Response answer_in_clear(const http::Request& request) const;
  http::Response answer_securely(const http::Request& request) const;

  // A name of ours: the host's, a domain's, or one that a domain has for a purpose.
  struct Name {
    enum class Purpose : std::uint8_t { host, domain, mta_sts, autoconfig, autodiscover };
    Purpose purpose = Purpose::host;
    std::string domain;  // empty for the host
  };
  std::optional<Name> find_name(const http::Url& url) const;
  http::Response policy_of(const std::string& domain) const;
  std::vector<MailServer> servers_of(const std::string& domain) const;

  WebOptions options_;
  const Snapshot<intake::Domains>& domains_;
  const ChallengeBoard& challenges_;
};

}  // namespace tapal::api
