#include "values/crypto/sha1.h"

#include <gtest/gtest.h>

#include "values/text/hex.h"

namespace tapal::crypto {
namespace {

TEST(Sha1, gives_the_digests_of_the_rfc) {  // RFC 3174 section 7.3
  EXPECT_EQ(text::to_hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(text::to_hex(sha1(std::string(1'000'000, 'a'))),
            "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

}  // namespace
}  // namespace tapal::crypto
