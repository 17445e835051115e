#include "protocols/sasl/client_exchange.h"

#include <cassert>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "protocols/sasl/scram.h"
#include "values/crypto/scram_keys.h"
#include "values/text/ascii.h"
#include "values/text/base64.h"

namespace tapal::sasl {
namespace {

constexpr std::size_t salt_bytes_max = 256;  // of other people's servers

}  // namespace

struct ClientExchange::Steps {
  virtual ~Steps() = default;
  virtual Result<std::optional<std::string>> start() = 0;
  virtual Result<std::string> on_challenge(std::string_view challenge) = 0;
  virtual Result<void> on_success() const = 0;
};

namespace {

class PlainClient : public ClientExchange::Steps {
 public:
  explicit PlainClient(Credentials credentials) : credentials_(std::move(credentials)) {}
  Result<std::optional<std::string>> start() override {
    std::string message(1, '\0');
    message += credentials_.user;
    message += '\0';
    return message + credentials_.password;
  }
  Result<std::string> on_challenge(std::string_view /*challenge*/) override {
    return fail(Code::invalid, "the server asks for more than PLAIN has (RFC 4616)");
  }
  Result<void> on_success() const override { return {}; }

 private:
  Credentials credentials_;
};

class LoginClient : public ClientExchange::Steps {
 public:
  explicit LoginClient(Credentials credentials) : credentials_(std::move(credentials)) {}
  Result<std::optional<std::string>> start() override { return std::optional<std::string>(); }
  // The first answer is the name and the second the password, whatever the prompts say.
  Result<std::string> on_challenge(std::string_view /*challenge*/) override {
    switch (answers_++) {
      case 0: return credentials_.user;
      case 1: return credentials_.password;
      default: return fail(Code::invalid, "the server asks for more than LOGIN has");
    }
  }
  Result<void> on_success() const override { return {}; }

 private:
  Credentials credentials_;
  unsigned answers_ = 0;
};

class ScramClient : public ClientExchange::Steps {
 public:
  ScramClient(Mechanism mechanism, Credentials credentials, ClientExchangeOptions options)
      : is_bound_(mechanism == Mechanism::scram_sha_256_plus),
        credentials_(std::move(credentials)),
        options_(std::move(options)) {}

  Result<std::optional<std::string>> start() override {
    if (is_bound_ && options_.bindings.none())
      return fail(Code::invalid, "the connection has no channel binding for SCRAM-SHA-256-PLUS");
    const bool has_exporter = !options_.bindings.tls_exporter.empty();
    const std::string_view name = has_exporter ? tls_exporter_name : tls_server_end_point_name;
    bound_ = fmt::format("p={},,", name);
    // "y" tells the server that we would bind: one that offered -PLUS then knows that its list was
    // changed on the way (RFC 5802 section 6).
    if (!is_bound_) bound_ = options_.bindings.none() || options_.plus_offered ? "n,," : "y,,";
    bare_ = fmt::format("n={},r={}", encode_saslname(credentials_.user), options_.nonce);
    std::string message = bound_ + bare_;
    if (is_bound_) bound_ += binding_data(options_.bindings, name);
    return message;
  }
  Result<std::string> on_challenge(std::string_view challenge) override {
    // An error is the end: no later message may be taken for the one that failed.
    switch (std::exchange(stage_, Stage::over)) {
      case Stage::first: return on_first(challenge);
      case Stage::final: return on_final(challenge);
      case Stage::over: break;
    }
    return fail(Code::invalid, "the server asks for more than SCRAM has (RFC 5802)");
  }
  Result<void> on_success() const override {
    if (is_proved_) return {};
    return fail(Code::denied,
                "the server did not prove that it knows the password (RFC 5802 section 3)");
  }

 private:
  enum class Stage : std::uint8_t { first, final, over };

  Result<std::string> on_first(std::string_view message);
  Result<std::string> on_final(std::string_view message);

