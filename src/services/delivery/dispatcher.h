// The running queue. What is due goes to the carriers; what comes back is
// applied to the message, committed, told to the log and, where somebody must be told, to the
// sender. Belongs to one loop, except where a method says otherwise.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/task.h"
#include "ports/clock.h"
#include "ports/final_dot_marks.h"
#include "ports/kept_records.h"
#include "ports/log.h"
#include "ports/loop.h"
#include "ports/mail_queue.h"
#include "ports/random.h"
#include "ports/store.h"
#include "rules/bounce/notice.h"
#include "rules/queue/filter.h"
#include "rules/queue/hold_rules.h"
#include "rules/queue/message_life.h"
#include "rules/queue/order.h"
#include "rules/queue/retry.h"
#include "rules/queue/scheduler.h"
#include "rules/shaping/shaper.h"
#include "services/delivery/carriers.h"
#include "services/delivery/first_tries.h"
#include "services/delivery/shaping_memory.h"

namespace tapal::delivery {

// References must outlive the dispatcher.
struct DispatcherWorld {
  Loop& loop;
  Clock& clock;
  Random& random;
  Log& log;
  Store& store;
  KeptRecords& records;  // of the hold rules
  Carriers& carriers;
  shaping::Shaper& shaper;
  ShapingMemory* memory;  // null: a restart forgets what was learned
  FinalDotMarks* marks;   // null: none are kept
  const Options& options;
  const std::string& host_name;
  // The DKIM-Signature fields for a notice of ours; empty when there is no key.
  std::function<std::string(std::string_view message)> sign_notice;
  // What a reply means, in a word; may be empty.
  std::function<std::string(const queue::Outcome&)> category_of = {};
  // Who gets a notice to this return path: an address of ours may lead elsewhere, and one that we
  // rewrote to the sender behind it. Empty, as the function may be: just that address.
  std::function<std::vector<mail::Recipient>(const mail::Recipient& sender)> place_notice = {};
};

// What an order came to.
struct Ordered {
  std::size_t messages = 0;    // changed
  std::size_t recipients = 0;  // of these
  std::size_t under_way = 0;   // recipients that were left alone, since they are being tried
};
struct HeldByRule {
  std::uint32_t number = 0;
  std::size_t recipients = 0;
};

class Dispatcher final : public MailQueue {
 public:
  Dispatcher(DispatcherWorld world, queue::RetrySchedule schedule, queue::SchedulerLimits limits);
  ~Dispatcher() override;

  bool full() const override;                                  // any thread
  void accept(queue::Message message, BodyPtr body) override;  // any thread
  Task<FirstTry> accept_and_try(Loop& loop,
                                queue::Message message,
                                BodyPtr body,
                                std::chrono::seconds patience) override;  // any loop

  // Once, before run() and the first accept(): from here on what the store has is ours. run() takes
  // it in, a page at a time, so that new mail need not wait for a long queue.
  void load();
  // Until stop(); then waits for attempts under way, which stop() cuts when their time is up.
  Task<void> run();
  // Sessions wait for no first attempt any more, so that they can end. On the loop's thread.
  void release_sessions() { first_tries_.stop(); }
  // No new attempts from now on; those under way get `grace` to finish.
  void stop(std::chrono::seconds grace);

  // By hand, on the loop's thread, to what matches and is here now; a queue that is still being
  // taken in is waited for. A page at a time, each kept before it is in force, so that what is
  // refused has changed nothing; others do not notice how long the queue is. not_found: the filter
  // names ids, and none of them is here.
  Task<Result<Ordered>> order(queue::Order order, queue::Filter filter);
  // In force at once and after a restart. Returns how many recipients it holds now; what is being
  // tried is held when it comes back. The rule's number is given here.
  Task<Result<HeldByRule>> add_hold_rule(queue::HoldRule rule);
  Task<Result<HeldByRule>> end_hold_rule(std::uint32_t number);
  const queue::HoldRules& hold_rules() const { return hold_rules_; }
  queue::FilterFacts filter_facts() const;  // for any thread

  Result<queue::Message> find(QueueId id) const;
  std::vector<queue::WaitFact> why(const queue::Message& message) const;
  // The busiest first.
  std::vector<queue::SiteCounts> sites(std::size_t sites_max) const {
    return scheduler_.sites(sites_max);
  }
  queue::QueueCounts counts() const { return scheduler_.counts(); }
  Store& store() const { return world_.store; }
  const queue::RetrySchedule& schedule() const { return schedule_; }

 private:
  // Looked at in one go, and with one sync: milliseconds.
  static constexpr std::size_t page_messages = 500;

  // A message with attempts under way, or waiting for its first with its body still at hand.
  struct Live {
    queue::Message message;
    BodyPtr body;
    std::size_t jobs = 0;
    std::vector<bounce::Notice> notices;  // made, and to be committed with the message
    bool changed = false;                 // and not committed since
    bool keeping = false;                 // somebody is at it in keep()
    bool dropped = false;                 // by hand
    bool moved = false;                   // by hand, to another destination
  };
  using Lives = std::unordered_map<std::uint64_t, Live>;

