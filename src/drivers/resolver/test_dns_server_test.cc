#include "drivers/resolver/test_dns_server.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "values/dns/zone_text.h"

namespace tapal {
namespace {

sockaddr_in to_socket_address(const Endpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  std::memcpy(&address.sin_addr, &endpoint.address.bytes[12], 4);
  return address;
}

Descriptor open_socket(int type) { return Descriptor(::socket(AF_INET, type | SOCK_CLOEXEC, 0)); }

bool bind_to(const Descriptor& socket, const Endpoint& endpoint) {
  const sockaddr_in address = to_socket_address(endpoint);
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

std::uint16_t port_of(const Descriptor& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

bool is_readable_within(int descriptor, int milliseconds) {
  pollfd wanted{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&wanted, 1, milliseconds) == 1;
}

bool read_all(int descriptor, char* into, std::size_t size) {
  while (size > 0) {
    if (!is_readable_within(descriptor, 2000)) return false;
    const ssize_t got = ::read(descriptor, into, size);
    if (got <= 0) return false;
    into += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

std::optional<SocketPair> listen_on(Endpoint endpoint) {
  for (int attempt = 0; attempt < 50; ++attempt) {
    SocketPair pair{open_socket(SOCK_DGRAM), open_socket(SOCK_STREAM), endpoint};
    const int yes = 1;
    ::setsockopt(pair.tcp.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (!bind_to(pair.udp, pair.endpoint)) continue;
    pair.endpoint.port = port_of(pair.udp);
    if (bind_to(pair.tcp, pair.endpoint) && ::listen(pair.tcp.get(), 64) == 0) return pair;
  }
  return {};
}

TestDnsServer::TestDnsServer(std::vector<dns::Zone> zones, Endpoint at)
    : zones_(std::move(zones)),
      sockets_(listen_on(at).value()),
      stop_(::eventfd(0, EFD_CLOEXEC)),
      thread_([this] { run(); }) {}

TestDnsServer::~TestDnsServer() {
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

std::size_t TestDnsServer::times_asked(std::string_view name, dns::Type type) const {
  const std::lock_guard lock(mutex_);
  const auto found = asked_.find({std::string(name), type});
  return found == asked_.end() ? 0 : found->second;
}

std::optional<std::string> TestDnsServer::reply_to(std::string_view query,
                                                   dns::Transport transport) {
  const auto message = dns::parse_message(query);
  if (message && message->questions.size() == 1) {
    const std::lock_guard lock(mutex_);
    ++asked_[{message->questions[0].name, message->questions[0].type}];
  }
  if (is_silent_) return {};
  return dns::answer_bytes(zones_, query, transport);
}

void TestDnsServer::serve_tcp() {
  const Descriptor peer(::accept4(sockets_.tcp.get(), nullptr, nullptr, SOCK_CLOEXEC));
  std::array<char, 2> size{};
  while (read_all(peer.get(), size.data(), size.size())) {
    std::string query(static_cast<std::size_t>(static_cast<unsigned char>(size[0]) << 8 |
                                               static_cast<unsigned char>(size[1])),
                      '\0');
    if (!read_all(peer.get(), query.data(), query.size())) return;
    ++over_tcp_;
    const auto reply = reply_to(query, dns::Transport::tcp);
    if (!reply) return;
    std::string bytes{static_cast<char>(reply->size() >> 8), static_cast<char>(reply->size())};
    bytes += *reply;
    if (::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) return;
  }
}

void TestDnsServer::run() {
  std::array<pollfd, 3> wanted{
      {{stop_.get(), POLLIN, 0}, {sockets_.udp.get(), POLLIN, 0}, {sockets_.tcp.get(), POLLIN, 0}}};
  std::array<char, 4096> buffer{};
  for (;;) {
    ::poll(wanted.data(), wanted.size(), -1);
    if (wanted[0].revents != 0) return;
    if (wanted[2].revents != 0) serve_tcp();
    if (wanted[1].revents == 0) continue;
    sockaddr_storage peer{};
    socklen_t peer_bytes = sizeof peer;
    auto* address = reinterpret_cast<sockaddr*>(&peer);
    const ssize_t size =
        ::recvfrom(sockets_.udp.get(), buffer.data(), buffer.size(), 0, address, &peer_bytes);
    if (size <= 0) continue;
    const auto reply =
        reply_to({buffer.data(), static_cast<std::size_t>(size)}, dns::Transport::udp);
    if (reply) ::sendto(sockets_.udp.get(), reply->data(), reply->size(), 0, address, peer_bytes);
  }
}

std::optional<std::string> TestKnot::program() {
  const char* path = std::getenv("PATH");
  const std::string folders =
      fmt::format("{}/build/peers/knot/usr/sbin:{}:/usr/sbin:/usr/local/sbin",
                  TAPAL_SOURCE_FOLDER,
                  path == nullptr ? "" : path);
  for (std::size_t begin = 0; begin < folders.size();) {
    const std::size_t end = std::min(folders.find(':', begin), folders.size());
    const std::string file = folders.substr(begin, end - begin) + "/knotd";
    if (::access(file.c_str(), X_OK) == 0) return file;
    begin = end + 1;
  }
  return {};
}

std::unique_ptr<TestKnot> TestKnot::start(const std::vector<ZoneFile>& zones) {
  std::string folder = (std::filesystem::temp_directory_path() / "tapal-knot-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return nullptr;
  std::unique_ptr<TestKnot> knot(new TestKnot);
  knot->folder_ = folder;
  knot->endpoint_ = listen_on({IpAddress::v4({127, 0, 0, 1}), 0}).value().endpoint;
  std::ofstream settings(folder + "/knot.conf");
  settings << fmt::format(
      "server:\n  rundir: {0}\n  listen: 127.0.0.1@{1}\n"
      "log:\n- target: {0}/log\n  any: info\n"
      "database:\n  storage: {0}\n"
      "policy:\n- id: one-key\n  single-type-signing: on\n"
      "template:\n- id: default\n  storage: {0}\n"
      "zone:\n",
      folder,
      knot->endpoint_.port);
  for (const ZoneFile& zone : zones) {
    std::ofstream(fmt::format("{}/{}.zone", folder, zone.name)) << zone.text;
    settings << fmt::format("- domain: {}\n", zone.name);
    if (zone.is_signed) settings << "  dnssec-signing: on\n  dnssec-policy: one-key\n";
  }
  settings.close();

  const std::string file = program().value();
  const std::string option = folder + "/knot.conf";
  const pid_t tests = ::getpid();
  knot->process_ = ::fork();
  if (knot->process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != tests) ::_exit(1);
    const int nowhere = ::open("/dev/null", O_RDWR);
    ::dup2(nowhere, STDOUT_FILENO);
    ::dup2(nowhere, STDERR_FILENO);
    ::execl(file.c_str(), "knotd", "-c", option.c_str(), nullptr);
    ::_exit(1);
  }
  knot->process_end_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, knot->process_, 0)));
  // Each turn waits a little for the process to die, which is the other way for this to end.
  for (int attempt = 0; attempt < 500 && !knot->ends_within(20); ++attempt) {
    if (knot->is_ready(zones)) return knot;
  }
  return nullptr;
}

TestKnot::~TestKnot() {
  if (process_ > 0) {
    ::kill(process_, SIGTERM);
    if (!ends_within(10'000)) ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

bool TestKnot::ends_within(int milliseconds) const {
  return is_readable_within(process_end_.get(), milliseconds);
}

bool TestKnot::is_ready(const std::vector<ZoneFile>& zones) const {
  for (const ZoneFile& zone : zones) {
    if (ask(zone.name, zone.is_signed ? dns::Type::dnskey : dns::Type::soa).empty()) return false;
  }
  return true;
}

std::vector<std::string> TestKnot::keys_of(std::string_view zone) const {
  std::vector<std::string> keys;
  for (const dns::Record& key : ask(zone, dns::Type::dnskey)) keys.push_back(to_zone_text(key));
  return keys;
}

std::vector<dns::Record> TestKnot::ask(std::string_view name, dns::Type type) const {
  dns::Message query;
  query.questions = {{.name = std::string(name), .type = type}};
  const std::string bytes = dns::write_message(query).value();
  const Descriptor socket = open_socket(SOCK_DGRAM);
  const sockaddr_in address = to_socket_address(endpoint_);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return {};
  if (::send(socket.get(), bytes.data(), bytes.size(), 0) < 0) return {};
  std::array<char, 4096> buffer{};
  if (!is_readable_within(socket.get(), 1000)) return {};
  const ssize_t size = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
  if (size <= 0) return {};
  auto reply = dns::parse_message({buffer.data(), static_cast<std::size_t>(size)});
  return reply ? std::move(reply->answers) : std::vector<dns::Record>();
}

}  // namespace tapal
