// Hostile messages to both sides. A server never lets in whoever does not know the password.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "protocols/sasl/client_exchange.h"
#include "protocols/sasl/server_exchange.h"

namespace {

using namespace tapal;
using namespace tapal::sasl;

constexpr std::string_view nonce = "abcdefghijklmnopqrstuvwxyz";

std::string_view take_message(std::string_view& input) {
  const std::size_t end = input.find('\xFF');
  const std::string_view message = input.substr(0, end);
  input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
  return message;
}

void fuzz_server(Mechanism mechanism, std::string_view input) {
  ServerExchangeOptions options;
  options.nonce = nonce;
  options.unknown_user_secret = "secret";
  options.bindings = {"exported", ""};
  ServerExchange exchange(mechanism, options);
  ServerStep step = exchange.start(std::string(take_message(input)));
  for (int turn = 0; turn < 6; ++turn) {
    if (std::holds_alternative<Success>(step)) std::abort();
    if (std::holds_alternative<CheckPassword>(step)) {
      step = exchange.on_password(PasswordVerdict::wrong);
    } else if (std::holds_alternative<FindScramKeys>(step)) {
      crypto::ScramKeys keys;
      keys.salt = "salt";
      keys.stored_key.fill(7);
      step = exchange.on_scram_keys(keys);
    } else {
      step = exchange.on_response(take_message(input));
    }
  }
}

void fuzz_client(Mechanism mechanism, std::string_view input) {
  ClientExchangeOptions options;
  options.nonce = nonce;
  options.bindings = {"exported", ""};
  ClientExchange exchange(mechanism, {"user", "password"}, options);
  (void)exchange.start();
  for (int turn = 0; turn < 4; ++turn) (void)exchange.on_challenge(take_message(input));
  const bool is_scram =
      mechanism == Mechanism::scram_sha_256 || mechanism == Mechanism::scram_sha_256_plus;
  if (is_scram && exchange.on_success()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto mechanism = static_cast<Mechanism>(data[0] % 4);
  const bool is_client = data[0] % 8 >= 4;
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  is_client ? fuzz_client(mechanism, input) : fuzz_server(mechanism, input);
  return 0;
}
