// One session's SASL exchange, put to the accounts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/task.h"
#include "ports/loop.h"
#include "ports/random.h"
#include "ports/stream.h"
#include "protocols/sasl/server_exchange.h"
#include "protocols/smtp/reply.h"
#include "services/intake/authenticator.h"
#include "services/intake/domains.h"

namespace tapal::intake {

std::vector<std::string> login_mechanisms();         // offered, the strongest first
smtp::Reply reply_to(const sasl::Failure& failure);  // RFC 4954 section 6

class Login {
 public:
  Login(Loop& loop, Authenticator& authenticator, Random& random)
      : loop_(loop), authenticator_(authenticator), random_(random) {}

  void on_tls(const Stream& stream);  // takes what SCRAM-PLUS binds to
  sasl::ServerStep start(std::string_view mechanism, std::optional<std::string> initial_response);
  sasl::ServerStep respond(std::string_view response);
  // Follows steps that the accounts answer until the client is to be told: Challenge, Success
  // (with the user's address as in the accounts) or Failure.
  Task<sasl::ServerStep> follow(const Domains& domains, sasl::ServerStep step);

 private:
  Loop& loop_;
  Authenticator& authenticator_;
  Random& random_;
  sasl::ChannelBindings bindings_;
  std::optional<sasl::ServerExchange> exchange_;
};

}  // namespace tapal::intake
