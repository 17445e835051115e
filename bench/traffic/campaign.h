// A load: so many messages over so many connections. Each connection takes the next message when
// its last one was answered (closed loop), or when the message's time has come (open loop, --rate).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/task.h"
#include "bench/traffic/latencies.h"
#include "bench/traffic/message.h"
#include "bench/traffic/sender.h"
#include "ports/loop.h"
#include "ports/stream.h"

namespace tapal::bench {

struct CampaignOptions {
  Endpoint server;
  std::size_t connections = 20;
  std::uint64_t messages = 1000;
  std::uint64_t first_id = 0;
  std::size_t message_bytes = 4096;
  std::uint64_t messages_per_connection = 0;  // 0: no end
  double rate = 0;                            // messages/s; 0: closed loop
  std::string from = "sender@source.example";
  std::string fields_in_front;     // of each message, as Message::Form has them
  std::vector<AddressPattern> to;  // at least one
  Duration retry_pause = std::chrono::milliseconds(20);  // after a 4xx or a lost connection
  Duration give_up_after = std::chrono::minutes(10);     // of the whole campaign
  SenderOptions sender;
};

struct CampaignResult {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;      // 5xx: not tried again
  std::uint64_t deferred = 0;     // 4xx answers, each followed by another try
  std::uint64_t lost = 0;         // connections that broke, and those that could not be made
  std::uint64_t connections = 0;  // that were made
  std::string first_trouble;      // the first answer or error that was not a yes
  Instant began;
  Instant ended;
  Latencies accept;  // from the stamp to the server's yes, other tries included

  std::string json() const;  // one line
};

// The one message of a campaign, but for its stamp.
Message message_of(const CampaignOptions& options);

class Campaign {
 public:
  // `on_accepted` gets the numbers of the messages that the server has said yes to.
  Campaign(Loop& loop,
           Network& network,
           CampaignOptions options,
           std::function<void(std::uint64_t)> on_accepted = {});

  Task<CampaignResult> run();

 private:
  Task<void> work();
  Task<void> deliver(Sender& sender, const Message& message, Stamp stamp);
  Task<bool> connect(Sender& sender);
  Task<void> wait_for(Instant when);
  Envelope envelope_for(std::uint64_t id) const;
  void note_trouble(const std::string& what);
  bool over() const { return loop_.now() >= give_up_at_; }

  Loop& loop_;
  Network& network_;
  CampaignOptions options_;
  std::function<void(std::uint64_t)> on_accepted_;
  CampaignResult result_;
  std::uint64_t taken_ = 0;
  Instant give_up_at_;
};

}  // namespace tapal::bench
