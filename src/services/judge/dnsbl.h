// Lists of addresses in DNS (RFC 5782): is the peer listed, and what do the lists say of it?
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ip_address.h"
#include "ports/log.h"
#include "ports/resolver.h"
#include "services/judge/judge.h"
#include "values/dns/lookup.h"

namespace tapal::judge {

// Which answers of a zone mean "listed": four octets, each of them ranges, as "127.0.0.[2..11;14]".
struct DnsblCodes {
  using Ranges = std::vector<std::pair<std::uint8_t, std::uint8_t>>;
  std::vector<Ranges> octets;  // four, or none: the usual ones

  bool operator==(const DnsblCodes&) const = default;
  // The usual ones are 127.0.0.0/8 without 127.0.0.1 and 127.255.255.0/24, by which lists say that
  // they refuse the question (RFC 5782 section 2.3; Spamhaus). Those, and what is not in 127/8
  // (a parked domain, a resolver that invents addresses), never mean "listed".
  bool match(const IpAddress& answer) const;
};

// One list to ask: "zen.spamhaus.org", "zen.spamhaus.org=127.0.0.[2..11]*2", "list.example*-1".
struct DnsblZone {
  std::string name;  // A-labels
  DnsblCodes codes;
  int weight = 1;  // -100 to 100; below zero for lists of the good

  bool operator==(const DnsblZone&) const = default;
  static std::optional<DnsblZone> from_text(std::string_view text);
  std::string text() const;
};

struct DnsblListing {
  const DnsblZone* zone = nullptr;
  IpAddress code;
  std::string explanation;  // of the list, from its TXT record; may be empty
};

// A core in the form of values/dns/lookup.h. A zone that also lists 127.0.0.1 lists everybody, as
// lists do that are given up (RFC 5782 section 5): it is not believed.
class DnsblCheck {
 public:
  static constexpr std::size_t zones_max = 20;  // more are not asked

  // `zones` must outlive it. Peers that are not on the open internet are on no list.
  DnsblCheck(const std::vector<DnsblZone>& zones, const IpAddress& peer);

  std::optional<dns::Lookup> next_lookup();
  void on_reply(const dns::LookupReply& reply);

  const std::vector<DnsblListing>& listings() const { return listings_; }
  const std::vector<std::string>& troubles() const { return troubles_; }  // for the log
  int score() const;

 private:
  enum class Step : std::uint8_t { peer, everybody, explanation };
  void on_address(const dns::LookupReply& reply);
  void next_zone();

  const std::vector<DnsblZone>& zones_;
  IpAddress peer_;
  std::size_t zone_ = 0;
  Step step_ = Step::peer;
  IpAddress code_;
  std::vector<DnsblListing> listings_;
  std::vector<std::string> troubles_;
};

// Refuses a peer when the weights of the zones that list it come to `threshold`.
class DnsblJudge final : public Judge {
 public:
  struct World {
    Loop& loop;
    Resolver& resolver;
    Log& log;
  };
  DnsblJudge(std::vector<DnsblZone> zones, int threshold, World world)
      : zones_(std::move(zones)), threshold_(threshold), world_(world) {}
  std::string_view name() const override { return "dnsbl"; }
  Task<Result<Opinion>> look_at(const Mail& mail) override;

 private:
  std::vector<DnsblZone> zones_;
  int threshold_ = 1;
  World world_;
};

}  // namespace tapal::judge
