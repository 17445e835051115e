// A milter as a judge: the stream around protocols/milter's session, one connection a message.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/ip_address.h"
#include "ports/loop.h"
#include "ports/stream.h"
#include "protocols/milter/session.h"
#include "services/judge/judge.h"

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
  MilterFilter(MilterPlace place,
               milter::Options options,
               std::string host_name,
               Loop& loop,
               Network& network);
  std::string_view name() const override { return name_; }
  Task<Result<Opinion>> look_at(const Mail& mail) override;

 private:
  Task<Result<std::unique_ptr<Stream>>> connect();

  MilterPlace place_;
  std::string name_;
  milter::Options options_;
  std::string host_name_;
  Loop& loop_;
  Network& network_;
};

}  // namespace tapal::judge
