// One signed request to an authority beside orders: a certificate is revoked (RFC 8555
// section 7.6), or an account gets another key (section 7.3.5). Driven like an order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "protocols/acme/order_session.h"
#include "protocols/acme/signed_request.h"

namespace tapal::acme {

// As RFC 5280 section 5.3.1 numbers them.
enum class RevocationReason : std::uint8_t {
  unspecified = 0,
  key_compromise = 1,
  affiliation_changed = 3,
  superseded = 4,
  cessation = 5,
};
std::optional<RevocationReason> revocation_reason_from(std::string_view text);  // "key-compromise"

class Errand {
 public:
  struct Revocation {
    std::string certificate;  // DER
    RevocationReason reason = RevocationReason::unspecified;
  };
  struct KeyChange {
    const crypto::PrivateKey& new_key;
  };
  using Wish = std::variant<Revocation, KeyChange>;

  // Keys must outlive it; the account's URL is known.
  Errand(std::string directory_url, AccountOfKey account, Wish wish);

  struct Done {};
  using Action = std::variant<OrderSession::Send, Done, OrderSession::Failed>;
  Action next_action();
  void on_response(const http::Response& response, WallTime now);

 private:
  static constexpr int tries_max = 5;  // of one whose nonce was too old
  enum class Step : std::uint8_t { directory, nonce, request };

  Result<OrderSession::Send> request();
  Result<std::string> payload(std::string_view url) const;
  void take_directory(const std::string& body);

  std::string directory_url_;
  AccountOfKey account_;
  Wish wish_;
  Step step_ = Step::directory;
  Directory directory_;
  std::string nonce_;
  int tries_ = 0;
  std::variant<std::monostate, Done, OrderSession::Failed> outcome_;
};

}  // namespace tapal::acme
