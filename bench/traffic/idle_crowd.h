// Many connections that say EHLO (after TLS, where asked for) and then nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "base/task.h"
#include "bench/traffic/sender.h"
#include "ports/loop.h"
#include "ports/stream.h"

namespace tapal::bench {

struct IdleOptions {
  Endpoint server;
  std::size_t connections = 1000;
  std::size_t opened_at_a_time = 50;
  Duration give_up_after = std::chrono::seconds(60);  // opening no more
  SenderOptions sender;
};

class IdleCrowd {
 public:
  IdleCrowd(Loop& loop, Network& network, IdleOptions options);

  // Ends when all are open, as many have failed, or the time is over.
  Task<void> open();
  std::size_t established() const { return held_.size(); }
  std::size_t failed() const { return failed_; }
  std::size_t dropped() const { return dropped_; }  // by the server, since established
  const std::string& first_trouble() const { return first_trouble_; }
  // Closes all; ends when nothing is under way.
  Task<void> close();

 private:
  Task<void> work();
  Task<void> hold(Sender& sender);
  void note_failure(const Error& error);

  Loop& loop_;
  Network& network_;
  IdleOptions options_;
  TaskGroup holding_;
  std::vector<std::unique_ptr<Sender>> held_;
  std::size_t begun_ = 0;
  std::size_t failed_ = 0;
  std::size_t dropped_ = 0;
  bool closing_ = false;
  std::string first_trouble_;
};

}  // namespace tapal::bench
