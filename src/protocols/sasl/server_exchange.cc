#include "protocols/sasl/server_exchange.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "protocols/sasl/scram.h"
#include "values/text/base64.h"

namespace tapal::sasl {
namespace {

enum class Awaited : std::uint8_t { start, response, password, keys, nothing };

Failure malformed(std::string text) { return {Failure::Reason::malformed, std::move(text), {}}; }

Failure denied(std::string user) {
  return {Failure::Reason::denied, "Wrong user or password", std::move(user)};
}

// A message that is a user name or a password; nothing when no account could have it.
std::optional<std::string> prepared_within(std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) return {};
  auto result = prepared(text);
  if (!result || result->size() > bytes_max) return {};
  return *std::move(result);
}

}  // namespace

struct ServerExchange::Steps {
  virtual ~Steps() = default;
  virtual ServerStep start(std::optional<std::string> initial_response) = 0;
  virtual ServerStep on_response(std::string_view response) = 0;
  virtual ServerStep on_scram_keys(const std::optional<crypto::ScramKeys>& /*keys*/) {
    return malformed("No keys were asked for");
  }

  Awaited awaited = Awaited::start;
  std::string user;
};

namespace {

class PlainServer : public ServerExchange::Steps {
 public:
  ServerStep start(std::optional<std::string> initial_response) override {
    if (initial_response) return on_response(*initial_response);
    return Challenge{};
  }
  // RFC 4616 section 2: authzid NUL authcid NUL passwd.
  ServerStep on_response(std::string_view response) override {
    const std::size_t first = response.find('\0');
    const std::size_t second =
        first == std::string_view::npos ? first : response.find('\0', first + 1);
    if (second == std::string_view::npos ||
        response.find('\0', second + 1) != std::string_view::npos)
      return malformed("PLAIN wants three parts with NUL between them (RFC 4616 section 2)");
    const std::string_view claimed = response.substr(first + 1, second - first - 1);
    auto name = prepared_within(claimed, user_bytes_max);
    auto password = prepared_within(response.substr(second + 1), message_bytes_max);
    if (!name || !password) return denied(std::string(claimed.substr(0, user_bytes_max)));
    const std::string_view authorized_as = response.substr(0, first);
    if (!authorized_as.empty() && prepared_within(authorized_as, user_bytes_max) != name)
      return denied(*std::move(name));
    user = *name;
    return CheckPassword{*std::move(name), *std::move(password)};
  }
};

class LoginServer : public ServerExchange::Steps {
 public:
  ServerStep start(std::optional<std::string> initial_response) override {
    if (initial_response && !initial_response->empty()) return on_response(*initial_response);
    return Challenge{"Username:"};
  }
  ServerStep on_response(std::string_view response) override {
    if (!has_name_) {
      has_name_ = true;
      const auto name = prepared_within(response, user_bytes_max);
      is_usable_ = name.has_value();
      user = name.value_or(std::string(response.substr(0, user_bytes_max)));
      return Challenge{"Password:"};
    }
    auto password = prepared_within(response, message_bytes_max);
    if (!is_usable_ || !password) return denied(user);
    return CheckPassword{user, *std::move(password)};
  }

 private:
  bool has_name_ = false;
  bool is_usable_ = false;
};

class ScramServer : public ServerExchange::Steps {
 public:
  enum class Kind : std::uint8_t { unbound, bound };
  ScramServer(Kind kind, ServerExchangeOptions options)
      : kind_(kind), options_(std::move(options)) {}

  ServerStep start(std::optional<std::string> initial_response) override {
    if (initial_response) return on_response(*initial_response);
    return Challenge{};
  }
  ServerStep on_response(std::string_view response) override {
    switch (std::exchange(stage_, Stage::over)) {
      case Stage::first: return on_first(response);
      case Stage::final: return on_final(response);
      case Stage::last:
        if (response.empty()) return Success{user};
        return malformed("Nothing may follow the proof (RFC 5802 section 5)");
      case Stage::over: break;
    }
    return malformed("The exchange is over");
  }
  ServerStep on_scram_keys(const std::optional<crypto::ScramKeys>& keys) override;

 private:
  enum class Stage : std::uint8_t { first, final, last, over };

