// One session's SASL exchanges, put to the accounts; and whether the one that succeeded still
// counts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ip_address.h"
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
  Login(Loop& loop, Authenticator& authenticator, Random& random, IpAddress peer)
      : loop_(loop), authenticator_(authenticator), random_(random), peer_(peer) {}

  void on_tls(const Stream& stream);  // takes what SCRAM-PLUS binds to
  sasl::ServerStep start(std::string_view mechanism, std::optional<std::string> initial_response);
  sasl::ServerStep respond(std::string_view response);
  // Follows steps that the accounts answer until the client is to be told: Challenge, Success
  // (with the user's address as in the accounts) or Failure, which may take GuessLimits' time.
  Task<sasl::ServerStep> follow(const Domains& domains, sasl::ServerStep step);

  // False when the password that logged this session in has been changed or taken back since.
  // Nobody has logged in: true.
  bool still_counts(const Domains& domains) const;

 private:
  Task<sasl::ServerStep> check_password(const Domains& domains, sasl::CheckPassword check);
  sasl::ServerStep find_keys(const Domains& domains, const sasl::FindScramKeys& find);
  Task<void> hold_back(Duration time);

  Loop& loop_;
  Authenticator& authenticator_;
  Random& random_;
  IpAddress peer_;
  sasl::ChannelBindings bindings_;
  std::optional<sasl::ServerExchange> exchange_;
  std::string prover_;      // who proves a password by SCRAM in this exchange; empty: nobody
  std::string user_;        // who has logged in; empty: nobody
  std::string credential_;  // by which of the user's passwords
};

}  // namespace tapal::intake
