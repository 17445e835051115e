#include "drivers/net/listener.h"

#include <array>
#include <atomic>
#include <future>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "drivers/net/net_test_kit.h"
#include "drivers/net/owned_descriptor.h"

namespace tapal {
namespace {

using namespace net_test;

// Echoes to all who come, on one loop.
struct EchoSite {
  TaskGroup group;
  std::size_t taken = 0;

  static Task<void> serve(std::unique_ptr<Stream> stream) { co_await echo(*stream); }
  AcceptTarget on(NetLoop& loop) {
    return {&loop, [this, &loop](std::unique_ptr<Stream> stream) {
              EXPECT_TRUE(loop.on_this_thread());
              ++taken;
              group.spawn(serve(std::move(stream)));
            }};
  }
};

std::vector<AcceptTarget> to(AcceptTarget one) {
  std::vector<AcceptTarget> all;
  all.push_back(std::move(one));
  return all;
}

Task<bool> answers(NetLoop& loop, Endpoint at, std::string text) {
  auto stream = co_await loop.connect(at, std::nullopt, soon());
  if (!stream) co_return false;
  if (!co_await (*stream)->write(text, soon())) co_return false;
  co_return co_await read_text(**stream, text.size()) == text;
}

void on_thread_of(NetLoop& loop, std::move_only_function<void()> work) {
  std::promise<void> done;
  loop.post([&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

TEST(Listener, hands_connections_to_its_loops_in_turn) {
  static constexpr int clients = 200;
  static constexpr auto ask = [](NetLoop& loop, Endpoint at, int number, int& right) -> Task<void> {
    if (co_await answers(loop, at, fmt::format("client {}", number))) ++right;
  };
  const auto before = open_descriptors();
  {
    LoopPool pool(2, "io");
    std::array<EchoSite, 2> sites;
    std::vector<AcceptTarget> targets;
    for (std::size_t i = 0; i < 2; ++i) targets.push_back(sites[i].on(pool.loop(i)));
    Listener listener(pool.loop(0), ListenSocket::tcp(any_v4).value(), std::move(targets));
    pool.start();
    NetLoop own;
    int right = 0;
    run_to_end(own, [&]() -> Task<void> {
      TaskGroup group;
      for (int i = 0; i < clients; ++i) group.spawn(ask(own, listener.local(), i, right));
      co_await group.join();
    });
    EXPECT_EQ(right, clients);
    on_thread_of(pool.loop(0), [&] { listener.close(); });
    pool.stop();
    pool.join();
    EXPECT_EQ(sites[0].taken, clients / 2);
    EXPECT_EQ(sites[1].taken, clients / 2);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Listener, refuses_from_close_on_though_it_lives) {
  NetLoop loop;
  EchoSite site;
  Listener listener(loop, ListenSocket::tcp(any_v6).value(), to(site.on(loop)));
  run_to_end(loop, [&]() -> Task<void> {
    const auto at = listener.local();
    EXPECT_TRUE(co_await answers(loop, at, "hello"));
    listener.close();
    listener.close();
    const auto refused = co_await loop.connect(at, std::nullopt, soon());
    EXPECT_EQ(refused.error().what, at.text() + ": Connection refused");
    EXPECT_TRUE(ListenSocket::tcp(at).has_value()) << "the port is free again";
    EXPECT_EQ(listener.local(), at);
    co_await site.group.join();
  });
  EXPECT_EQ(site.taken, 1U);
}

// The target's loop never runs: what is posted there is dropped with it, after the accepting loop.
TEST(Listener, may_die_while_connections_are_on_their_way) {
  const auto before = open_descriptors();
  const auto held = std::make_shared<int>(0);
  {
    NetLoop target("target");
    NetLoop own("own");
    std::vector<AcceptTarget> targets;
    targets.push_back({&target, [held](std::unique_ptr<Stream>) { ADD_FAILURE() << "called"; }});
    auto listener =
        std::make_unique<Listener>(own, ListenSocket::tcp(any_v4).value(), std::move(targets));
    run_to_end(own, [&]() -> Task<void> {
      std::vector<std::unique_ptr<Stream>> clients;
      for (int i = 0; i < 3; ++i)
        clients.push_back((co_await own.connect(listener->local(), std::nullopt, soon())).value());
      const auto timer = own.make_timer();
      co_await timer->wait_until(in_ms(5));  // lets the listener accept
      listener.reset();
    });
    EXPECT_GT(held.use_count(), 1) << "nothing was on its way: the test shows nothing";
  }
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Listener, calls_a_target_behind_its_own_death_and_closes_what_nobody_takes) {
  NetLoop loop;
  int taken = 0;
  std::vector<AcceptTarget> targets;
  targets.push_back({&loop, [&](std::unique_ptr<Stream>) { ++taken; }});
  auto listener =
      std::make_unique<Listener>(loop, ListenSocket::tcp(any_v4).value(), std::move(targets));
  run_to_end(loop, [&]() -> Task<void> {
    const auto client = co_await loop.connect(listener->local(), std::nullopt, soon());
    char byte = 0;
    EXPECT_EQ((co_await (*client)->read({&byte, 1}, soon())).error().code, Code::closed);
    listener.reset();
  });
  EXPECT_EQ(taken, 1);
}

TEST(Listener, may_be_closed_by_the_one_who_takes_a_connection) {
  NetLoop loop;
  int taken = 0;
  std::unique_ptr<Listener> listener;
  std::vector<AcceptTarget> targets;
  targets.push_back({&loop, [&](std::unique_ptr<Stream>) {
                       ++taken;
                       listener.reset();
                     }});
  listener =
      std::make_unique<Listener>(loop, ListenSocket::tcp(any_v4).value(), std::move(targets));
  run_to_end(loop, [&]() -> Task<void> {
    const auto client = co_await loop.connect(listener->local(), std::nullopt, soon());
    char byte = 0;
    EXPECT_FALSE(co_await (*client)->read({&byte, 1}, soon()));
  });
  EXPECT_EQ(taken, 1);
  EXPECT_EQ(listener, nullptr);
}

TEST(Listener, survives_running_out_of_descriptors_and_tells) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  NetLoop loop;
  EchoSite site;
  std::vector<Error> troubles;
  ListenerOptions options;
  options.on_trouble = [&](const Error& error) { troubles.push_back(error); };
  Listener listener(loop, ListenSocket::tcp(any_v4).value(), to(site.on(loop)), std::move(options));
  run_to_end(loop, [&]() -> Task<void> {
    EXPECT_TRUE(co_await answers(loop, listener.local(), "before"));
    const auto client = co_await loop.connect(listener.local(), std::nullopt, soon());
    // The connection waits in the backlog; no descriptor is left but the listener's reserve, by
    // which it is dropped.
    rlimit lowered = before;
    lowered.rlim_cur = 64;
    ::setrlimit(RLIMIT_NOFILE, &lowered);
    std::vector<OwnedDescriptor> fill;
    for (int next = ::dup(0); next >= 0; next = ::dup(0)) fill.emplace_back(next);
    char byte = 0;
    const auto dropped = co_await (*client)->read({&byte, 1}, soon());
    fill.clear();
    ::setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_EQ(dropped.error().code, Code::closed);
    EXPECT_TRUE(co_await answers(loop, listener.local(), "after"));
    listener.close();
    co_await site.group.join();
  });
  ASSERT_EQ(troubles.size(), 1U);
  EXPECT_EQ(troubles[0].code, Code::full);
  EXPECT_EQ(troubles[0].what, listener.local().text() + ": Too many open files");
}

TEST(ListenSocket, names_the_process_that_has_the_port) {
  const auto first = ListenSocket::tcp(any_v4).value();
  EXPECT_EQ(first.text(), first.local().text());
  EXPECT_NE(first.local().port, 0);
  const auto second = ListenSocket::tcp(first.local());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::try_later);
  EXPECT_EQ(
      second.error().what,
      fmt::format("cannot listen on {}: Address already in use by drivers_net_tes (process {})",
                  first.text(),
                  ::getpid()));
}

TEST(ListenSocket, refuses_an_address_that_is_not_ours) {
  const auto made = ListenSocket::tcp(Endpoint::from_text("192.0.2.1:0").value());
  EXPECT_EQ(made.error().code, Code::invalid);
  EXPECT_EQ(made.error().what, "cannot listen on 192.0.2.1:0: Cannot assign requested address");
}

TEST(ListenSocket, takes_ipv6_alone) {
  const auto v6 = ListenSocket::tcp(Endpoint::from_text("[::]:0").value()).value();
  const Endpoint v4{any_v4.address, v6.local().port};
  EXPECT_TRUE(ListenSocket::tcp(v4).has_value());
}

TEST(ListenSocket, moves_its_socket_along) {
  auto first = ListenSocket::tcp(any_v4).value();
  const auto at = first.local();
  auto second = std::move(first);
  EXPECT_EQ(second.local(), at);
  second = ListenSocket::tcp(any_v4).value();
  EXPECT_NE(second.local(), at);
  EXPECT_TRUE(ListenSocket::tcp(at).has_value()) << "the one assigned over is closed";
}

TEST(UnixSocket, has_its_mode_and_goes_with_its_owner) {
  const Folder folder;
  const auto path = folder.file("door");
  for (const unsigned mode : {0600U, 0666U}) {
    const auto socket = ListenSocket::unix_domain(path, mode).value();
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_TRUE(S_ISSOCK(status.st_mode));
    EXPECT_EQ(status.st_mode & 0777U, mode);
    EXPECT_EQ(socket.text(), path);
    EXPECT_EQ(socket.local(), Endpoint());
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(UnixSocket, replaces_a_stale_file_but_not_one_that_answers) {
  const Folder folder;
  const auto path = folder.file("door");
  {
    const OwnedDescriptor stale(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(stale.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
  }
  ASSERT_TRUE(std::filesystem::is_socket(path));
  const auto live = ListenSocket::unix_domain(path, 0600);
  ASSERT_TRUE(live) << live.error().what;
  const auto second = ListenSocket::unix_domain(path, 0600);
  EXPECT_EQ(second.error().code, Code::try_later);
  EXPECT_EQ(second.error().what, "cannot listen on " + path + ": Address already in use");
  // Also when its backlog is full, and asking does not block then.
  ASSERT_EQ(::listen(live->descriptor(), 0), 0);
  EXPECT_EQ(ListenSocket::unix_domain(path, 0600).error().code, Code::try_later);
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(UnixSocket, leaves_other_files_alone_and_names_bad_paths) {
  const Folder folder;
  const auto file = folder.write("settings", "precious");
  const auto on_file = ListenSocket::unix_domain(file, 0600);
  EXPECT_EQ(on_file.error().code, Code::invalid);
  EXPECT_EQ(on_file.error().what,
            "cannot listen on " + file + ": a file that is no socket is there");
  EXPECT_EQ(std::filesystem::file_size(file), 8U);
  const auto long_path = folder.file(std::string(200, 'x'));
  EXPECT_EQ(ListenSocket::unix_domain(long_path, 0600).error().what,
            long_path + ": longer than the 107 bytes a socket's path may have");
  const auto nowhere = folder.file("missing/door");
  EXPECT_EQ(ListenSocket::unix_domain(nowhere, 0600).error().what,
            "cannot listen on " + nowhere + ": No such file or directory");
}

TEST(UnixSocket, is_served_by_a_listener) {
  const Folder folder;
  NetLoop loop;
  EchoSite site;
  Listener listener(
      loop, ListenSocket::unix_domain(folder.file("door"), 0600).value(), to(site.on(loop)));
  run_to_end(loop, [&]() -> Task<void> {
    const auto client = co_await loop.connect_unix(folder.file("door"), soon());
    EXPECT_TRUE((co_await (*client)->write("hello", soon())).has_value());
    EXPECT_EQ(co_await read_text(**client, 5), "hello");
    (*client)->close();
    listener.close();
    EXPECT_FALSE(std::filesystem::exists(folder.file("door")));
    co_await site.group.join();
  });
}

// systemd hands over blocking sockets; accepting must not hold up the loop.
TEST(ListenSocket, adopts_a_blocking_listening_socket_and_nothing_else) {
  const int blocking = ::socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(ListenSocket::adopt(blocking).error().code, Code::invalid);
  EXPECT_EQ(ListenSocket::adopt(-1).error().what, "descriptor -1 is no listening socket");
  ASSERT_EQ(::listen(blocking, 5), 0);  // an unbound one gets a port on every address
  NetLoop loop;
  EchoSite site;
  Listener listener(loop, ListenSocket::adopt(blocking).value(), to(site.on(loop)));
  const Endpoint at{any_v4.address, listener.local().port};
  run_to_end(loop, [&]() -> Task<void> {
    EXPECT_TRUE(co_await answers(loop, at, "hello"));
    listener.close();
    co_await site.group.join();
  });
}

}  // namespace
}  // namespace tapal
