#include "drivers/resolver/unbound_context.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <unbound-event.h>
#include <unbound.h>
#include <unistd.h>

#include "drivers/resolver/resolv_conf.h"
#include "values/dns/zone_text.h"
#include "values/text/ascii.h"

namespace tapal {
namespace {

constexpr const char* root_key_file = "/usr/share/dns/root.key";  // of Debian's dns-root-data
constexpr std::size_t resolv_conf_bytes_max = 65536;
constexpr std::size_t udp_ports_max = 512;  // descriptors for outgoing questions

Result<void> check(int code, std::string_view what) {
  if (code == 0) return {};
  return fail(Code::invalid, fmt::format("{}: {}", what, ub_strerror(code)));
}

Result<void> check_readable(const std::string& file, std::string_view what) {
  if (::access(file.c_str(), R_OK) == 0) return {};
  return fail(Code::invalid, fmt::format("{} {}: {}", what, file, std::strerror(errno)));
}

Result<void> set(ub_ctx* context, const char* option, const std::string& value) {
  return check(ub_ctx_set_option(context, option, value.c_str()),
               fmt::format("libunbound's option {} {}", option, value));
}

Result<std::vector<Endpoint>> servers_for(const ResolverOptions& options) {
  if (options.mode == ResolverOptions::Mode::recursion) return std::vector<Endpoint>();
  if (options.mode == ResolverOptions::Mode::forward) {
    if (options.servers.empty()) return fail(Code::invalid, "no DNS server to forward to is named");
    return options.servers;
  }
  // Without the file the C library asks the local host, and so do we.
  std::string text(resolv_conf_bytes_max, '\0');
  std::ifstream file(options.resolv_conf_file, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return servers_of_resolv_conf(text);
}

Result<void> set_limits(ub_ctx* context, const ResolverOptions& options) {
  const std::size_t ports = std::clamp(options.queries_at_once_max, std::size_t{16}, udp_ports_max);
  const std::pair<const char*, std::string> limits[] = {
      {"outgoing-range:", std::to_string(ports)},
      {"num-queries-per-thread:", std::to_string(2 * ports)},
      {"outgoing-num-tcp:", "32"},
      {"msg-cache-size:", "16m"},
      {"rrset-cache-size:", "32m"},
      {"key-cache-size:", "4m"},
      {"neg-cache-size:", "4m"},
      {"infra-cache-max-rtt:", std::to_string(options.server_timeout.count())},
      // A server that was down is asked again soon after it is back.
      {"infra-host-ttl:", "60"},
      {"infra-keep-probing:", "yes"},
      {"trust-anchor-signaling:", "no"},
      {"val-log-level:", "2"},  // the reason of a bogus answer, for people
  };
  for (const auto& [option, value] : limits) {
    TAPAL_CHECK(set(context, option, value));
  }
  return {};
}

Result<void> set_servers(ub_ctx* context, const std::vector<Endpoint>& servers) {
  for (const Endpoint& server : servers) {
    const std::string text = fmt::format("{}@{}", server.address.text(), server.port);
    TAPAL_CHECK(check(ub_ctx_set_fwd(context, text.c_str()), server.text()));
  }
  const auto is_loopback = [](const Endpoint& server) { return server.address.is_loopback(); };
  if (std::ranges::any_of(servers, is_loopback)) {
    TAPAL_CHECK(set(context, "do-not-query-localhost:", "no"));
  }
  // The servers we are told to use know the private networks' names, which nobody signs.
  TAPAL_CHECK(set(context, "unblock-lan-zones:", "yes"));
  return set(context, "insecure-lan-zones:", "yes");
}

// One DS or DNSKEY record, in the plain form that libunbound reads.
Result<std::string> trust_anchor_line(const std::string& text) {
  const auto records = dns::parse_zone_text(text);
  if (!records) return fail(Code::invalid, "trust anchor: " + records.error().what);
  if (records->size() != 1 ||
      (records->front().type != dns::Type::ds && records->front().type != dns::Type::dnskey))
    return fail(
        Code::invalid,
        fmt::format("trust anchor: \"{}\" is not one DS or DNSKEY record", text::printable(text)));
  return dns::to_zone_text(records->front());
}

// True when there is one.
Result<bool> set_trust_anchors(ub_ctx* context, const ResolverOptions& options) {
  std::string file = options.trust_anchor_file.value_or(root_key_file);
  if (!options.trust_anchor_file && ::access(file.c_str(), R_OK) != 0) file.clear();
  if (!file.empty()) {
    TAPAL_CHECK(check_readable(file, "trust anchor file"));
    TAPAL_CHECK(check(ub_ctx_add_ta_file(context, file.c_str()), file));
  }
  for (const std::string& anchor : options.trust_anchors) {
    TAPAL_TRY(const std::string line, trust_anchor_line(anchor));
    TAPAL_CHECK(check(ub_ctx_add_ta(context, line.c_str()), line));
  }
  return !file.empty() || !options.trust_anchors.empty();
}

}  // namespace

void UnboundContextDelete::operator()(ub_ctx* context) const { ub_ctx_delete(context); }

Result<UnboundSetup> open_unbound(const ResolverOptions& options, ub_event_base* base) {
  UnboundSetup setup;
  TAPAL_TRY(setup.servers, servers_for(options));
  setup.context.reset(ub_ctx_create_ub_event(base));
  ub_ctx* context = setup.context.get();
  if (context == nullptr) return fail(Code::internal, "libunbound does not start");
  ub_ctx_debugout(context, nullptr);  // it would write to standard error
  TAPAL_CHECK(set_limits(context, options));
  if (!setup.servers.empty()) {
    TAPAL_CHECK(set_servers(context, setup.servers));
  } else if (!options.root_hints_file.empty()) {
    TAPAL_CHECK(check_readable(options.root_hints_file, "root hints file"));
    TAPAL_CHECK(set(context, "root-hints:", options.root_hints_file));
    TAPAL_CHECK(set(context, "do-not-query-localhost:", "no"));  // a root of one's own may be here
  }
  TAPAL_TRY(setup.validates, set_trust_anchors(context, options));
  // Finalises the context, so that a faulty file shows now, and no option may follow. libunbound
  // answers for "test" itself; the servers we are told to use may serve it.
  const char* removed = setup.servers.empty() ? "." : "test.";
  TAPAL_CHECK(
      check(ub_ctx_zone_remove(context, removed), "libunbound refuses its options or files"));
  return setup;
}

}  // namespace tapal
