// Whatever an authority answers: read by every reader, and played to an order as all its answers.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "protocols/acme/order_session.h"
#include "protocols/acme/renewal.h"
#include "values/crypto/test_keys.h"

namespace {

using namespace tapal;
using namespace tapal::acme;

void play(std::string_view input, const crypto::PrivateKey& key) {
  OrderSession session({.directory_url = "http://ca.example/",
                        .names = {"a.example", "*.a.example"},
                        .replaces = "a.b",
                        .kinds = {ChallengeKind::http_01, ChallengeKind::dns_01}},
                       key,
                       key);
  for (int steps = 0;; ++steps) {
    if (steps > 10'000) std::abort();
    const auto action = session.next_action();
    if (std::holds_alternative<OrderSession::Issued>(action) ||
        std::holds_alternative<OrderSession::Failed>(action))
      return;
    if (std::holds_alternative<OrderSession::Prepare>(action)) {
      session.on_prepared({});
    } else if (std::holds_alternative<OrderSession::Wait>(action)) {
      session.on_waited();
    } else {
      // One line of the input an answer: a digit for its status, then its body.
      const auto line = input.substr(0, input.find('\n'));
      input.remove_prefix(std::min(input.size(), line.size() + 1));
      const int status = line.starts_with('4') ? 400 : line.starts_with('5') ? 503 : 200;
      const http::Response response{status,
                                    {{"Replay-Nonce", "n"}, {"Location", "http://ca.example/1"}},
                                    std::string(line.substr(line.empty() ? 0 : 1))};
      session.on_response(response, WallTime());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto key = crypto::PrivateKey::from_pem(crypto::test_keys::ec_p256).value();
  const std::string input(reinterpret_cast<const char*>(data), size);
  static_cast<void>(read_directory(input));
  static_cast<void>(read_order(input));
  static_cast<void>(read_authorization(input));
  static_cast<void>(read_renewal_window(input));
  static_cast<void>(read_problem({400, {{"Retry-After", input}}, input}, WallTime()).text());
  static_cast<void>(is_persistent_record(input, persistent_record("a", "b", true)));
  play(input, key);
  return 0;
}
