// Any server that takes DNS UPDATE messages (RFC 2136) signed by TSIG (RFC 8945): BIND, Knot,
// PowerDNS. Sets are read by questions to the same server, so an answer is what it serves; all sets
// of a write are one message, done whole or not at all.
#include <fmt/format.h>

#include "drivers/dnsapi/providers.h"
#include "drivers/dnsapi/web_account.h"
#include "ports/dns_exchange.h"
#include "values/crypto/hash.h"
#include "values/dns/message.h"
#include "values/dns/name.h"
#include "values/dns/tsig.h"
#include "values/dns/update.h"
#include "values/text/ascii.h"
#include "values/text/base64.h"

namespace tapal::dnsapi {
namespace {

constexpr std::uint16_t dns_port = 53;
constexpr std::chrono::seconds exchange_time_max{10};

// A server by name or address, with or without a port.
struct ServerPlace {
  std::string host;  // empty: `address` it is
  IpAddress address;
  std::uint16_t port = dns_port;
};

Result<ServerPlace> read_place(std::string_view text) {
  const auto bad = [text] {
    return fail(Code::invalid,
                fmt::format("\"{}\" is not a DNS server, as in ns1.example.com, 192.0.2.1:53 or "
                            "[2001:db8::1]:53",
                            text::printable(text, 100)));
  };
  ServerPlace place;
  if (const auto address = IpAddress::from_text(text)) {
    place.address = *address;
    return place;
  }
  if (const auto endpoint = Endpoint::from_text(text)) {
    if (endpoint->port == 0) return bad();
    place.address = endpoint->address;
    place.port = endpoint->port;
    return place;
  }
  const std::size_t colon = text.find(':');
  if (colon != text.npos) {
    const auto port = text::to_number<std::uint16_t>(text.substr(colon + 1));
    if (!port || *port == 0) return bad();
    place.port = *port;
  }
  const auto name = dns::parse_name(text.substr(0, colon));
  if (!name || name->empty()) return bad();
  place.host = *name;
  return place;
}

class UpdateAccount final : public DnsAccount {
 public:
  UpdateAccount(ServerPlace place, dns::TsigKey key, const World& world)
      : place_(std::move(place)), key_(std::move(key)), world_(world) {}

  const DnsAccountLimits& limits() const override { return limits_; }

  Task<Result<std::string>> find_zone(Loop& loop, std::string name) override {
    for (std::string_view left = name; !left.empty(); left = dns::parent_of(left)) {
      std::string candidate(left);
      const auto answer = co_await ask(loop, candidate, dns::Type::soa);
      if (!answer && answer.error().code == Code::not_found) continue;
      if (!answer) co_return std::unexpected(answer.error());
      for (const auto& record : answer->answers)
        if (record.type == dns::Type::soa && record.name == candidate) co_return candidate;
    }
    co_return wrong(Code::not_found, fmt::format("it is the primary of no zone with {}", name));
  }

  Task<Result<dns::RecordSet>> read(Loop& loop,
                                    std::string /*zone*/,
                                    std::string name,
                                    dns::Type type) override {
    TAPAL_CO_TRY(auto answer, co_await ask(loop, name, type));
    dns::RecordSet set{std::move(name), type, {}, {}};
    for (auto& record : answer.answers) {
      if (record.name != set.name || record.type != type) continue;
      set.ttl = record.ttl;
      set.data.push_back(std::move(record.data));
    }
    co_return set;
  }

  Task<Result<void>> write(Loop& loop,
                           std::string zone,
                           std::vector<dns::RecordSet> sets) override {
    if (const auto good = check_sets(limits_, zone, sets); !good)
      co_return wrong(good.error().code, good.error().what);
    std::vector<dns::RecordSet> differing;
    auto ordered = in_order(std::move(sets));
    for (auto& set : ordered) {
      const auto kept = co_await read(loop, zone, set.name, set.type);
      if (!kept) co_return std::unexpected(kept.error());
      if (!same_set(set, *kept)) differing.push_back(std::move(set));
    }
    if (differing.empty()) co_return Result<void>();
    const auto update = dns::write_update(new_id(), zone, differing);
    if (!update) co_return wrong(update.error().code, update.error().what);
    TAPAL_CO_TRY(const auto done, co_await exchange(loop, *update));
    if (done.rcode == dns::Rcode::refused)
      co_return wrong(Code::denied,
                      fmt::format("REFUSED, its log says why: may the key \"{}\" update this zone, "
                                  "and has the target of every MX in it an address?",
                                  key_.name));
    TAPAL_CO_CHECK(check_rcode(done.rcode));
    co_return Result<void>();
  }

 private:
  std::unexpected<Error> wrong(Code code, std::string_view what) const {
    const auto where =
        place_.host.empty() ? Endpoint{place_.address, place_.port}.text() : place_.host;
    return fail(code, fmt::format("DNS server {}: {}", where, what));
  }

  std::uint16_t new_id() const { return static_cast<std::uint16_t>(world_.random.number()); }

  Task<Result<dns::Message>> ask(Loop& loop, std::string name, dns::Type type) {
    dns::Message question;
    question.id = new_id();
    question.questions.push_back({std::move(name), type});
    const auto bytes = dns::write_message(question);
    if (!bytes) co_return wrong(bytes.error().code, bytes.error().what);
    TAPAL_CO_TRY(auto answer, co_await exchange(loop, *bytes));
    TAPAL_CO_CHECK(check_rcode(answer.rcode));
    co_return answer;
  }

