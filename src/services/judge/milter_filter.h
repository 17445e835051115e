// A milter as a judge. A connection is kept for a while for the client's next message, and for
// others' where the milter can be told of another client.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ip_address.h"
#include "ports/loop.h"
#include "ports/stream.h"
#include "protocols/milter/session.h"
#include "services/judge/judge.h"
#include "services/judge/milter_connection.h"

namespace tapal::judge {

// Where a milter listens: "unix:/run/opendkim.sock", "127.0.0.1:8891", "[::1]:8891".
struct MilterPlace {
  std::string socket;  // the path; empty: at the endpoint
  Endpoint endpoint;

  bool operator==(const MilterPlace&) const = default;
  static std::optional<MilterPlace> from_text(std::string_view text);  // also "inet:127.0.0.1:8891"
  std::string text() const;
};

// The message as a milter is told of it. Exposed for tests.
milter::Message milter_message(const Mail& mail, const std::string& host_name);
Opinion milter_opinion(milter::Outcome outcome);

class MilterFilter final : public Judge {
 public:
  static constexpr std::size_t idle_connections_max = 8;
  static constexpr std::chrono::seconds idle_time_max{30};

  MilterFilter(MilterPlace place,
               milter::Options options,
               std::string host_name,
               Loop& loop,
               Network& network);
  std::string_view name() const override { return name_; }
  Task<Result<Opinion>> look_at(const Mail& mail) override;

 private:
  struct Idle {
    std::unique_ptr<MilterConnection> connection;
    Instant since;
  };
  Task<Result<std::unique_ptr<Stream>>> connect();
  // Null: none is fresh enough.
  std::unique_ptr<MilterConnection> take_idle(const milter::Message& message);
  void keep(std::unique_ptr<MilterConnection> connection);

  MilterPlace place_;
  std::string name_;
  milter::Options options_;
  std::string host_name_;
  Loop& loop_;
  Network& network_;
  std::vector<Idle> idle_;  // the last one used is last
};

}  // namespace tapal::judge
