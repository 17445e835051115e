#include "drivers/net/udp_server.h"

#include <array>
#include <string>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "drivers/net/net_test_kit.h"
#include "drivers/net/owned_descriptor.h"
#include "drivers/net/socket_address.h"

namespace tapal {
namespace {

using namespace net_test;

class Asker {
 public:
  explicit Asker(Endpoint server)
      : socket_(
            ::socket(server.address.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const SocketAddress address(server);
    EXPECT_EQ(::connect(socket_.number(), address.get(), address.size), 0);
  }
  Endpoint local() const { return local_endpoint(socket_.number()); }
  void send(std::string_view text) const {
    EXPECT_EQ(::send(socket_.number(), text.data(), text.size(), 0),
              static_cast<ssize_t>(text.size()));
  }
  // What is there: the server has answered when its loop came to an end.
  std::optional<std::string> receive() const {
    std::array<char, 65'536> buffer{};
    const auto count = ::recv(socket_.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count < 0) return {};
    return std::string(buffer.data(), static_cast<std::size_t>(count));
  }

 private:
  OwnedDescriptor socket_;
};

TEST(UdpServer, answers_each_datagram_to_its_sender) {
  for (const auto& at : {any_v4, any_v6}) {
    NetLoop loop;
    int questions = 0;
    std::unique_ptr<UdpServer> server;
    Endpoint last;
    const auto answer = [&](std::string_view text, Endpoint from) -> std::optional<std::string> {
      last = from;
      if (++questions == 4) server->close();
      if (text == "quiet") return {};
      return "re: " + std::string(text);
    };
    server = UdpServer::bind(loop, at, answer).value();
    EXPECT_EQ(server->local().address, at.address);
    const Asker one(server->local()), other(server->local());
    one.send("first");
    one.send("quiet");
    other.send("");
    other.send(std::string(9'000, 'x'));  // the fourth closes: it gets no answer
    loop.stop();
    loop.run();
    EXPECT_EQ(questions, 4);
    EXPECT_EQ(last, other.local());
    EXPECT_EQ(one.receive(), "re: first");
    EXPECT_EQ(one.receive(), std::nullopt);
    EXPECT_EQ(other.receive(), "re: ");
    EXPECT_EQ(other.receive(), std::nullopt);
  }
}

TEST(UdpServer, may_die_in_its_own_handler) {
  NetLoop loop;
  std::unique_ptr<UdpServer> server;
  const auto die = [&](std::string_view, Endpoint) -> std::optional<std::string> {
    server.reset();
    return "too late";
  };
  server = UdpServer::bind(loop, any_v4, die).value();
  const Asker asker(server->local());
  asker.send("one");
  asker.send("two");
  loop.stop();
  loop.run();
  EXPECT_EQ(server, nullptr);
  EXPECT_EQ(asker.receive(), std::nullopt);
}

TEST(UdpServer, tells_that_a_port_is_taken_and_leaks_nothing) {
  const auto ignore = [](std::string_view, Endpoint) -> std::optional<std::string> { return {}; };
  NetLoop loop;
  const auto first = UdpServer::bind(loop, any_v4, ignore).value();
  const auto before = open_descriptors();
  const auto second = UdpServer::bind(loop, first->local(), ignore);
  EXPECT_EQ(second.error().code, Code::try_later);
  EXPECT_EQ(second.error().what,
            "cannot listen on " + first->local().text() + " (UDP): Address already in use");
  const auto foreign = UdpServer::bind(loop, Endpoint::from_text("192.0.2.1:0").value(), ignore);
  EXPECT_EQ(foreign.error().code, Code::invalid);
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace tapal
