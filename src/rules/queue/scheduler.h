// The queue in memory: which recipients of which message are tried next. Holds ids, times and
// recipient indexes only; the message itself stays in the store and is loaded when its job runs.
// Belongs to one thread, does no I/O. One pick costs O(log n).
#pragma once

#include <array>
#include <atomic>
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
#include "rules/queue/indexed_heap.h"
#include "rules/queue/message.h"

namespace tapal::queue {

struct SchedulerLimits {
  std::size_t attempts_at_once_max = 500;
  // Of those, attempts at mail that failed before: slow and dead destinations cannot take every
  // slot from new mail.
  std::size_t retries_at_once_max = 400;
  std::size_t attempts_per_destination_max = 20;
  std::size_t recipients_per_transaction_max = 100;  // RFC 5321 section 4.5.3.1.8: peers take 100
  std::size_t messages_waiting_max = 1'000'000;      // full() from here on
  std::size_t recipients_waiting_max = 4'000'000;    // full() from here on
};

// New mail and mail that failed before wait in separate lines and take turns.
enum class Lane : std::uint8_t { first, retry };

// One transaction to be made: some recipients of one message at one destination.
struct Job {
  QueueId id;
  std::string destination;
  std::vector<std::uint32_t> recipients;  // indexes in Message::recipients, ascending
  Lane lane = Lane::first;
  std::uint32_t ticket = 0;  // the scheduler's own
};

// What a message waits for, one for each group of recipients.
struct WaitFact {
  enum class Reason : std::uint8_t {
    time,               // `due`
    held,               // someone to release it
    rule,               // the end of hold rule `rule`, at `due` when it has a time
    in_flight,          // being tried now
    destination_limit,  // attempts_per_destination_max is used by `occupied_by`
    total_limit,        // attempts_at_once_max (or retries_at_once_max) is used up
    turn,               // due, and nothing in its way but the order
  };
  Reason reason = Reason::time;
  std::string destination;
  std::vector<std::uint32_t> recipients;  // indexes in Message::recipients
  WallTime due{};
  std::vector<QueueId> occupied_by = {};  // destination_limit: the messages in flight there
  std::uint32_t rule = 0;
  std::string note = {};  // the rule's
};

struct QueueCounts {
  std::size_t messages = 0;
  std::size_t waiting = 0;  // these three count recipients
  std::size_t held = 0;
  std::size_t in_flight = 0;
  std::size_t attempts = 0;  // jobs out
  std::size_t destinations = 0;
};

struct DestinationCounts {
  std::string destination;
  std::size_t waiting = 0;  // groups of recipients of one message
  std::size_t held = 0;
  std::size_t attempts = 0;
  std::optional<WallTime> next_due;
};

class Scheduler {
 public:
  explicit Scheduler(SchedulerLimits limits = {});
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // New mail is to be refused with 452 for now. Safe from any thread. Ask before accepting:
  // add() never refuses, since what was acknowledged must be delivered.
  bool full() const;

  // Files the waiting and held recipients. `destinations` has one key for each recipient; when
  // empty, the key is the recipient's domain. A message that is here already is not added again.
  void add(const Message& message, std::span<const std::string> destinations = {});

  // The next job within the limits, or nothing. Lanes take turns, destinations take turns within
  // a lane, and within a destination the longest due comes first.
  std::optional<Job> next(WallTime now);

  // Every job must be finished once. `after` is the message with the job's results applied; the
  // job's recipients that still wait are filed again by its next_attempt times. An unchanged
  // message hands the job back. False: the message was dropped meanwhile; remove it, do not keep
  // `after`.
  bool finished(const Job& job, const Message& after);

  // By hand. They return whether the message is here. What is in flight goes on: a hold then
  // takes effect when it comes back. Apply the same to the stored message (message_life.h).
  bool hold(QueueId id);
  bool release(QueueId id, WallTime now);
  bool retry_now(QueueId id, WallTime now);
  // After its state was changed by hand: what is not in flight is filed as it stands now, which
  // ends a hold() too. Does nothing for a message that is not here.
  void refile(const Message& message, std::span<const std::string> destinations = {});
  // Forgets the message at once, or when its last attempt in flight is finished.
  bool drop(QueueId id);
  bool is_dropped(QueueId id) const;  // dropped, but still in flight

