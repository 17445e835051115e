// DNS in memory for tests: name servers that answer from records, and an account that writes them.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ports/dns_account.h"
#include "ports/test_fakes.h"
#include "ports/test_loop.h"
#include "values/dns/name.h"
#include "values/dns/zone.h"
#include "values/dns/zone_text.h"

namespace tapal::upkeep {

// A server's copy of a zone.
class ZoneCopy {
 public:
  explicit ZoneCopy(std::string_view text = {}) {
    records_ = dns::parse_zone_text(text, {.origin = "example.com"}).value();
  }
  void set(const dns::RecordSet& set) {
    std::erase_if(records_, [&set](const dns::Record& record) {
      return record.name == set.name && record.type == set.type;
    });
    for (const auto& data : set.data) records_.push_back({set.name, set.type, set.ttl, data});
  }
  dns::RecordSet get(std::string name, dns::Type type) const {
    dns::RecordSet set{std::move(name), type, std::chrono::seconds(3600), {}};
    for (const auto& record : records_) {
      if (record.name != set.name || record.type != type) continue;
      set.ttl = record.ttl;
      set.data.push_back(record.data);
    }
    return set;
  }
  const std::vector<dns::Record>& records() const { return records_; }

 private:
  std::vector<dns::Record> records_;
};

// What is framed and written is answered at once.
class ZoneStream final : public Stream {
 public:
  explicit ZoneStream(const ZoneCopy& zone) : zone_(zone) {}
  Task<Result<std::size_t>> read(std::span<char> into, Instant) override {
    if (answer_.empty()) co_return fail(Code::closed, "the connection is closed");
    const auto count = std::min(into.size(), answer_.size());
    std::ranges::copy(answer_.substr(0, count), into.begin());
    answer_.erase(0, count);
    co_return count;
  }
  Task<Result<void>> write(std::string_view bytes, Instant) override {
    const std::vector<dns::Zone> zones{dns::Zone::from_records(zone_.records()).value()};
    const auto answer =
        dns::answer_bytes(zones, bytes.substr(2), dns::Transport::tcp).value_or(std::string());
    answer_ = {static_cast<char>(answer.size() >> 8), static_cast<char>(answer.size() & 0xff)};
    answer_ += answer;
    co_return Result<void>();
  }
  Task<Result<TlsState>> accept_tls(TlsServer&, Instant) override {
    co_return fail(Code::internal, "no TLS");
  }
  Task<Result<TlsState>> connect_tls(TlsClient&, TlsConnectOptions, Instant) override {
    co_return fail(Code::internal, "no TLS");
  }
  bool is_tls() const override { return false; }
  Result<std::string> channel_binding(ChannelBinding) const override {
    return fail(Code::not_found, "none");
  }
  Endpoint local() const override { return {}; }
  Endpoint remote() const override { return {}; }
  void close() override {}

 private:
  const ZoneCopy& zone_;
  std::string answer_;
};

// example.com with two name servers; ns2 is also reachable by IPv6 alone.
class DnsWorld final : public Network, public DnsAccount {
 public:
  static constexpr std::string_view apex =
      "@ 3600 SOA ns1 hostmaster 1 3600 600 86400 300\n@ NS ns1\n@ NS ns2\n"
      "ns1 A 198.51.100.1\nns2 AAAA 2001:db8:53::2\n";

  explicit DnsWorld(const std::string& more = {})
      : first(std::string(apex) + more), second(std::string(apex) + more) {
    names.add("example.com", dns::Type::ns, dns::NameTarget{"ns1.example.com"});
    names.add("example.com", dns::Type::ns, dns::NameTarget{"ns2.example.com"});
    names.address("ns1.example.com", "198.51.100.1");
    names.address("ns2.example.com", "2001:db8:53::2");
  }

  Task<Result<std::unique_ptr<Stream>>> connect(Endpoint to,
                                                std::optional<IpAddress>,
                                                Instant) override {
    connected.insert(to);
    if (unreachable.contains(to.address)) co_return fail(Code::closed, "nobody is there");
    const bool is_first = to.address.is_v4();
    std::unique_ptr<Stream> stream = std::make_unique<ZoneStream>(is_first ? first : second);
    co_return stream;
  }

  const DnsAccountLimits& limits() const override { return account_limits; }
  Task<Result<std::string>> find_zone(Loop&, std::string name) override {
    if (!dns::is_subdomain_of(name, "example.com"))
      co_return fail(Code::not_found, "test: no zone holds " + name);
    co_return std::string("example.com");
  }
  Task<Result<dns::RecordSet>> read(Loop&, std::string, std::string name, dns::Type type) override {
    co_return first.get(std::move(name), type);
  }
  Task<Result<void>> write(Loop&, std::string, std::vector<dns::RecordSet> sets) override {
    for (const auto& set : sets) {
      if (writes_left == 0) co_return fail(Code::try_later, "test: the provider is down");
      --writes_left;
      ++written;
      first.set(set);
      if (is_in_step) second.set(set);
    }
    co_return Result<void>();
  }

  VirtualLoop loop;
  TableOfNames names;
  ZoneCopy first;   // what the account writes
  ZoneCopy second;  // follows while is_in_step
  bool is_in_step = true;
  std::set<IpAddress> unreachable;
  std::set<Endpoint> connected;
  DnsAccountLimits account_limits;
  std::size_t writes_left = SIZE_MAX;  // sets; then the provider fails
  std::size_t written = 0;
};

}  // namespace tapal::upkeep
