#include "drivers/system/service_manager.h"

#include <array>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tapal {
namespace {

// Listens as systemd does, on a socket that has no file (NOTIFY_SOCKET begins with "@").
class Manager {
 public:
  Manager() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(sa_family_t)), 0);
    socklen_t size = sizeof address;  // the kernel chose a name: a zero byte and five more
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    const auto length = size - offsetof(sockaddr_un, sun_path);
    ::setenv("NOTIFY_SOCKET", ("@" + std::string(address.sun_path + 1, length - 1)).c_str(), 1);
  }
  ~Manager() {
    ::unsetenv("NOTIFY_SOCKET");
    ::close(socket_);
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  std::string heard() const {
    std::array<char, 4'096> buffer{};
    const auto count = ::recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
  }

 private:
  int socket_;
};

TEST(ServiceManager, hears_how_the_service_is) {
  const Manager manager;
  notify_ready("2 listeners");
  EXPECT_EQ(manager.heard(), "READY=1\nSTATUS=2 listeners");
  notify_status("busy\nREADY=0");  // stays one line
  EXPECT_EQ(manager.heard(), "STATUS=busy READY=0");
  notify_reloading();
  EXPECT_TRUE(manager.heard().starts_with("RELOADING=1\nMONOTONIC_USEC="));
  notify_watchdog();
  EXPECT_EQ(manager.heard(), "WATCHDOG=1");
  notify_stopping();
  EXPECT_EQ(manager.heard(), "STOPPING=1");
}

TEST(ServiceManager, says_how_often_it_wants_to_hear) {
  ::unsetenv("WATCHDOG_PID");
  ::unsetenv("WATCHDOG_USEC");
  EXPECT_EQ(watchdog_interval(), std::nullopt);
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_EQ(watchdog_interval(), std::chrono::seconds(15));
  ::setenv("WATCHDOG_PID", "1", 1);  // meant for another process
  EXPECT_EQ(watchdog_interval(), std::nullopt);
  ::unsetenv("WATCHDOG_PID");
  ::unsetenv("WATCHDOG_USEC");
}

TEST(ServiceManager, may_be_missing) {
  ::unsetenv("NOTIFY_SOCKET");
  notify_ready("alone");
  notify_stopping();
  EXPECT_EQ(watchdog_interval(), std::nullopt);
}

}  // namespace
}  // namespace tapal