  // When next() may have something: a time in the past means now. Nothing: not before something
  // is added, released or finished.
  std::optional<WallTime> next_due() const;

  QueueCounts counts() const;
  // The busiest destinations first, `destinations_max` at most. Walks all destinations.
  std::vector<DestinationCounts> destinations(std::size_t destinations_max) const;
  // Empty when the message is not here.
  std::vector<WaitFact> why(QueueId id, WallTime now) const;
  bool contains(QueueId id) const;
  std::vector<std::uint32_t> in_flight(QueueId id) const;  // recipients, ascending

 private:
  static constexpr std::uint32_t none = UINT32_MAX;
  static constexpr std::size_t lanes = 2;  // of each destination
  enum class PartState : std::uint8_t { waiting, held, in_flight };

  struct Entry {
    std::uint32_t first_part = none;
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
  // One lane of one destination: its waiting parts, earliest due first.
  struct PartKey {
    WallTime due{};
    QueueId id;  // same due time: the older message first
    auto operator<=>(const PartKey&) const = default;
  };
  struct Line {
    std::vector<HeapNode<PartKey>> heap;  // of part numbers
    std::uint32_t timer_position = none;
    bool in_ring = false;

    WallTime first_due() const { return heap.front().key.due; }
  };
  struct Destination {
    std::string name;
    std::array<Line, lanes> line;
    std::vector<std::uint32_t> in_flight;  // part numbers
    std::size_t parts = 0;                 // waiting, held and in flight
    std::size_t held = 0;
  };
  struct NameHash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the library's name
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>()(name);
    }
  };

  auto part_heap(Line& line);
  auto timer_heap();
  Line& line_of(std::uint32_t line_number);

  std::uint32_t destination_number(std::string_view name);
  void free_destination_if_unused(std::uint32_t number);
  std::uint32_t new_part(Part part);
  void free_part(std::uint32_t number);
  void remove_idle_parts(const Entry& entry);
  void add_all(const Message& message,
               Filed& filed,
               std::span<const std::string> destinations,
               std::span<const std::uint32_t> in_flight);
  void add_parts(std::span<std::uint32_t> recipients,
                 const Message& message,
                 Filed& filed,
                 std::uint32_t destination);
  void file(std::uint32_t number);    // a waiting part into its line
  void unfile(std::uint32_t number);  // and out of it
  void set_state(Part& part, PartState state);
  void refile_line(std::uint32_t line_number);
  void wake_lines(WallTime now);
  std::optional<Job> next_in(Lane lane, WallTime now);
  Job start(std::uint32_t number);
  bool has_room(Lane lane) const;
  bool has_room(const Destination& destination) const;
  void count(PartState state, std::ptrdiff_t recipients);
  void publish_counts();
  WaitFact fact(const Part& part, WallTime now) const;

  SchedulerLimits limits_;
  std::deque<Part> parts_;  // grows without moving a million of them
  // Where each stands in its line's heap: close together, since every step through a heap writes
  // one.
  std::vector<std::uint32_t> heap_positions_;
  std::vector<std::uint32_t> free_parts_;
  std::deque<Destination> destinations_;
  std::vector<std::uint32_t> free_destinations_;
  std::unordered_map<std::string, std::uint32_t, NameHash, std::equal_to<>> destination_numbers_;
  Entries entries_;
  // Lines (destination * 2 + lane) whose earliest part is not due yet.
  std::vector<HeapNode<WallTime>> timers_;
  // Lines with something due, in turn; may name lines that have nothing any more.
  std::array<std::deque<std::uint32_t>, lanes> rings_;
  std::array<std::size_t, lanes> attempts_{};
  std::array<std::size_t, 3> recipients_{};  // by PartState
  Lane turn_ = Lane::first;
  std::atomic<std::size_t> messages_waiting_ = 0;
  std::atomic<std::size_t> recipients_waiting_ = 0;
};

}  // namespace tapal::queue
