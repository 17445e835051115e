// The queue in memory: which recipients of which message are tried next. Holds ids, times and
// recipient indexes only; the message itself stays in the store and is loaded when its job runs.
// Belongs to one thread, does no I/O. One pick costs O(log n).
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/queue_id.h"
#include "base/time.h"
#include "rules/queue/gate.h"
#include "rules/queue/indexed_heap.h"
#include "rules/queue/message.h"

namespace tapal::queue {

struct SchedulerLimits {
  std::size_t attempts_at_once_max = 500;
  // Of those, attempts at mail that failed before: slow and dead sites cannot take every slot from
  // new mail.
  std::size_t retries_at_once_max = 400;
  std::size_t attempts_per_site_max = 20;
  std::size_t recipients_per_transaction_max = 100;  // RFC 5321 section 4.5.3.1.8: peers take 100
  std::size_t messages_waiting_max = 1'000'000;      // full() from here on
  std::size_t recipients_waiting_max = 4'000'000;    // full() from here on
  // Older mail is not put off any more: its next attempt is its last.
  std::chrono::seconds give_up = std::chrono::days(5);
};

// New mail and mail that failed before wait in separate lines and take turns.
enum class Lane : std::uint8_t { first, retry };

// Where a recipient's mail goes. A site is the set of hosts that serve the destination, so that all
// domains of one provider share its limits. Empty: not known yet; one attempt at a time then, the
// first of which finds it out (at_site()).
struct Place {
  std::string destination;
  std::string site;
};

// One transaction to be made: some recipients of one message at one destination.
struct Job {
  QueueId id;
  std::string destination;
  std::string site;
  std::vector<std::uint32_t> recipients;  // indexes in Message::recipients, ascending
  Lane lane = Lane::first;
  Permit permit;
  bool site_known = false;
  // Which of the site's attempts at once this is, from 0: no two have the same at a time.
  std::uint32_t slot = 0;
  // Set before finished(): the slot's connection stays open, so that it is taken before others.
  bool stays_connected = false;
  std::uint32_t ticket = 0;  // the scheduler's own
};

// What a message waits for, one for each group of recipients.
struct WaitFact {
  enum class Reason : std::uint8_t {
    time,         // `due`
    held,         // someone to release it
    rule,         // the end of hold rule `rule`, at `due` when it has a time
    in_flight,    // being tried now
    site_limit,   // attempts_per_site_max is used by `occupied_by`
    total_limit,  // attempts_at_once_max (or retries_at_once_max) is used up
    gate,         // `obstacle`
    turn,         // due, and nothing in its way but the order
  };
  Reason reason = Reason::time;
  std::string destination;
  std::string site = {};                  // empty: not known yet
  std::vector<std::uint32_t> recipients;  // indexes in Message::recipients
  WallTime due{};
  std::vector<QueueId> occupied_by = {};  // site_limit: the messages in flight there
  std::uint32_t rule = 0;
  std::string note = {};   // the rule's
  Obstacle obstacle = {};  // gate
};

struct QueueCounts {
  std::size_t messages = 0;
  std::size_t waiting = 0;  // these three count recipients
  std::size_t held = 0;
  std::size_t in_flight = 0;
  std::size_t attempts = 0;  // jobs out
  std::size_t destinations = 0;
  std::size_t sites = 0;
};

struct SiteCounts {
  std::string site;
  std::size_t waiting = 0;  // groups of recipients of one message
  std::size_t held = 0;
  std::size_t attempts = 0;
  std::optional<WallTime> next_due;
};

class Scheduler {
 public:
  // The gate must outlive the scheduler; null: no limits but these.
  explicit Scheduler(SchedulerLimits limits = {}, Gate* gate = nullptr);
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // New mail is to be refused with 452 for now. Safe from any thread. Ask before accepting:
  // add() never refuses, since what was acknowledged must be delivered.
  bool full() const;

  // Files the waiting and held recipients. `places` has one for each recipient; when empty, the
  // destination is the recipient's domain, which is its site. A message that is here already is not
  // added again.
  void add(const Message& message, std::span<const Place> places = {});

  // The next job within the limits, or nothing. Priorities and lanes take turns by weight, sites
  // take turns within them, senders within a site, and of one sender the longest due comes first.
  // Whatever has something that may go is served: no limit of one holds up another.
  std::optional<Job> next(WallTime now);

  // Now the site of a job's destination is known: all that waits for the destination moves there.
  // False: the site has no room for the job, which is filed again and over; it is not finished().
  bool at_site(Job& job, const std::string& site, WallTime now);

  // Every job must be finished once. `after` is the message with the job's results applied; the
  // job's recipients that still wait are filed again by its next_attempt times. An unchanged
  // message hands the job back. False: the message was dropped meanwhile; remove it, do not keep
  // `after`.
  bool finished(const Job& job, const Message& after);

