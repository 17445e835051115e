// The Resolver by libunbound: recursion or forwarding, DNSSEC validation, one thread of its own, a
// bounded cache of answers in front. The same question asked by many is one question to the
// network.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "ports/resolver.h"

namespace tapal {

struct ResolverOptions {
  enum class Mode : std::uint8_t {
    system,     // forward to the servers of `resolv_conf_file`
    forward,    // forward to `servers`
    recursion,  // ask the authorities, from the root down
  };

  Mode mode = Mode::system;
  std::vector<Endpoint> servers;
  std::string resolv_conf_file = "/etc/resolv.conf";
  std::string root_hints_file;  // a master file; empty: those that libunbound knows
  // DS or DNSKEY records of the root in a master file. Not set: /usr/share/dns/root.key if it
  // exists; empty: none, and without `trust_anchors` nothing is validated.
  std::optional<std::string> trust_anchor_file;
  std::vector<std::string>
      trust_anchors;  // more of them, one DS or DNSKEY record as zone text each

  std::chrono::milliseconds question_timeout{20'000};  // then Code::try_later
  std::chrono::milliseconds server_timeout{5'000};     // the longest wait for one server's reply

  std::size_t names_max = 100'000;             // answers kept; the least recently used goes
  std::size_t cache_bytes_max = 64UL << 20;    // of the answers kept, about
  std::chrono::seconds answer_ttl_max{3'600};  // an answer is kept for its TTL and at most this
  std::chrono::seconds negative_ttl_max{60};   // "no such name" and "no such records"
  std::chrono::seconds failure_ttl{5};         // servers that failed, forged answers
  std::size_t queries_at_once_max = 256;       // questions with libunbound; further ones queue
  std::size_t queries_waiting_max = 100'000;   // further ones are answered with Code::try_later
};

struct ResolverCounts {
  std::uint64_t asked = 0;      // calls of resolve()
  std::uint64_t cached = 0;     // answered from the cache
  std::uint64_t joined = 0;     // joined the same question already under way
  std::uint64_t questions = 0;  // handed to libunbound
  std::uint64_t failed = 0;     // of these: failed, forged or timed out
};

class UnboundResolver final : public Resolver {
 public:
  // Code::invalid when an option or a file is wrong, Code::internal when libunbound refuses to
  // start.
  static Result<std::unique_ptr<UnboundResolver>> open(ResolverOptions options);

  // As close(). Tasks that wait in resolve() are woken by their loops, which must still live.
  ~UnboundResolver() override;
  UnboundResolver(const UnboundResolver&) = delete;
  UnboundResolver& operator=(const UnboundResolver&) = delete;

  // Safe from any loop; call it on the thread of `loop`. `name` is any presentation form, IDNs as
  // A-labels. An awaited task must be left to end: close() makes it.
  Task<Result<DnsAnswer>> resolve(Loop& loop, std::string name, dns::Type type) override;

  // Ends every outstanding question with Code::closed and the thread; later ones get the same.
  void close();

  ResolverCounts counts() const;
  bool validates() const;                        // there is a trust anchor
  const std::vector<Endpoint>& servers() const;  // forwarded to; empty in mode recursion

 private:
  struct Engine;
  explicit UnboundResolver(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

}  // namespace tapal
