#include "app/certificates/swap.h"

#include <gtest/gtest.h>

#include "ports/test_fakes.h"
#include "values/crypto/certificate.h"
#include "values/text/hex.h"

namespace tapal::app {
namespace {

files::Certificate make(const std::string& folder, const std::vector<std::string>& names) {
  const auto key = crypto::PrivateKey::generate_ec_p256().value();
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const crypto::Validity validity{now - std::chrono::hours(1), now + std::chrono::hours(24)};
  return {folder, crypto::make_self_signed(names, key, validity).value(), key.to_pem(), folder, ""};
}

std::string fingerprint(const files::Certificate& certificate) {
  return text::to_hex(
      crypto::bytes_of(crypto::read_certificate(certificate.chain_pem).value().sha256));
}

struct World {
  RecordingLog log;
  std::unique_ptr<ServerContext> server = ServerContext::without_certificate();
  Fingerprints seen;

  void take_up(const std::vector<files::Certificate>& certificates) {
    std::vector<ServedCertificate> served;
    for (const auto& one : certificates)
      served.push_back({{}, one.chain_pem, one.key_pem, one.chain_file});
    ASSERT_TRUE(server->replace(served));
    log.entries.clear();
    seen = tell_certificates(certificates, seen, *server, log);
  }
};

TEST(CertificateSwap, tells_what_is_on_disk_and_what_is_served) {
  World world;
  const auto first = make("mail.example.com", {"mail.example.com"});
  const auto wildcard = make("all", {"*.example.net", "example.net"});
  world.take_up({first, wildcard});
  ASSERT_EQ(world.log.count("certificate in use"), 2U);
  EXPECT_EQ(world.log.entries[0].fields["on_disk"], fingerprint(first));
  EXPECT_EQ(world.log.entries[0].fields["served"], fingerprint(first));
  EXPECT_EQ(world.log.entries[1].fields["host"], "a.example.net");
}

TEST(CertificateSwap, tells_only_of_what_has_changed) {
  World world;
  const auto kept = make("other.example.com", {"other.example.com"});
  world.take_up({make("mail.example.com", {"mail.example.com"}), kept});
  const auto renewed = make("mail.example.com", {"mail.example.com"});
  world.take_up({renewed, kept});
  ASSERT_EQ(world.log.entries.size(), 1U);
  EXPECT_EQ(world.log.entries[0].fields["served"], fingerprint(renewed));
  world.take_up({renewed, kept});
  EXPECT_TRUE(world.log.entries.empty());
}

TEST(CertificateSwap, tells_of_a_certificate_in_the_shade_of_another) {
  World world;
  const auto old = make("mail.example.com", {"mail.example.com"});
  const auto renewed = make("mail.example.com-0001", {"mail.example.com"});
  world.take_up({old, renewed});
  ASSERT_EQ(world.log.count("another certificate is served than this one"), 1U);
  EXPECT_EQ(world.log.entries.back().level, Level::error);
  EXPECT_EQ(world.log.entries.back().fields["on_disk"], fingerprint(renewed));
  EXPECT_EQ(world.log.entries.back().fields["served"], fingerprint(old));
}

TEST(CertificateSwap, tells_when_nothing_is_served) {
  World world;
  const auto certificate = make("mail.example.com", {"mail.example.com"});
  tell_certificates({certificate}, {}, *world.server, world.log);
  EXPECT_EQ(world.log.count("a certificate cannot be served"), 1U);
}

}  // namespace
}  // namespace tapal::app