  // By hand. They return whether the message is here. What is in flight goes on: a hold then
  // takes effect when it comes back. Apply the same to the stored message (message_life.h).
  bool hold(QueueId id);
  // After its state was changed by hand: what is not in flight is filed as it stands now, which
  // ends a hold() too. Does nothing for a message that is not here.
  void refile(const Message& message, std::span<const Place> places = {});
  // Forgets the message at once, or when its last attempt in flight is finished.
  bool drop(QueueId id);
  bool is_dropped(QueueId id) const;  // dropped, but still in flight

  // The gate may let something through that it refused: ask it again.
  void reconsider(std::string_view site);
  // Where the message waits, each once.
  std::vector<std::string> sites_of(QueueId id) const;

  // When next() may have something: a time in the past means now. Nothing: not before something
  // is added, released or finished.
  std::optional<WallTime> next_due() const;

  QueueCounts counts() const;
  // The busiest first, `sites_max` at most. Walks all sites.
  std::vector<SiteCounts> sites(std::size_t sites_max) const;
  // Empty when the message is not here.
  std::vector<WaitFact> why(QueueId id, WallTime now) const;
  bool contains(QueueId id) const;
  std::vector<std::uint32_t> in_flight(QueueId id) const;  // recipients, ascending

 private:
  static constexpr std::uint32_t none = UINT32_MAX;
  static constexpr std::size_t lanes = 2;
  static constexpr std::size_t priorities = 3;
  static constexpr std::size_t rings = lanes * priorities;  // and lines of each site
  enum class PartState : std::uint8_t { waiting, held, in_flight };

  struct Entry {
    std::uint32_t first_part = none;
    std::uint32_t sender = none;
    Priority priority = Priority::normal;
    bool hold_wanted = false;  // by hand, while parts were in flight
    bool dropped = false;
  };
  struct IdHash {
    std::size_t operator()(QueueId id) const { return std::hash<std::uint64_t>()(id.value); }
  };
  using Entries = std::unordered_map<QueueId, Entry, IdHash>;
  using Filed = Entries::value_type;  // stays where it is, so that no attempt looks it up

  // Recipients of one message at one destination with one due time. Small, since a full queue has
  // a million of them.
  struct Part {
    Filed* message = nullptr;
    WallTime due{};
    std::unique_ptr<std::vector<std::uint32_t>> more_recipients;  // all of them, when not just one
    std::uint32_t first_recipient = 0;
    std::uint32_t destination = none;
    std::uint32_t next_of_message = none;
    std::uint32_t previous_of_message = none;
    PartState state = PartState::waiting;
    Lane lane = Lane::first;

    QueueId id() const { return message->first; }
    std::size_t size() const { return more_recipients ? more_recipients->size() : 1; }
    std::span<const std::uint32_t> recipients() const {
      if (more_recipients) return *more_recipients;
      return {&first_recipient, 1};
    }
  };
  struct PartKey {
    WallTime due{};
    QueueId id;  // same due time: the older message first
    auto operator<=>(const PartKey&) const = default;
  };
  // What one sender has waiting in one line: earliest due first. Its line's ring has it while
  // something is due, the timers while nothing is.
  struct Flow {
    std::uint32_t line = none;
    std::uint32_t sender = none;
    std::vector<HeapNode<PartKey>> heap;  // of part numbers
    std::uint32_t timer_position = none;
    std::uint32_t next_in_ring = none;
    std::uint32_t next_of_line = none;
    std::uint32_t previous_of_line = none;
    bool in_ring = false;

