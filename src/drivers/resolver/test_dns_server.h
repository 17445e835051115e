// DNS servers for tests, on free loopback ports: one in this process that serves small zones,
// counts what it is asked and can be silent; and knotd with automatic signing.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/ip_address.h"
#include "values/dns/message.h"
#include "values/dns/zone.h"

namespace tapal {

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();
  int get() const { return number_; }

 private:
  int number_;
};

// A UDP and a TCP socket on the same address and port, listening.
struct SocketPair {
  Descriptor udp;
  Descriptor tcp;
  Endpoint endpoint;
};
// Port 0: any that is free for both. Nothing when it cannot be had.
std::optional<SocketPair> listen_on(Endpoint endpoint);

class TestDnsServer {
 public:
  explicit TestDnsServer(std::vector<dns::Zone> zones,
                         Endpoint at = {IpAddress::v4({127, 0, 0, 1}), 0});
  ~TestDnsServer();

  const Endpoint& endpoint() const { return sockets_.endpoint; }
  std::size_t times_asked(std::string_view name, dns::Type type) const;
  std::size_t times_asked_over_tcp() const { return over_tcp_; }
  // What it does with questions, which it counts all the same.
  void set_silent(bool is_silent) { is_silent_ = is_silent; }

 private:
  void run();
  std::optional<std::string> reply_to(std::string_view query, dns::Transport transport);
  void serve_tcp();

  std::vector<dns::Zone> zones_;
  SocketPair sockets_;
  Descriptor stop_;
  std::atomic<bool> is_silent_ = false;
  std::atomic<std::size_t> over_tcp_ = 0;
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, dns::Type>, std::size_t> asked_;
  std::thread thread_;
};

// knotd in a folder of its own.
class TestKnot {
 public:
  struct ZoneFile {
    std::string name;
    std::string text;  // relative to the name
    bool is_signed = false;
  };
  // Nothing when the program is not there.
  static std::optional<std::string> program();
  // Comes back when every zone is served, and signed if it is to be; nothing when that does not
  // happen.
  static std::unique_ptr<TestKnot> start(const std::vector<ZoneFile>& zones);
  ~TestKnot();

  const Endpoint& endpoint() const { return endpoint_; }
  // The zone's DNSKEY records as zone text.
  std::vector<std::string> keys_of(std::string_view zone) const;

 private:
  TestKnot() = default;
  bool is_ready(const std::vector<ZoneFile>& zones) const;
  bool ends_within(int milliseconds) const;
  std::vector<dns::Record> ask(std::string_view name, dns::Type type) const;

  std::string folder_;
  Endpoint endpoint_;
  int process_ = -1;
  Descriptor process_end_;
};

}  // namespace tapal
