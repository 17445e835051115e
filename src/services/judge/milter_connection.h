// A connection to a milter: the stream around protocols/milter's session, over which one message
// after another is played.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "ports/body.h"
#include "ports/loop.h"
#include "ports/stream.h"
#include "protocols/milter/session.h"

namespace tapal::judge {

class MilterConnection {
 public:
  MilterConnection(Loop& loop, std::unique_ptr<Stream> stream, const milter::Options& options)
      : loop_(loop), stream_(std::move(stream)), session_(options, loop.now()) {}

  // One at a time; `body` must outlive the task. Errors: timed_out; internal when the milter hangs
  // up or breaks the protocol. After one the connection is of no use.
  Task<Result<milter::Outcome>> play(milter::Message message, const Body& body);
  bool may_follow(const milter::Message& message) const { return session_.may_follow(message); }

 private:
  Task<bool> perform(milter::Action action, const Body& body);  // true: the message is over
  Task<void> send(milter::Send bytes);
  Task<void> read();
  void give(const milter::WantBody& want, const Body& body);

  Loop& loop_;
  std::unique_ptr<Stream> stream_;
  milter::Session session_;
  std::optional<milter::Message> message_;  // until the milter is ready for it
  bool is_ready_ = false;
  bool is_late_ = false;
  std::vector<char> piece_;
  Result<milter::Outcome> result_;
};

}  // namespace tapal::judge