    WallTime first_due() const { return heap.front().key.due; }
  };
  // One lane and priority of a site. In its ring of lines while it has something due and its site
  // has room.
  struct Line {
    std::uint32_t first_flow = none;
    std::uint32_t ring_head = none;
    std::uint32_t ring_tail = none;
    bool in_ring = false;
  };
  struct Site {
    std::string name;
    std::array<Line, rings> line;
    std::vector<std::uint32_t> slots;       // the part in flight in each, or none
    std::vector<std::uint32_t> free_slots;  // the last is taken first
    std::size_t attempts = 0;
    std::size_t destinations = 0;
    std::size_t parts = 0;  // waiting, held and in flight
    std::size_t held = 0;
    std::uint32_t timer_position = none;
    bool known = true;
    bool shut = false;  // by the gate, until its timer or until an attempt ends
  };
  struct Destination {
    std::string name;
    std::uint32_t site = none;
    std::size_t parts = 0;
    std::size_t held = 0;
  };
  struct KnownSender {
    Sender sender;
    std::size_t messages = 0;
  };
  struct NameHash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the library's name
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>()(name);
    }
  };
  using Numbers = std::unordered_map<std::string, std::uint32_t, NameHash, std::equal_to<>>;

  // scheduler_lines.cc: sites, senders and what waits in their lines
  struct PartPlace {
    std::vector<std::uint32_t>* positions;
    std::uint32_t& operator()(std::uint32_t part) const { return (*positions)[part]; }
  };
  template <class Timed>
  struct TimerPlace {
    std::deque<Timed>* all;
    std::uint32_t& operator()(std::uint32_t number) const { return (*all)[number].timer_position; }
  };
  auto part_heap(Flow& flow) { return IndexedHeap(flow.heap, PartPlace{&heap_positions_}); }
  auto flow_timers() { return IndexedHeap(flow_timers_, TimerPlace<Flow>{&flows_}); }
  auto site_timers() { return IndexedHeap(site_timers_, TimerPlace<Site>{&sites_}); }
  Site& site_of(const Part& part) { return sites_[destinations_[part.destination].site]; }
  Line& line_at(std::uint32_t line) { return sites_[line / rings].line[line % rings]; }
  std::uint32_t line_of(const Part& part) const;
  std::uint32_t destination_number(const Place& place);
  std::uint32_t site_number(std::string_view name);
  std::uint32_t sender_number(const Message& message);
  std::uint32_t flow_number(std::uint32_t line, std::uint32_t sender);
  void free_destination_if_unused(std::uint32_t number);
  void free_site_if_unused(std::uint32_t number);
  void free_flow_if_unused(std::uint32_t number);
  void forget(Entries::iterator entry);
  enum class Count : std::uint8_t { in, out };
  void count_at_site(const Part& part, Count count);
  void file(std::uint32_t part);    // a waiting part into its flow
  void unfile(std::uint32_t part);  // and out of it
  void refile_flow(std::uint32_t flow);
  void enter_ring(std::uint32_t flow);
  void enlist(std::uint32_t line);
  void enlist_all(std::uint32_t site);
  std::vector<std::uint32_t> waiting_for(std::uint32_t destination);
  void move_destination(std::uint32_t destination, std::uint32_t site);
  void wake(WallTime now);

  std::uint32_t new_part(Part part);
  void free_part(std::uint32_t number);
  void remove_idle_parts(const Entry& entry);
  void add_all(const Message& message,
               Filed& filed,
               std::span<const Place> places,
               std::span<const std::uint32_t> in_flight);
  void add_parts(std::span<std::uint32_t> recipients,
                 const Message& message,
                 Filed& filed,
                 std::uint32_t destination);
  void set_state(Part& part, PartState state);
  std::optional<Job> next_in(std::size_t ring, WallTime now);
  std::optional<Job> next_of(std::uint32_t line, WallTime now);
  bool let_through(std::uint32_t flow, WallTime now, Job& job);
  Crossing crossing(const Site& site, std::uint32_t sender, QueueId id, WallTime now) const;
  std::expected<Permit, Obstacle> ask_gate(const Site& site,
                                           std::uint32_t sender,
                                           QueueId id,
                                           WallTime now);
  void start(std::uint32_t flow, Job& job);
  void take_slot(Site& site, Job& job);
  void leave_slot(const Job& job);
  void take_back(const Job& job);
  bool has_room(Lane lane) const;
  bool has_room(const Site& site) const;
  void count(PartState state, std::ptrdiff_t recipients);
  void publish_counts();
  WaitFact fact(const Part& part, WallTime now) const;

  SchedulerLimits limits_;
  Gate* gate_;
  std::deque<Part> parts_;  // grows without moving a million of them
  // Where each stands in its flow's heap: close together, since every step through a heap writes
  // one.
  std::vector<std::uint32_t> heap_positions_;
  std::vector<std::uint32_t> free_parts_;
  std::deque<Destination> destinations_;
  std::vector<std::uint32_t> free_destinations_;
  Numbers destination_numbers_;
  std::deque<Site> sites_;
  std::vector<std::uint32_t> free_sites_;
  Numbers site_numbers_;
  std::deque<Flow> flows_;
  std::vector<std::uint32_t> free_flows_;
  std::unordered_map<std::uint64_t, std::uint32_t> flow_numbers_;  // by line and sender
  std::deque<KnownSender> senders_;
  std::vector<std::uint32_t> free_senders_;
  Numbers sender_numbers_;
  Entries entries_;
  std::vector<HeapNode<WallTime>> flow_timers_;  // flows with nothing due yet, or put off
  std::vector<HeapNode<WallTime>> site_timers_;  // sites that are shut until a time
  // Lines with something due, in turn; may name lines that have nothing any more.
  std::array<std::deque<std::uint32_t>, rings> rings_;
  std::array<std::int64_t, rings> credit_{};  // whose turn it is: the greatest
  std::array<std::size_t, lanes> attempts_{};
  std::array<std::size_t, 3> recipients_{};  // by PartState
  std::atomic<std::size_t> messages_waiting_ = 0;
  std::atomic<std::size_t> recipients_waiting_ = 0;
};

}  // namespace tapal::queue
