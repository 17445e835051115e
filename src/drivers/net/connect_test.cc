#include <array>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drivers/net/net_test_kit.h"
#include "drivers/net/owned_descriptor.h"
#include "drivers/net/socket_address.h"

namespace tapal {
namespace {

using namespace net_test;

using Connected = Result<std::unique_ptr<Stream>>;

Connected connect_now(Endpoint to, std::optional<IpAddress> from, Instant deadline) {
  NetLoop loop;
  Connected result = fail(Code::internal, "not run");
  run_to_end(loop, [&]() -> Task<void> {
    result = co_await loop.connect(to, from, deadline);
    if (result) (*result)->close();
  });
  if (result) return fail(Code::internal, "connected");
  return result;
}

// A port of loopback that nobody listens on, held so that nobody takes it.
struct SilentPort {
  OwnedDescriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  Endpoint endpoint;
  SilentPort() {
    const SocketAddress address(any_v4);
    EXPECT_EQ(::bind(socket.number(), address.get(), address.size), 0);
    endpoint = local_endpoint(socket.number());
  }
};

TEST(Connect, tells_that_it_was_refused_and_by_whom) {
  const SilentPort silent;
  const auto before = open_descriptors();
  const auto refused = connect_now(silent.endpoint, std::nullopt, soon());
  EXPECT_EQ(refused.error().code, Code::closed);
  EXPECT_EQ(refused.error().what, silent.endpoint.text() + ": Connection refused");
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Connect, gives_up_at_the_deadline_when_the_backlog_is_full) {
  const SilentPort busy;
  ASSERT_EQ(::listen(busy.socket.number(), 0), 0);
  const SocketAddress address(busy.endpoint);
  std::vector<OwnedDescriptor> waiting;
  for (int i = 0; i < 8; ++i) {  // the kernel takes one more than the backlog, then drops SYNs
    waiting.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::connect(waiting.back().number(), address.get(), address.size);
  }
  const auto before = open_descriptors();
  const auto start = std::chrono::steady_clock::now();
  const auto late = connect_now(busy.endpoint, std::nullopt, in_ms(50));
  EXPECT_EQ(late.error().code, Code::timed_out);
  EXPECT_EQ(late.error().what, busy.endpoint.text() + ": no connection in time");
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(50));
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Connect, is_denied_from_an_address_that_is_not_ours) {
  const auto listening = ListenSocket::tcp(any_v4).value();
  const auto denied =
      connect_now(listening.local(), IpAddress::from_text("192.0.2.1").value(), soon());
  EXPECT_EQ(denied.error().code, Code::denied);
  EXPECT_EQ(denied.error().what,
            listening.local().text() + " from 192.0.2.1: Cannot assign requested address");
  const auto other_family =
      connect_now(listening.local(), IpAddress::from_text("::1").value(), soon());
  EXPECT_FALSE(other_family);
}

TEST(Connect, comes_from_the_address_it_was_told) {
  const auto listening = ListenSocket::tcp(any_v4).value();
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    const auto source = IpAddress::from_text("127.0.0.2").value();
    const auto stream = co_await loop.connect(listening.local(), source, soon());
    EXPECT_EQ((*stream)->local().address, source);
    EXPECT_NE((*stream)->local().port, 0);
    EXPECT_EQ((*stream)->remote(), listening.local());
  });
  const auto listening_v6 = ListenSocket::tcp(any_v6).value();
  NetLoop other;
  run_to_end(other, [&]() -> Task<void> {
    const auto stream = co_await other.connect(listening_v6.local(), any_v6.address, soon());
    EXPECT_EQ((*stream)->local().address, any_v6.address);
    EXPECT_EQ((*stream)->remote(), listening_v6.local());
  });
}

TEST(Connect, is_full_when_no_descriptor_is_left) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  Connected full = fail(Code::internal, "not run");
  {
    NetLoop loop;
    rlimit lowered = before;
    lowered.rlim_cur = 0;  // of new ones; those that are open stay
    run_to_end(loop, [&]() -> Task<void> {
      ::setrlimit(RLIMIT_NOFILE, &lowered);
      full = co_await loop.connect(any_v4, std::nullopt, soon());
      ::setrlimit(RLIMIT_NOFILE, &before);
    });
  }
  EXPECT_EQ(full.error().code, Code::full);
}

TEST(Connect, reaches_unix_sockets_or_names_the_path) {
  const Folder folder;
  const auto listening = ListenSocket::unix_domain(folder.file("door"), 0600).value();
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    const auto client = co_await loop.connect_unix(folder.file("door"), soon());
    const auto server = loop.adopt(::accept4(listening.descriptor(), nullptr, nullptr, 0));
    EXPECT_TRUE((co_await (*client)->write("hello", soon())).has_value());
    EXPECT_EQ(co_await read_text(**server, 5), "hello");
    EXPECT_EQ((*client)->remote(), Endpoint());
    EXPECT_EQ((*server)->local(), Endpoint());
    const auto missing = co_await loop.connect_unix(folder.file("gone"), soon());
    EXPECT_EQ(missing.error().code, Code::closed);
    EXPECT_EQ(missing.error().what, folder.file("gone") + ": No such file or directory");
    const auto long_path = folder.file(std::string(200, 'x'));
    const auto too_long = co_await loop.connect_unix(long_path, soon());
    EXPECT_EQ(too_long.error().code, Code::denied);
    EXPECT_EQ(too_long.error().what, long_path + ": the path is too long for a socket");
  });
}

// What came in blocking is made non-blocking: OpenSSL would otherwise hold up the whole loop.
TEST(Adopt, takes_a_blocking_socket_over) {
  std::array<int, 2> two{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, two.data()), 0);
  const OwnedDescriptor peer(two[1]);
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    const auto stream = loop.adopt(two[0]);
    const auto context = ClientContext::make({}).value();
    const auto state = co_await (*stream)->connect_tls(*context, {}, in_ms(20));
    EXPECT_EQ(state.error().code, Code::timed_out);
  });
}

TEST(Adopt, refuses_what_cannot_be_watched) {
  NetLoop loop;
  const int closed = ::dup(STDERR_FILENO);
  ::close(closed);
  const auto stream = loop.adopt(closed);
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, Code::full);
}

}  // namespace
}  // namespace tapal