  Task<void> take_in_stored();
  Result<std::optional<QueueId>> take_in_page(QueueId after);
  void take_in(const queue::Message& message);
  void add(queue::Message message, BodyPtr body);
  void file(const queue::Message& message);
  Result<Live*> live(QueueId id);
  Task<Live*> await_live(QueueId id);
  Task<void> carry(queue::Job job);
  Task<bool> find_site(queue::Job& job, queue::Origin::Kind origin, std::string domain);
  void learn(queue::Job& job, const Live& live, AttemptReport& report);
  Attempt attempt_of(const queue::Job& job, const Live& live) const;
  std::optional<std::size_t> lend_mark(Attempt& attempt);
  void give_back(std::size_t mark);
  Task<void> put_off_marked();
  Task<void> settle(queue::Job& job, AttemptReport report);
  void let_go(QueueId id);
  void forget(Lives::iterator which);
  Task<void> keep(QueueId id);
  Task<Result<std::vector<BodyPtr>>> commit(const queue::Message& message,
                                            const std::vector<bounce::Notice>& notices);
  void make_notices(queue::Message& message,
                    const BodyPtr& body,
                    std::vector<bounce::Notice>& into);
  bounce::Notice make_notice(const queue::Message& message,
                             const BodyPtr& body,
                             const std::vector<std::size_t>& recipients);
  void address_notice(queue::Message& notice) const;
  Result<void> add_notice(StoreChange& change, const bounce::Notice& notice);
  void watch_delay(const queue::Message& message);
  void tell_delays(WallTime now);
  std::optional<WallTime> next_delay() const;
  Task<void> tell_delay(QueueId id);
  Task<void> tell_of_delay(QueueId id);
  void tell(const queue::Message& message, const AttemptReport& report);
  // A message that an order is about, as it is and as it shall be.
  struct Changed {
    queue::Message before;
    queue::Message after;
  };
  struct OrderedPage {
    std::vector<Changed> changed;
    std::vector<QueueId> busy;  // being kept at the moment: to be come back to
    QueueId last;
    bool more = false;
    Ordered counts;
  };
  struct Ordering {
    queue::Order order;
    queue::Filter filter;
    queue::FilterFacts facts;
    QueueId newest;  // later messages are not meant
  };
  // Of one order or rule at a time: taken while it lives.
  class Turn {
   public:
    explicit Turn(bool& taken) : taken_(&taken) { taken = true; }
    Turn(Turn&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (taken_ != nullptr) *taken_ = false;
    }

   private:
    bool* taken_;
  };
  Task<Turn> next_turn();
  Result<void> check(const queue::Order& order, const queue::Filter& filter) const;
  Task<Result<Ordered>> carry_out(Ordering ordering);
  Result<OrderedPage> order_page(const Ordering& ordering, QueueId after) const;
  void plan(const Ordering& ordering, queue::Message message, OrderedPage& page) const;
  Task<Result<void>> change(const queue::Order& order, std::vector<Changed> page);
  Task<Result<void>> commit(std::vector<Changed>& page, queue::Order::Kind kind);
  void begin_change(QueueId id);
  // Returns whether something more is to be kept, by keep_and_let_go().
  bool end_change(const queue::Order& order, const Changed& message, const Result<void>& kept);
  void merge(const queue::Order& order, const Changed& message, Live& live) const;
  Task<void> keep_and_let_go(QueueId id);
  void drop(QueueId id);

  void read_hold_rules();
  Task<Result<std::size_t>> refile_matching(queue::Filter filter);
  void end_hold_rules(WallTime now);
  Task<void> let_end(queue::HoldRule rule);
  std::vector<queue::Place> places_of(const queue::Message& message) const;
  void forgive_sites(QueueId id);
  void refile(const queue::Message& message);
  Task<void> stop_carriers(std::chrono::seconds grace);
  void wake();

  DispatcherWorld world_;
  queue::RetrySchedule schedule_;
  queue::Scheduler scheduler_;
  Lives live_;
  std::uint64_t body_bytes_at_hand_ = 0;
  bool loading_ = false;
  QueueId newest_stored_;  // of those that take_in_stored() takes in; later ones come by accept()
  std::size_t taken_in_ = 0;
  FirstTries first_tries_;
  std::vector<std::size_t> free_marks_;
  queue::HoldRules hold_rules_;
  bool ordering_ = false;                          // whose turn it is has not ended
  std::unordered_set<std::uint64_t> changing_;     // messages whose change by hand is being kept
  std::set<std::pair<WallTime, QueueId>> delays_;  // when senders are to be told of a delay
  std::size_t delays_being_told_ = 0;
  std::unique_ptr<Timer> timer_;
  bool woken_ = false;  // since the last look at what is due
  bool stopping_ = false;
  TaskGroup tasks_;
};

}  // namespace tapal::delivery