  ServerStep on_first(std::string_view message);
  ServerStep on_final(std::string_view message);
  std::optional<Failure> binding_failure() const;
  crypto::ScramKeys made_up_keys() const;

  Kind kind_;
  ServerExchangeOptions options_;
  Stage stage_ = Stage::first;
  ClientFirst first_;
  std::string nonce_;  // of both sides
  std::string server_first_;
  bool is_known_ = false;
  crypto::ScramKeys keys_;
};

ServerStep ScramServer::on_first(std::string_view message) {
  auto first = parse_client_first(message);
  if (!first) return malformed("The first message of SCRAM is malformed (RFC 5802 section 7)");
  first_ = *std::move(first);
  if (auto failure = binding_failure()) return *std::move(failure);
  auto name = prepared_within(first_.user, user_bytes_max);
  if (!name) return denied(first_.user.substr(0, user_bytes_max));
  user = *std::move(name);
  if (!first_.authorized_as.empty() &&
      prepared_within(first_.authorized_as, user_bytes_max) != user)
    return denied(user);
  return FindScramKeys{user};
}

// RFC 5802 section 6.
std::optional<Failure> ScramServer::binding_failure() const {
  using Binding = ClientFirst::Binding;
  if (first_.binding == Binding::used) {
    if (kind_ == Kind::unbound)
      return malformed("Channel binding is for SCRAM-SHA-256-PLUS (RFC 5802 section 6)");
    if (binding_data(options_.bindings, first_.binding_name).empty())
      return malformed(
          "This channel binding type is not available; use tls-exporter or "
          "tls-server-end-point (RFC 9266, RFC 5929)");
    return {};
  }
  if (kind_ == Kind::bound)
    return malformed("SCRAM-SHA-256-PLUS wants channel binding (RFC 5802 section 6)");
  if (first_.binding == Binding::server_lacks_it && options_.plus_offered)
    return malformed(
        "SCRAM-SHA-256-PLUS is offered and you did not see it: somebody changes the list of "
        "mechanisms on its way (RFC 5802 section 6)");
  return {};
}

// What an unknown user is shown looks like a known one's, and the same each time.
crypto::ScramKeys ScramServer::made_up_keys() const {
  const crypto::Digest salt =
      crypto::hmac_sha256(options_.unknown_user_secret, "unknown user's salt:" + user);
  crypto::ScramKeys keys;
  keys.salt = std::string(crypto::bytes_of(salt).substr(0, options_.unknown_user_salt_bytes));
  keys.iterations = options_.unknown_user_iterations;
  return keys;
}

ServerStep ScramServer::on_scram_keys(const std::optional<crypto::ScramKeys>& keys) {
  is_known_ = keys.has_value();
  keys_ = keys ? *keys : made_up_keys();
  nonce_ = first_.nonce + options_.nonce;
  server_first_ =
      fmt::format("r={},s={},i={}", nonce_, text::to_base64(keys_.salt), keys_.iterations);
  stage_ = Stage::final;
  return Challenge{server_first_};
}

ServerStep ScramServer::on_final(std::string_view message) {
  const auto attributes = parse_attributes(message);
  const std::size_t proof_at = message.rfind(",p=");
  if (!attributes || attributes->size() < 3 || proof_at == std::string_view::npos ||
      attributes->back().first != 'p')
    return malformed("The final message of SCRAM is malformed (RFC 5802 section 7)");
  const auto binding = attribute(*attributes, 0, 'c');
  const auto nonce = attribute(*attributes, 1, 'r');
  const auto proof = text::from_base64(attributes->back().second);
  if (!binding || !nonce || !proof || proof->size() != crypto::Digest{}.size())
    return malformed("The final message of SCRAM is malformed (RFC 5802 section 7)");

  std::string bound = first_.gs2_header;
  if (kind_ == Kind::bound) bound += binding_data(options_.bindings, first_.binding_name);
  if (!crypto::constant_time_equal(*binding, text::to_base64(bound)) ||
      !crypto::constant_time_equal(*nonce, nonce_))
    return denied(user);

  const std::string signed_text =
      fmt::format("{},{},{}", first_.bare, server_first_, message.substr(0, proof_at));
  const crypto::Digest signature =
      crypto::hmac_sha256(crypto::bytes_of(keys_.stored_key), signed_text);
  crypto::Digest proof_bytes{};
  std::copy(proof->begin(), proof->end(), proof_bytes.begin());
  const crypto::Digest client_key = exclusive_or(proof_bytes, signature);
  const bool is_right =
      crypto::constant_time_equal(crypto::sha256(crypto::bytes_of(client_key)), keys_.stored_key);
  if (!is_right || !is_known_) return denied(user);
  const crypto::Digest answer =
      crypto::hmac_sha256(crypto::bytes_of(keys_.server_key), signed_text);
  stage_ = Stage::last;
  return Challenge{"v=" + text::to_base64(crypto::bytes_of(answer))};
}

Awaited awaited_after(const ServerStep& step) {
  if (std::holds_alternative<Challenge>(step)) return Awaited::response;
  if (std::holds_alternative<CheckPassword>(step)) return Awaited::password;
  if (std::holds_alternative<FindScramKeys>(step)) return Awaited::keys;
  return Awaited::nothing;
}

// Takes the turn when it is `wanted`'s; afterwards nothing is awaited until the step says so.
bool take_turn(ServerExchange::Steps& steps, Awaited wanted) {
  return std::exchange(steps.awaited, Awaited::nothing) == wanted;
}

ServerStep noted(ServerExchange::Steps& steps, ServerStep step) {
  steps.awaited = awaited_after(step);
  return step;
}

ServerStep out_of_turn() { return malformed("The exchange is not at this step"); }

std::unique_ptr<ServerExchange::Steps> make_steps(Mechanism mechanism,
                                                  ServerExchangeOptions options) {
  switch (mechanism) {
    case Mechanism::plain: return std::make_unique<PlainServer>();
    case Mechanism::login: return std::make_unique<LoginServer>();
    case Mechanism::scram_sha_256:
      return std::make_unique<ScramServer>(ScramServer::Kind::unbound, std::move(options));
    case Mechanism::scram_sha_256_plus: break;
  }
  return std::make_unique<ScramServer>(ScramServer::Kind::bound, std::move(options));
}

}  // namespace

