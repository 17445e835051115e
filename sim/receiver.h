// A host that takes mail for one domain, alone or beside others, in all the ways receivers do:
// smtp::ServerSession behind simulated connections, with moods.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "protocols/smtp/server_session.h"
#include "sim/chronicle.h"
#include "sim/faults.h"
#include "sim/ledger.h"
#include "sim/wire.h"

namespace tapal::sim {

enum class Stage : std::uint8_t { none, greeting, sender, recipient, body, end, after_end };

// How a receiver behaves for a while. Fractions are one in so many; 0: never.
struct Mood {
  bool refuses_connections = false;
  bool busy = false;  // 421 in place of a greeting
  bool greylists = false;
  std::uint64_t defers_one_in = 0;             // recipients, 451
  std::uint64_t bounces_one_in = 0;            // recipients, 550
  std::uint64_t full_one_in = 0;               // messages, 452 after the final dot
  std::uint64_t strange_one_in = 0;            // sessions that hang or hang up at some stage
  std::size_t connections_max = 1000;          // 421 above
  std::size_t messages_per_minute_max = 1000;  // 450 above
  std::size_t recipients_max = 1000;           // 452 above, in one transaction
  smtp::ServerTls tls = smtp::ServerTls::none;
  std::uint64_t broken_tls_one_in = 0;
  Duration thinks_max = std::chrono::milliseconds(500);  // before each answer that matters
};
Mood some_mood(Dice& dice);

// What one receiver may see at most: the server's limits, as the laws have them.
struct ReceiverLaws {
  std::size_t transactions_at_once_max = 0;
  std::size_t recipients_per_transaction_max = 0;
  std::size_t messages_per_connection_max = 0;
};

class Receiver {
 public:
  struct World {
    VirtualLoop& loop;
    Chronicle& chronicle;
    Ledger& ledger;
    Fault fault = Fault::none;
  };
  Receiver(World world, std::string domain, ReceiverLaws laws, Dice dice)
      : world_(world), domain_(std::move(domain)), laws_(laws), dice_(dice) {}

  Mood mood;
  const std::string& domain() const { return domain_; }
  // One that takes everything at once.
  bool is_healthy() const;
  std::optional<Error> tls_failure();  // of the next connection
  void begin(std::unique_ptr<WireStream> stream, std::shared_ptr<Wire> wire);
  Task<void> join();  // when no connection is left

 private:
  struct Visit;
  Task<void> serve(std::unique_ptr<WireStream> stream, std::shared_ptr<Wire> wire);
  Task<void> talk(Visit& visit);
  Task<bool> perform(smtp::ServerAction action, Visit& visit);
  Task<bool> store(const mail::Envelope& envelope, Visit& visit);
  Task<bool> is_strange(Stage stage, Visit& visit);
  Task<void> think();
  std::optional<smtp::Reply> answer_sender(Visit& visit);
  std::optional<smtp::Reply> answer_recipient(const mail::Recipient& recipient, Visit& visit);
  smtp::Reply answer_message(const mail::Envelope& envelope, Visit& visit);
  void check_transactions();

  World world_;
  std::string domain_;
  ReceiverLaws laws_;
  Dice dice_;
  std::list<Visit*> visits_;
  std::map<std::string, Instant> first_seen_;  // greylisting, by recipient
  std::int64_t minute_ = 0;
  std::size_t messages_this_minute_ = 0;
  TaskGroup tasks_;
};

}  // namespace tapal::sim
