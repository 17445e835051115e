// One courier and the world around it, for tests.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ports/test_fakes.h"
#include "ports/test_loop.h"
#include "services/delivery/courier.h"
#include "services/delivery/test_peer.h"

namespace tapal::delivery {

struct CourierTestWorld {
  VirtualLoop loop;
  PeerNetwork network{loop};
  TableOfNames names;
  SeededRandom random;
  RecordingLog log;
  NoTls tls;
  Options options{.port = 25, .messages_per_connection_max = 100};
  smtp::ClientTimeouts timeouts;
  OwnNames own{"mx.own.example", {}};
  std::optional<SourceTable> sources_;
  std::optional<Courier> courier_;

  Courier& courier() {
    if (courier_) return *courier_;
    sources_.emplace(options);
    return courier_.emplace(
        CourierWorld{loop, network, names, random, log, tls, options, timeouts, own, *sources_});
  }
  // A domain whose mail goes to these addresses, in this order; each has a peer.
  void domain(const std::string& name, const std::vector<std::string>& addresses) {
    std::uint16_t preference = 0;
    for (const auto& address : addresses) {
      const auto host = "mx" + std::to_string(++preference) + "." + name;
      names.mx(name, preference, host);
      names.address(host, address);
      network.at(address + ":25");
    }
  }
  void stop() {
    courier().stop();
    loop.wait(courier().join());
  }
};

inline const std::string test_message = "From: a@own.example\r\nSubject: x\r\n\r\nhello\r\n";

inline Attempt attempt_to(const std::vector<std::string>& recipients,
                          const std::string& body = test_message) {
  Attempt attempt{.id = QueueId{1}, .body = std::make_shared<MemoryBody>(body)};
  attempt.envelope.return_path = mail::Address{"a", "own.example"};
  for (const auto& text : recipients) {
    attempt.indexes.push_back(static_cast<std::uint32_t>(10 + attempt.indexes.size()));
    attempt.envelope.recipients.push_back({.address = mail::parse_address(text).value()});
  }
  attempt.destination = attempt.envelope.recipients.front().address.domain;
  attempt.site = attempt.peers = attempt.destination;
  return attempt;
}

// "10 delivered 2.0.0; 11 failed 5.1.1", by index.
inline std::string text_of(const AttemptReport& report) {
  std::map<std::uint32_t, std::string> by_index;
  for (const auto& one : report.recipients) {
    auto& text = by_index[one.recipient];
    if (!text.empty()) text += " AND ";
    using Result = queue::Attempted::Result;
    text += one.result == Result::delivered ? "delivered "
            : one.result == Result::failed  ? "failed "
                                            : "deferred ";
    text += one.outcome.status;
  }
  std::string all;
  for (const auto& [index, text] : by_index)
    all += (all.empty() ? "" : "; ") + std::to_string(index) + " " + text;
  return all;
}

}  // namespace tapal::delivery
