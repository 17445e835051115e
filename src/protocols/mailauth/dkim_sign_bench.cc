// Signatures a second. The key's own operation must dominate: compare key_ with sign_4k_.
#include <benchmark/benchmark.h>

#include "protocols/mailauth/dkim_sign.h"
#include "protocols/mailauth/dkim_verify.h"
#include "protocols/mailauth/test_zone.h"

namespace tapal::mailauth {
namespace {

constexpr WallTime now{std::chrono::seconds(1'800'000'000)};
const std::string header =
    "Received: from client by server; Fri, 11 Jul 2003 21:01:54 -0700\r\n"
    "From: Joe SixPack <joe@sender.example>\r\nTo: Suzie Q <suzie@inbox.example>\r\n"
    "Subject: Is dinner ready?\r\nDate: Fri, 11 Jul 2003 21:00:37 -0700\r\n"
    "Message-ID: <20030712040037.46341.5F8J@sender.example>\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n";

std::string body_of(std::size_t bytes) {
  std::string body;
  while (body.size() < bytes) body += "We lost the game.  Are you hungry yet? A line of text.\r\n";
  return body;
}

DkimSigner signer_of(Result<crypto::PrivateKey> key) {
  return {
      "sender.example", "s", std::make_shared<const crypto::PrivateKey>(std::move(key).value())};
}
const DkimSigner& rsa() {
  static const DkimSigner signer = signer_of(crypto::PrivateKey::generate_rsa(2048));
  return signer;
}
const DkimSigner& ed25519() {
  static const DkimSigner signer = signer_of(crypto::PrivateKey::generate_ed25519());
  return signer;
}

crypto::Digest hash(std::string_view body) {
  DkimBodyHasher hasher;
  hasher.update(body);
  return hasher.finish();
}

void run_key(benchmark::State& state, const DkimSigner& signer) {
  const crypto::Digest digest = crypto::sha256("x");
  for (auto _ : state) benchmark::DoNotOptimize(signer.key->sign(digest));
}
void run_sign(benchmark::State& state, const DkimSigner& signer) {
  const std::string body = body_of(4096);
  for (auto _ : state) {
    benchmark::DoNotOptimize(dkim_sign(signer, header, hash(body), {.now = now, .expires = {}}));
  }
  state.SetItemsProcessed(state.iterations());
}

void key_rsa_2048(benchmark::State& state) { run_key(state, rsa()); }
void key_ed25519(benchmark::State& state) { run_key(state, ed25519()); }
void sign_4k_rsa_2048(benchmark::State& state) { run_sign(state, rsa()); }
void sign_4k_ed25519(benchmark::State& state) { run_sign(state, ed25519()); }

void body_hash(benchmark::State& state) {
  const std::string body = body_of(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(hash(body));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

void verify_4k_rsa_2048(benchmark::State& state) {
  const std::string body = body_of(4096);
  const std::string message =
      *dkim_sign(rsa(), header, hash(body), {.now = now, .expires = {}}) + header;
  const auto reply = texts_reply({DkimKeyRecord::for_key(*rsa().key)->text()});
  for (auto _ : state) {
    SignedMessage signed_message(message);
    DkimVerifier verifier(signed_message);
    signed_message.on_reply(reply);
    signed_message.on_body(body);
    if (verifier.results(now).front().verdict != DkimVerdict::pass) {
      state.SkipWithError("the signature does not verify");
    }
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(key_rsa_2048);
BENCHMARK(sign_4k_rsa_2048);
BENCHMARK(key_ed25519);
BENCHMARK(sign_4k_ed25519);
BENCHMARK(verify_4k_rsa_2048);
BENCHMARK(body_hash)->Arg(4096)->Arg(1 << 20);

}  // namespace
}  // namespace tapal::mailauth