  bool is_bound_;
  Credentials credentials_;
  ClientExchangeOptions options_;
  std::string bound_;  // gs2 header and binding data
  std::string bare_;
  std::string expected_;  // "v=", as the server must send it
  Stage stage_ = Stage::first;
  bool is_proved_ = false;
};

Result<std::string> ScramClient::on_first(std::string_view message) {
  const auto attributes = parse_attributes(message);
  if (!attributes) return fail(Code::invalid, "the server's first SCRAM message is malformed");
  const auto nonce = attribute(*attributes, 0, 'r');
  const auto salt_text = attribute(*attributes, 1, 's');
  const auto count = attribute(*attributes, 2, 'i');
  if (!nonce || !salt_text || !count)
    return fail(Code::invalid, "the server's first SCRAM message is malformed");
  if (!is_nonce(*nonce) || !nonce->starts_with(options_.nonce) ||
      nonce->size() == options_.nonce.size())
    return fail(Code::denied, "the server's nonce does not continue ours (RFC 5802 section 5.1)");
  auto salt = text::from_base64(*salt_text);
  const auto iterations = text::to_number<std::uint32_t>(*count);
  if (!salt || salt->empty() || salt->size() > salt_bytes_max || !iterations)
    return fail(Code::invalid, "the server's first SCRAM message is malformed");
  if (*iterations < crypto::scram_iterations_min || *iterations > crypto::scram_iterations_max)
    return fail(Code::denied,
                fmt::format("the server wants {} iterations; {} to {} are accepted (RFC 7677 "
                            "section 4)",
                            *iterations,
                            crypto::scram_iterations_min,
                            crypto::scram_iterations_max));

  const crypto::Digest salted =
      crypto::pbkdf2_hmac_sha256(credentials_.password, *salt, *iterations);
  const std::string_view key = crypto::bytes_of(salted);
  const crypto::Digest client_key = crypto::hmac_sha256(key, "Client Key");
  const crypto::Digest server_key = crypto::hmac_sha256(key, "Server Key");
  const crypto::Digest stored_key = crypto::sha256(crypto::bytes_of(client_key));
  const std::string unproved = fmt::format("c={},r={}", text::to_base64(bound_), *nonce);
  const std::string signed_text = fmt::format("{},{},{}", bare_, message, unproved);
  const crypto::Digest proof =
      exclusive_or(client_key, crypto::hmac_sha256(crypto::bytes_of(stored_key), signed_text));
  const crypto::Digest answer = crypto::hmac_sha256(crypto::bytes_of(server_key), signed_text);
  expected_ = "v=" + text::to_base64(crypto::bytes_of(answer));
  stage_ = Stage::final;
  return fmt::format("{},p={}", unproved, text::to_base64(crypto::bytes_of(proof)));
}

Result<std::string> ScramClient::on_final(std::string_view message) {
  if (message.starts_with("e="))
    return fail(Code::denied,
                fmt::format("the server says {}", text::printable(message.substr(2), 100)));
  // Extensions may follow the signature.
  is_proved_ = crypto::constant_time_equal(message.substr(0, message.find(',')), expected_);
  TAPAL_CHECK(on_success());
  return std::string();
}

// Credentials that cannot be used; start() says so.
class Unusable : public ClientExchange::Steps {
 public:
  explicit Unusable(Error error) : error_(std::move(error)) {}
  Result<std::optional<std::string>> start() override { return std::unexpected(error_); }
  Result<std::string> on_challenge(std::string_view /*challenge*/) override {
    return std::unexpected(error_);
  }
  Result<void> on_success() const override { return std::unexpected(error_); }

 private:
  Error error_;
};

}  // namespace

ClientExchange::ClientExchange(Mechanism mechanism,
                               const Credentials& credentials,
                               ClientExchangeOptions options) {
  auto user = prepared(credentials.user);
  auto password = prepared(credentials.password);
  if (!user || !password) {
    steps_ = std::make_unique<Unusable>(
        Error{Code::invalid,
              fmt::format("the {} cannot be used: {}",
                          user ? "password" : "user name",
                          user ? password.error().what : user.error().what)});
    return;
  }
  Credentials ready{*std::move(user), *std::move(password)};
  switch (mechanism) {
    case Mechanism::plain: steps_ = std::make_unique<PlainClient>(std::move(ready)); return;
    case Mechanism::login: steps_ = std::make_unique<LoginClient>(std::move(ready)); return;
    case Mechanism::scram_sha_256:
    case Mechanism::scram_sha_256_plus: break;
  }
  assert(options.nonce.size() >= nonce_bytes_min && is_nonce(options.nonce));
  steps_ = std::make_unique<ScramClient>(mechanism, std::move(ready), std::move(options));
}
ClientExchange::ClientExchange(ClientExchange&&) noexcept = default;
ClientExchange& ClientExchange::operator=(ClientExchange&&) noexcept = default;
ClientExchange::~ClientExchange() = default;

Result<std::optional<std::string>> ClientExchange::start() { return steps_->start(); }

Result<std::string> ClientExchange::on_challenge(std::string_view challenge) {
  return steps_->on_challenge(challenge);
}

Result<void> ClientExchange::on_success() const { return steps_->on_success(); }

}  // namespace tapal::sasl
