// For tests only: coroutines run to their end, connected pairs of streams on loopback,
// certificates.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ip_address.h"
#include "drivers/net/listener.h"
#include "drivers/net/loop.h"
#include "drivers/net/tls.h"
#include "values/crypto/certificate.h"
#include "values/crypto/key.h"

namespace tapal::net_test {

inline const Endpoint any_v4 = Endpoint::from_text("127.0.0.1:0").value();
inline const Endpoint any_v6 = Endpoint::from_text("[::1]:0").value();

// Late enough for a loaded machine; a test that gets here has failed.
inline Instant soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(60); }
inline Instant in_ms(int milliseconds) {
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
}

// Runs what `make()` gives on the loop, in this thread, and ends the loop.
template <class Make>
void run_to_end(NetLoop& loop, Make make) {
  TaskGroup group;
  static constexpr auto whole = [](NetLoop& on, Make& task) -> Task<void> {
    co_await task();
    on.stop();
  };
  loop.post([&] { group.spawn(whole(loop, make)); });
  loop.run();
  EXPECT_EQ(group.running(), 0U);
}

inline Task<void> side_by_side(Task<void> one, Task<void> other) {
  TaskGroup group;
  group.spawn(std::move(one));
  group.spawn(std::move(other));
  co_await group.join();
}

struct Pair {
  std::unique_ptr<Stream> client;
  std::unique_ptr<Stream> server;
};

inline Task<Pair> connected_pair(NetLoop& loop, Endpoint at = any_v4) {
  const auto listening = ListenSocket::tcp(at).value();
  auto client = co_await loop.connect(listening.local(), std::nullopt, soon());
  const int accepted =
      ::accept4(listening.descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  EXPECT_GE(accepted, 0);
  Pair pair{std::move(client).value(), loop.adopt(accepted).value()};
  co_return pair;
}

inline Task<std::string> read_text(Stream& from, std::size_t size) {
  std::string text(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const auto got = co_await from.read(std::span(text).subspan(have), soon());
    if (!got) break;
    have += *got;
  }
  text.resize(have);
  co_return text;
}

// Writes what it reads until the end.
inline Task<void> echo(Stream& stream) {
  std::vector<char> buffer(16'384);
  for (;;) {
    const auto count = co_await stream.read(buffer, soon());
    if (!count) break;
    if (!co_await stream.write({buffer.data(), *count}, soon())) break;
  }
  stream.close();
}

inline std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// A folder of this test's own.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "tapal-net-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file(std::string_view name) const { return (path_ / name).string(); }
  std::string write(std::string_view name, std::string_view text) const {
    std::ofstream(file(name)) << text;
    return file(name);
  }

 private:
  std::filesystem::path path_;
};

inline WallTime days_from_now(int days) {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()) +
         std::chrono::hours(24 * days);
}

// A self-signed certificate for `names`, valid from yesterday on.
inline ServedCertificate certificate_for(const std::vector<std::string>& names,
                                         int first_day = -1,
                                         int last_day = 1) {
  const auto key = crypto::PrivateKey::generate_ec_p256().value();
  const crypto::Validity validity{days_from_now(first_day), days_from_now(last_day)};
  return {{},
          crypto::make_self_signed(names, key, validity).value(),
          key.to_pem(),
          names.front() + ".pem"};
}

struct Shaken {
  Result<TlsState> client = fail(Code::internal, "not run");
  Result<TlsState> server = fail(Code::internal, "not run");
};

inline Task<Shaken> shake(Pair& pair,
                          TlsServer& server,
                          TlsClient& client,
                          TlsConnectOptions options) {
  static constexpr auto accept =
      [](Stream& stream, TlsServer& as, Result<TlsState>& state) -> Task<void> {
    state = co_await stream.accept_tls(as, soon());
    if (!state) stream.close();
  };
  static constexpr auto connect = [](Stream& stream,
                                     TlsClient& as,
                                     TlsConnectOptions how,
                                     Result<TlsState>& state) -> Task<void> {
    state = co_await stream.connect_tls(as, std::move(how), soon());
    if (!state) stream.close();
  };
  Shaken shaken;
  auto accepting = accept(*pair.server, server, shaken.server);
  auto connecting = connect(*pair.client, client, std::move(options), shaken.client);
  co_await side_by_side(std::move(accepting), std::move(connecting));
  co_return shaken;
}

}  // namespace tapal::net_test
