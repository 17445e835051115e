// The client's side of one SASL exchange as a value: challenges in, responses out, all without
// base64. A server may ask for up to crypto::scram_iterations_max rounds of hashing, 0.4 s.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocols/sasl/mechanism.h"

namespace tapal::sasl {

struct Credentials {
  std::string user;
  std::string password;  // secret
};

struct ClientExchangeOptions {
  std::string nonce;  // fresh random printable text without commas, nonce_bytes_min or more
  ChannelBindings bindings;
  bool plus_offered = false;  // the server's list has SCRAM-SHA-256-PLUS
};

class ClientExchange {
 public:
  ClientExchange(Mechanism mechanism,
                 const Credentials& credentials,
                 ClientExchangeOptions options);
  ClientExchange(ClientExchange&&) noexcept;
  ClientExchange& operator=(ClientExchange&&) noexcept;
  ~ClientExchange();

  // Sent with the AUTH command. Nothing for LOGIN, where the server speaks first; an error when
  // the credentials cannot be used (control characters, empty).
  Result<std::optional<std::string>> start();
  // The response to a challenge. An error ends the exchange: cancel it with "*".
  Result<std::string> on_challenge(std::string_view challenge);
  // The server says it is satisfied. An error when it has not proved that it knows our password
  // (SCRAM): it is not whom we take it for.
  Result<void> on_success() const;

  struct Steps;

 private:
  std::unique_ptr<Steps> steps_;
};

}  // namespace tapal::sasl
