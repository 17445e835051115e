// One made-up week with one seed: a server, those who hand it mail, those who take it, a disk, a
// network, a clock and people, none of them reliable; then calm, and the accounting.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "sim/server.h"
#include "sim/submitter.h"

namespace tapal::sim {

struct PlayOptions {
  std::uint64_t seed = 1;
  Fault fault = Fault::none;
  Trace trace = Trace::last_events;
};

struct Outcome {
  std::uint64_t seed = 0;
  std::uint64_t hash = 0;    // of all events
  std::uint64_t events = 0;  // told
  std::uint64_t steps = 0;   // pieces of work of the loop
  std::optional<Chronicle::Broken> broken;
  std::deque<std::string> last_events;  // when broken
  Ledger::Sums sums;
  std::uint64_t power_cuts = 0;
  std::uint64_t stops = 0;
};

Outcome play(const PlayOptions& options);

class World {
 public:
  explicit World(const PlayOptions& options);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Outcome run();

 private:
  using Event = void (World::*)();

  // world_events.cc: its make-up, and what happens to it
  void make_options();
  void make_receivers();
  void live_through_trouble();
  Task<void> now_and_then(Event event, Duration least, Duration most);
  Task<void> trouble_ends(Duration after);
  void submit_mail();
  void change_a_mood();
  void change_the_weather();
  void jump_the_clock();
  void give_an_order();
  void stop_cleanly();
  void cut_power_soon();
  void calm_down();

  // world.cc: its course, and the server's lives
  void start_server();
  Task<void> bring_up();
  Task<void> end_life(std::unique_ptr<Server> server, std::chrono::seconds grace);
  void cut_power();
  void after_each_step();
  bool all_is_done() const;
  void finish();
  bool lives() const { return server_ && server_->is_working() && server_->has_power(); }

  // laws.cc
  void check_limits();
  void check_memory();
  Task<void> watch_the_queue();
  void check_waiting();
  struct Wait;
  void judge(const Wait& wait, Duration waited);
  void check_the_end(const Server& server);

  PlayOptions options_;
  Dice dice_;
  VirtualLoop loop_;
  WallClock clock_{loop_};
  Chronicle chronicle_;
  Ledger ledger_{chronicle_};
  Witness witness_{chronicle_};
  Disk disk_;
  std::uint64_t disk_seen_ = 0;  // its generation when the server started last
  NetworkWeather network_;
  ServerOptions server_options_;
  ServerOptions lawful_;  // what the laws hold the server to
  std::uint64_t dns_fails_one_in_ = 0;
  std::uint64_t mailbox_fails_one_in_ = 0;
  std::map<std::string, std::unique_ptr<Receiver>> receivers_;
  std::unique_ptr<Server> server_;  // null while it is down or stops
  Server* powered_ = nullptr;       // also while it stops
  std::unique_ptr<Submitter> submitter_;
  TaskGroup tasks_;
  TaskGroup ends_of_lives_;
  bool trouble_ = true;
  bool over_ = false;
  std::uint64_t steps_ = 0;
  std::uint64_t power_goes_in_steps_ = 0;  // 0: it stays
  std::uint64_t power_cuts_ = 0;
  std::uint64_t stops_ = 0;
  std::size_t body_bytes_max_ = 0;  // of one mail
  std::uint64_t recipients_made_ = 0;
  // What waits for its turn, or for an attempt to end: since when that has been seen.
  struct Wait {
    QueueId id;
    std::string destination;
    queue::WaitFact::Reason reason = queue::WaitFact::Reason::turn;
    auto operator<=>(const Wait&) const = default;
  };
  std::map<Wait, Instant> waits_since_;
  Instant crowded_at_{};  // when a limit could last stand in the way of an attempt
};

}  // namespace tapal::sim