ServerExchange::ServerExchange(Mechanism mechanism, ServerExchangeOptions options) {
  const bool is_scram =
      mechanism == Mechanism::scram_sha_256 || mechanism == Mechanism::scram_sha_256_plus;
  assert(!is_scram || (options.nonce.size() >= nonce_bytes_min && is_nonce(options.nonce)));
  (void)is_scram;
  steps_ = make_steps(mechanism, std::move(options));
}
ServerExchange::ServerExchange(ServerExchange&&) noexcept = default;
ServerExchange& ServerExchange::operator=(ServerExchange&&) noexcept = default;
ServerExchange::~ServerExchange() = default;

ServerStep ServerExchange::start(std::optional<std::string> initial_response) {
  if (!take_turn(*steps_, Awaited::start)) return out_of_turn();
  if (initial_response && initial_response->size() > message_bytes_max)
    return malformed("The response is too long");
  return noted(*steps_, steps_->start(std::move(initial_response)));
}

ServerStep ServerExchange::on_response(std::string_view response) {
  if (!take_turn(*steps_, Awaited::response)) return out_of_turn();
  if (response.size() > message_bytes_max) return malformed("The response is too long");
  return noted(*steps_, steps_->on_response(response));
}

ServerStep ServerExchange::on_password(PasswordVerdict verdict) {
  if (!take_turn(*steps_, Awaited::password)) return out_of_turn();
  switch (verdict) {
    case PasswordVerdict::right: return Success{steps_->user};
    case PasswordVerdict::wrong: return denied(steps_->user);
    case PasswordVerdict::unavailable: break;
  }
  return Failure{Failure::Reason::unavailable, "Passwords cannot be checked now", steps_->user};
}

ServerStep ServerExchange::on_scram_keys(const std::optional<crypto::ScramKeys>& keys) {
  if (!take_turn(*steps_, Awaited::keys)) return out_of_turn();
  return noted(*steps_, steps_->on_scram_keys(keys));
}

ServerStep ServerExchange::on_unavailable() {
  if (!take_turn(*steps_, Awaited::keys)) return out_of_turn();
  return Failure{Failure::Reason::unavailable, "Passwords cannot be checked now", steps_->user};
}

}  // namespace tapal::sasl
