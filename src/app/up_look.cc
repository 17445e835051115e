// What is there before anything is changed: addresses, ports, the way out.
#include <algorithm>

#include <fmt/format.h>

#include "app/control_client.h"
#include "app/dns_option.h"
#include "app/once.h"
#include "app/settings.h"
#include "app/up.h"
#include "drivers/net/addresses.h"
#include "drivers/net/listener.h"
#include "values/text/ascii.h"

namespace tapal::app {
namespace {

constexpr std::uint16_t needed_ports[] = {25, 465, 587};
constexpr std::uint16_t web_ports[] = {80, 443};
constexpr std::chrono::seconds port_25_patience{10};
constexpr std::uint16_t smtp_port = 25;
constexpr std::string_view somebody_big = "gmail.com";

bool is_public(const IpAddress& address) {
  return !address.is_private() && !address.is_loopback() && !address.is_unspecified();
}

Result<void> find_addresses(Up& up) {
  for (const auto& text : up.options.addresses) {
    const auto address = IpAddress::from_text(text);
    if (!address) return fail(Code::invalid, fmt::format("--address {}: not an IP address", text));
    up.addresses.push_back(*address);
  }
  if (up.addresses.empty())
    std::ranges::copy_if(local_addresses(), std::back_inserter(up.addresses), &is_public);
  if (up.addresses.empty())
    return fail(Code::not_found,
                "this machine has no public address of its own: behind NAT name the one that mail "
                "leaves from, with --address");
  std::vector<std::string> texts;
  texts.reserve(up.addresses.size());
  for (const auto& address : up.addresses) texts.push_back(address.text());
  up.report.tell(Mark::fine, fmt::format("mail leaves from {}", fmt::join(texts, " and ")));
  const auto is_v4 = [](const IpAddress& address) { return address.is_v4(); };
  if (std::ranges::none_of(up.addresses, std::not_fn(is_v4)))
    up.report.tell(
        Mark::by_hand,
        "there is no public IPv6 address: mail goes out by IPv4 alone, which works. Where "
        "your hoster gives one, add it to the machine and run this again");
  if (std::ranges::none_of(up.addresses, is_v4))
    up.report.tell(Mark::trouble,
                   "there is no public IPv4 address: many servers cannot be reached without one");
  return {};
}

Result<void> look_at_ports(Up& up) {
  const auto settings = load_settings(up.common.config);
  if (settings && ask_server(settings->control_socket(), R"({"command":"status"})")) {
    up.report.tell(Mark::fine, "tapal runs here already");
    return {};
  }
  std::string taken;
  for (const auto port : needed_ports)
    if (const auto owner = port_taken_by(port); !owner.empty()) taken += "\n" + owner;
  if (!taken.empty())
    return fail(Code::try_later,
                fmt::format("ports that mail needs are not free; stop what has them and run this "
                            "again:{}",
                            taken));
  up.report.tell(Mark::fine, "ports 25, 465 and 587 are free");
  for (const auto port : web_ports)
    if (const auto owner = port_taken_by(port); !owner.empty())
      up.report.tell(
          Mark::fine,
          fmt::format(
              "port {} is not free ({}): certificates are then proved by DNS", port, owner));
  return {};
}

// The greeting of somebody's mail server.
Task<Result<std::string>> greeting_of(NetLoop& loop, Endpoint server) {
  const auto deadline = loop.now() + port_25_patience;
  TAPAL_CO_TRY(const auto stream, co_await loop.connect(server, std::nullopt, deadline));
  std::array<char, 512> buffer{};
  TAPAL_CO_TRY(const auto count, co_await stream->read(buffer, deadline));
  co_return std::string(buffer.data(), count);
}

Task<Result<std::string>> greeting_of_exchange(NetLoop& loop,
                                               Resolver& resolver,
                                               std::string domain) {
  TAPAL_CO_TRY(const auto exchanges, co_await resolver.resolve(loop, domain, dns::Type::mx));
  for (const auto& record : exchanges.records) {
    const auto host = std::get<dns::MailExchange>(record.data).exchange;
    TAPAL_CO_TRY(const auto addresses, co_await resolver.resolve(loop, host, dns::Type::a));
    for (const auto& each : addresses.records) {
      const Endpoint server{std::get<IpAddress>(each.data), smtp_port};
      const auto greeting = co_await greeting_of(loop, server);
      if (greeting) co_return fmt::format("{} says {}", host, text::printable(*greeting));
    }
  }
  co_return fail(Code::timed_out, fmt::format("no mail server of {} answers on port 25", domain));
}

// Most hosters close port 25 outwards until they are asked.
Result<void> look_outwards(Up& up) {
  const auto domain = up.forward.empty() ? std::string(somebody_big) : up.forward.front().domain;
  TAPAL_TRY(auto options, resolver_options(up.common, ""));
  TAPAL_TRY(const auto resolver, UnboundResolver::open(std::move(options)));
  const auto greeting = run_once<Result<std::string>>(
      [&](NetLoop& loop) { return greeting_of_exchange(loop, *resolver, domain); });
  if (greeting) {
    up.report.tell(Mark::fine, "port 25 is open outwards: " + *greeting);
    return {};
  }
  up.report.tell(
      Mark::trouble,
      fmt::format("port 25 is closed outwards, or DNS fails: {}\n{}\nUntil then mail can leave "
                  "through a relay: `[routes]` in tapal.toml, \"*\" = {{ host, user, "
                  "password_file }}",
                  greeting.error().what,
                  provision::steps_for(
                      hoster_of(up).port_25_steps, up.hostname, up.addresses.front().text())));
  return {};
}

}  // namespace

std::string port_taken_by(std::uint16_t port) {
  const auto socket = ListenSocket::tcp({IpAddress::v4({0, 0, 0, 0}), port});
  return socket ? std::string() : socket.error().what;
}

const provision::Hoster& hoster_of(const Up& up) {
  const auto* hoster = provision::find_hoster(up.options.hoster);
  return hoster == nullptr ? provision::other_hoster() : *hoster;
}

Result<void> up_look(Up& up) {
  TAPAL_CHECK(find_addresses(up));
  TAPAL_CHECK(look_at_ports(up));
  return look_outwards(up);
}

}  // namespace tapal::app
