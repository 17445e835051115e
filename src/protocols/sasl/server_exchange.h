// The server's side of one SASL exchange as a value. It knows no users: passwords and keys are
// asked for. Texts are bytes without base64, which belongs to the protocol around it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "protocols/sasl/mechanism.h"
#include "values/crypto/scram_keys.h"

namespace tapal::sasl {

inline constexpr std::size_t message_bytes_max = 8192;  // of one client message, decoded
inline constexpr std::size_t user_bytes_max = 320;      // 64 @ 255, RFC 5321 section 4.5.3.1

// Send to the client and give its answer to on_response().
struct Challenge {
  std::string bytes;
};
// Answer: on_password().
struct CheckPassword {
  std::string user;
  std::string password;  // secret
};
// Answer: on_scram_keys() or on_unavailable().
struct FindScramKeys {
  std::string user;
};
struct Success {
  std::string user;
};
struct Failure {
  enum class Reason : std::uint8_t {
    denied,       // wrong user or password, which must not be told apart: 535 5.7.8
    malformed,    // the client broke the mechanism's rules: 501 5.5.2
    unavailable,  // cannot be decided now: 454 4.7.0
  };
  Reason reason = Reason::denied;
  std::string text;  // for the reply; no secrets
  std::string user;  // as claimed, for the log; may be empty
};
using ServerStep = std::variant<Challenge, CheckPassword, FindScramKeys, Success, Failure>;

enum class PasswordVerdict : std::uint8_t { right, wrong, unavailable };

struct ServerExchangeOptions {
  std::string nonce;  // fresh random printable text without commas, nonce_bytes_min or more
  std::string unknown_user_secret;  // the same for the installation's life: an unknown user gets a
                                    // salt made from it, always the same one
  std::uint32_t unknown_user_iterations = crypto::scram_iterations_min;  // as our users' keys have
  std::size_t unknown_user_salt_bytes = 16;                              // likewise; at most 32
  ChannelBindings bindings;
  bool plus_offered = false;  // SCRAM-SHA-256-PLUS was in the list: detects a downgrade
};

// User names and passwords come out as prepared() leaves them. An authorization identity must be
// empty or equal the user.
class ServerExchange {
 public:
  ServerExchange(Mechanism mechanism, ServerExchangeOptions options);
  ServerExchange(ServerExchange&&) noexcept;
  ServerExchange& operator=(ServerExchange&&) noexcept;
  ~ServerExchange();

  // Each call gives the next step. A call out of turn gives Failure::malformed; after Success or
  // Failure the exchange is over.
  ServerStep start(std::optional<std::string> initial_response);
  ServerStep on_response(std::string_view response);
  ServerStep on_password(PasswordVerdict verdict);
  ServerStep on_scram_keys(const std::optional<crypto::ScramKeys>& keys);  // nothing: no such user
  ServerStep on_unavailable();

  struct Steps;  // one class a mechanism

 private:
  std::unique_ptr<Steps> steps_;
};

}  // namespace tapal::sasl
