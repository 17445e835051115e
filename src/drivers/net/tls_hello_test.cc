#include "drivers/net/tls_hello.h"

#include <string>

#include <gtest/gtest.h>

namespace tapal::tls {
namespace {

using namespace std::string_literals;

const std::string acme =
    "\0\x0b\x0a"
    "acme-tls/1"s;
const std::string name =
    "\0\x09\0\0\x06"
    "a.test"s;

TEST(TlsHello, tells_the_only_protocol_and_the_name) {
  EXPECT_EQ(only_protocol(acme), "acme-tls/1");
  EXPECT_EQ(server_name(name), "a.test");
}

TEST(TlsHello, tells_nothing_of_several_protocols) {
  EXPECT_FALSE(
      only_protocol("\0\x0e\x0a"
                    "acme-tls/1"
                    "\x02"
                    "h2"s));
}

TEST(TlsHello, tells_nothing_of_broken_extensions) {
  for (std::size_t size = 0; size < acme.size(); ++size)
    EXPECT_FALSE(only_protocol(acme.substr(0, size))) << size;
  for (std::size_t size = 0; size < name.size(); ++size)
    EXPECT_FALSE(server_name(name.substr(0, size))) << size;
  EXPECT_FALSE(only_protocol(acme + "x"));
  EXPECT_FALSE(server_name(name + "x"));
  EXPECT_FALSE(only_protocol("\0\x01\0"s)) << "an empty protocol";
  EXPECT_FALSE(server_name("\0\x03\0\0\0"s)) << "an empty name";
  EXPECT_FALSE(
      server_name("\0\x04\x01\0\x01"
                  "a"s))
      << "a name of another kind";
}

}  // namespace
}  // namespace tapal::tls
