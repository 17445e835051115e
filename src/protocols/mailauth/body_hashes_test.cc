#include "protocols/mailauth/body_hashes.h"

#include <string>

#include <gtest/gtest.h>

namespace tapal::mailauth {
namespace {

constexpr auto simple = Canonicalization::simple;
constexpr auto relaxed = Canonicalization::relaxed;

const std::string body = "Hello  there \r\n\r\nEnd\r\n\r\n";
const std::string simple_body = "Hello  there \r\n\r\nEnd\r\n";
const std::string relaxed_body = "Hello there\r\n\r\nEnd\r\n";

TEST(BodyHashes, hash_every_length_that_is_wanted_wherever_the_body_is_cut) {
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    BodyHashes hashes;
    for (std::size_t length = 0; length <= simple_body.size() + 3; ++length) {
      hashes.want(relaxed, simple_body.size() + 3 - length);
      hashes.want(simple, length);
    }
    hashes.want(relaxed, whole_body);
    hashes.update(std::string_view(body).substr(0, cut));
    hashes.update(std::string_view(body).substr(cut));
    hashes.finish();
    hashes.finish();
    for (std::size_t length = 0; length <= simple_body.size() + 3; ++length) {
      EXPECT_EQ(hashes.digest(simple, length), crypto::sha256(simple_body.substr(0, length)));
      EXPECT_EQ(hashes.digest(relaxed, length), crypto::sha256(relaxed_body.substr(0, length)))
          << length << " of " << cut;
    }
    EXPECT_EQ(hashes.digest(relaxed, whole_body), crypto::sha256(relaxed_body));
    EXPECT_EQ(hashes.total(simple), simple_body.size());
    EXPECT_EQ(hashes.total(relaxed), relaxed_body.size());
  }
}

TEST(BodyHashes, hash_an_empty_body) {
  BodyHashes hashes;
  for (const auto form : {simple, relaxed}) hashes.want(form, whole_body);
  hashes.finish();
  EXPECT_EQ(hashes.digest(simple, whole_body), crypto::sha256("\r\n"));
  EXPECT_EQ(hashes.digest(relaxed, whole_body), crypto::sha256(""));
}

}  // namespace
}  // namespace tapal::mailauth
