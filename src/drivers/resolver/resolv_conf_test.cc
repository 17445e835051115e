#include "drivers/resolver/resolv_conf.h"

#include <gtest/gtest.h>

namespace tapal {
namespace {

TEST(ResolvConf, gives_the_servers) {
  struct Case {
    std::string_view what, text;
    std::vector<std::string_view> servers;
  };
  const Case cases[] = {
      {"nothing", "", {"127.0.0.1:53"}},
      {"usual",
       "# made by x\nsearch a b\nnameserver 192.0.2.1\nnameserver 2001:db8::1\noptions edns0\n",
       {"192.0.2.1:53", "[2001:db8::1]:53"}},
      {"blanks and CR", " \tnameserver\t 192.0.2.1 \r\n", {"192.0.2.1:53"}},
      {"a comment behind", "nameserver 192.0.2.1 # first\n", {"192.0.2.1:53"}},
      {"ports",
       "nameserver 192.0.2.1:5353\nnameserver [2001:db8::1]:54\n",
       {"192.0.2.1:5353", "[2001:db8::1]:54"}},
      {"twice the same", "nameserver 192.0.2.1\nnameserver 192.0.2.1\n", {"192.0.2.1:53"}},
      {"no servers",
       "nameserver\nnameserver x\nnameserver 192.0.2.1:0\n;nameserver 192.0.2.2\n"
       "nameserver fe80::1%eth0\nxnameserver 192.0.2.3\n",
       {"127.0.0.1:53"}},
      {"the last line without an end", "nameserver 192.0.2.1", {"192.0.2.1:53"}},
  };
  for (const Case& test : cases) {
    std::vector<std::string> texts;
    for (const Endpoint& server : servers_of_resolv_conf(test.text)) texts.push_back(server.text());
    EXPECT_TRUE(std::ranges::equal(texts, test.servers))
        << test.what << ": " << testing::PrintToString(texts);
  }
}

TEST(ResolvConf, is_bounded) {
  std::string text;
  for (int i = 1; i < 100; ++i) text += "nameserver 192.0.2." + std::to_string(i) + "\n";
  EXPECT_EQ(servers_of_resolv_conf(text).size(), name_servers_max);
}

}  // namespace
}  // namespace tapal