  Task<Result<Endpoint>> server(Loop& loop) {
    if (place_.host.empty()) co_return Endpoint{place_.address, place_.port};
    std::string trouble = "it has no address";
    for (const auto type : {dns::Type::a, dns::Type::aaaa}) {
      const auto answer = co_await world_.resolver.resolve(loop, place_.host, type);
      if (!answer) trouble = answer.error().what;
      if (!answer || answer->records.empty()) continue;
      if (const auto* address = std::get_if<IpAddress>(&answer->records.front().data))
        co_return Endpoint{*address, place_.port};
    }
    co_return wrong(Code::try_later, trouble);
  }

  // Signs, sends, and checks who answers and what.
  Task<Result<dns::Message>> exchange(Loop& loop, std::string message) {
    TAPAL_CO_TRY(const auto endpoint, co_await server(loop));
    const auto request = dns::sign_tsig(std::move(message), key_, world_.clock.wall_now());
    if (!request) co_return wrong(request.error().code, request.error().what);
    const Instant deadline = loop.now() + exchange_time_max;
    const auto bytes = co_await dns_exchange(world_.network, endpoint, request->bytes, deadline);
    if (!bytes) co_return wrong(Code::try_later, bytes.error().what);
    const auto signed_by_it = dns::verify_tsig(*bytes, key_, *request, world_.clock.wall_now());
    if (!signed_by_it) co_return wrong(signed_by_it.error().code, signed_by_it.error().what);
    auto answer = dns::parse_message(*signed_by_it);
    if (!answer) co_return wrong(Code::try_later, answer.error().what);
    if (!answer->flags.response || bytes->substr(0, 2) != request->bytes.substr(0, 2))
      co_return wrong(Code::try_later, "it answers something that was not asked");
    co_return std::move(*answer);
  }

  Result<void> check_rcode(dns::Rcode rcode) const {
    switch (rcode) {
      case dns::Rcode::no_error:
      case dns::Rcode::no_such_name: return {};  // of a question; an update is never answered so
      case dns::Rcode::refused:
        return wrong(Code::not_found, "REFUSED; it has no such zone, or not for this key");
      case dns::Rcode::not_authoritative:
      case dns::Rcode::not_zone:
        return wrong(Code::not_found,
                     dns::rcode_text(rcode) + "; it is not the primary of this zone");
      case dns::Rcode::server_failure: return wrong(Code::try_later, "SERVFAIL; its log says why");
      default: return wrong(Code::invalid, dns::rcode_text(rcode));
    }
  }

  ServerPlace place_;
  dns::TsigKey key_;
  World world_;
  DnsAccountLimits limits_;
};

Result<dns::TsigKey> read_key(const AccountOptions& options) {
  dns::TsigKey key;
  TAPAL_TRY(key.name, dns::parse_name(options.given("key_name")));
  const auto secret = text::from_base64(options.given("secret"));
  if (!secret || secret->empty())
    return fail(Code::invalid, "the TSIG secret is not base64, as `tsig-keygen` prints it");
  const auto algorithm = options.given("algorithm");
  TAPAL_TRY(key.algorithm, dns::parse_name(algorithm.empty() ? "hmac-sha256" : algorithm));
  if (key.algorithm == "hmac-sha256") {
    key.mac = [secret = *secret](std::string_view bytes) {
      return std::string(crypto::bytes_of(crypto::hmac_sha256(secret, bytes)));
    };
  } else if (key.algorithm == "hmac-sha512") {
    key.mac = [secret = *secret](std::string_view bytes) {
      return crypto::hmac_sha512(secret, bytes);
    };
  } else {
    return fail(Code::invalid,
                fmt::format("the TSIG algorithm \"{}\" is not known here: hmac-sha256 and "
                            "hmac-sha512 are",
                            text::printable(key.algorithm, 60)));
  }
  return key;
}

Result<std::unique_ptr<DnsAccount>> open_rfc2136(const AccountOptions& options,
                                                 const World& world) {
  TAPAL_TRY(auto place, read_place(options.given("server")));
  TAPAL_TRY(auto key, read_key(options));
  return std::make_unique<UpdateAccount>(std::move(place), std::move(key), world);
}

}  // namespace

Provider rfc2136_provider() {
  using Kind = CredentialField::Kind;
  return {.name = "rfc2136",
          .title = "DNS UPDATE (RFC 2136)",
          .fields = {{"server",
                      "the zone's primary: a name or an address, with a port if it is not 53",
                      {"RFC2136_NAMESERVER"},
                      Kind::plain},
                     {"key_name", "the TSIG key's name", {"RFC2136_TSIG_KEY"}, Kind::plain},
                     {"secret", "the TSIG key's secret, base64", {"RFC2136_TSIG_SECRET"}},
                     {"algorithm",
                      "hmac-sha256 (when none is given) or hmac-sha512",
                      {"RFC2136_TSIG_ALGORITHM"},
                      Kind::plain,
                      false}},
          .scope =
              "an update policy that lets the key write A, AAAA, MX, TXT, CAA, SRV, TLSA and "
              "CNAME in this zone, and read it",
          .token_url = "",
          .url = "",
          .limits = {},
          .open = open_rfc2136};
}

}  // namespace tapal::dnsapi
