#include "values/dns/tsig.h"

#include <gtest/gtest.h>

#include "values/dns/message.h"
#include "values/dns/test_tsig.h"

namespace tapal::dns {
namespace {

constexpr std::uint64_t now_seconds = 1'790'000'000;
constexpr WallTime now{std::chrono::seconds(now_seconds)};

// No HMAC: a number that depends on every byte will do here.
TsigKey test_key() {
  return {"key.example", "hmac-sha256", [](std::string_view bytes) {
            std::uint64_t number = 1469598103934665603ULL;
            for (const char c : bytes)
              number = (number ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
            std::string mac;
            for (int i = 0; i < 4; ++i, number *= 31)
              append_u32(mac, static_cast<std::uint32_t>(number >> 32));
            return mac;
          }};
}

std::string question() {
  Message message;
  message.id = 0x1234;
  message.questions.push_back({"example.com", Type::soa});
  return write_message(message).value();
}

std::string answer() {
  auto bytes = question();
  bytes[2] = static_cast<char>(0x84);
  return bytes;
}

struct Signed {
  TsigKey key = test_key();
  SignedMessage request = sign_tsig(question(), key, now).value();
  Result<std::string> verify(std::string_view bytes, WallTime when = now) const {
    return verify_tsig(bytes, key, request, when);
  }
};

TEST(SignTsig, appends_the_record_of_rfc_8945) {
  const Signed s;
  std::string wanted = question();
  wanted[11] = 1;  // one additional record
  wanted += std::string("\3key\7example\0", 13) + std::string("\0\xfa\0\xff\0\0\0\0\0\x3d", 10) +
            std::string("\x0bhmac-sha256\0", 13);
  std::string time;
  append_u16(time, 0);
  append_u32(time, static_cast<std::uint32_t>(now_seconds));
  wanted +=
      time + std::string("\x01\x2c\0\x10", 4) + s.request.mac + std::string("\x12\x34\0\0\0\0", 6);
  wanted[question().size() + 22] = static_cast<char>(wanted.size() - question().size() - 23);
  EXPECT_EQ(s.request.bytes, wanted);
  EXPECT_EQ(s.request.mac,
            s.key.mac(question() + std::string("\3key\7example\0", 13) +
                      std::string("\0\xff\0\0\0\0", 6) + std::string("\x0bhmac-sha256\0", 13) +
                      time + std::string("\x01\x2c\0\0\0\0", 6)));
}

TEST(VerifyTsig, gives_the_message_without_the_record) {
  const Signed s;
  EXPECT_EQ(
      s.verify(signed_answer(answer(), {.signed_at = now_seconds + 299}, s.key, s.request.mac))
          .value(),
      answer());
}

TEST(VerifyTsig, refuses_every_answer_with_one_bit_changed) {
  const Signed s;
  const auto good = signed_answer(answer(), {.signed_at = now_seconds}, s.key, s.request.mac);
  for (std::size_t i = 0; i < good.size() * 8; ++i) {
    auto changed = good;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << i % 8));
    const auto got = s.verify(changed);
    // The case of a name's letters, the message's own ID in front, and the record's TTL are not
    // signed.
    if (got) EXPECT_EQ(*got, answer()) << "bit " << i;
  }
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(s.verify(good.substr(0, size))) << size;
  EXPECT_FALSE(s.verify(good + "x"));
}

struct DeniedCase {
  TestTsig tsig;
  const char* what;
};

TEST(VerifyTsig, tells_why_it_does_not_believe) {
  const Signed s;
  const DeniedCase cases[] = {
      {{.signed_at = now_seconds, .error = 16, .with_mac = false},
       "it has another secret for the key \"key.example\" than this one"},
      {{.signed_at = now_seconds, .error = 17, .with_mac = false},
       "it knows no key \"key.example\" with hmac-sha256"},
      {{.signed_at = now_seconds, .error = 18, .other = std::string("\0\0\x6a\xb2\xaa\xe8", 6)},
       "the clocks differ by more than 300 s: here it is 2026-09-21T14:13:20.000Z, there "
       "2026-09-22T16:20:56.000Z"},
      {{.signed_at = now_seconds - 301},
       "the clocks differ by more than 300 s: here it is 2026-09-21T14:13:20.000Z, there "
       "2026-09-21T14:08:19.000Z"},
      {{.key_name = "other.example", .signed_at = now_seconds},
       "the signature of its answer does not hold"},
      {{.algorithm = "hmac-sha512", .signed_at = now_seconds},
       "the signature of its answer does not hold"},
      {{.signed_at = now_seconds, .with_mac = false}, "the signature of its answer does not hold"},
      {{.signed_at = now_seconds, .error = 18, .with_mac = false},
       "the signature of its answer does not hold"},
  };
  for (const auto& c : cases) {
    const auto got = s.verify(signed_answer(answer(), c.tsig, s.key, s.request.mac));
    ASSERT_FALSE(got) << c.what;
    EXPECT_EQ(got.error().code, Code::denied);
    EXPECT_EQ(got.error().what, c.what);
  }
  const auto other_request =
      s.verify(signed_answer(answer(), {.signed_at = now_seconds}, s.key, "another's"));
  EXPECT_EQ(other_request.error().what, "the signature of its answer does not hold");
  auto refused = answer();
  refused[3] = 5;
  EXPECT_EQ(s.verify(refused).error().what,
            "its answer, REFUSED, is not signed; does it know the key \"key.example\"?");
}

}  // namespace
}  // namespace tapal::dns
