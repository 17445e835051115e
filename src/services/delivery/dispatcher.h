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
#include <utility>
#include <vector>

#include "base/task.h"
#include "ports/clock.h"
#include "ports/final_dot_marks.h"
#include "ports/log.h"
#include "ports/loop.h"
#include "ports/mail_queue.h"
#include "ports/random.h"
#include "ports/store.h"
#include "rules/bounce/notice.h"
#include "rules/queue/message_life.h"
#include "rules/queue/retry.h"
#include "rules/queue/scheduler.h"
#include "rules/shaping/shaper.h"
#include "services/delivery/carriers.h"
#include "services/delivery/first_tries.h"

namespace tapal::delivery {

// References must outlive the dispatcher.
struct DispatcherWorld {
  Loop& loop;
  Clock& clock;
  Random& random;
  Log& log;
  Store& store;
  Carriers& carriers;
  shaping::Shaper& shaper;
  FinalDotMarks* marks;  // null: none are kept
  const Options& options;
  const std::string& host_name;
  // The DKIM-Signature fields for a notice of ours; empty when there is no key.
  std::function<std::string(std::string_view message)> sign_notice;
  // Who gets a notice to this return path: an address of ours may lead elsewhere, and one that we
  // rewrote to the sender behind it. Empty, as the function may be: just that address.
  std::function<std::vector<mail::Recipient>(const mail::Recipient& sender)> place_notice = {};
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

  // By hand, on the loop's thread. not_found when there is no such message, try_later while the
  // queue is still being taken in.
  enum class Order : std::uint8_t { retry, hold, release, drop };
  Task<Result<void>> order(Order order, QueueId id);
  // To every message that is here when the queue is taken in, which is waited for; returns how
  // many. A page at a time: neither memory nor others notice how long the queue is.
  Task<Result<std::size_t>> order_all(Order order);
  Result<queue::Message> find(QueueId id) const;
  // The busiest first.
  std::vector<queue::SiteCounts> sites(std::size_t sites_max) const {
    return scheduler_.sites(sites_max);
  }
  std::vector<queue::WaitFact> why(QueueId id) const {
    return scheduler_.why(id, world_.clock.wall_now());
  }
  queue::QueueCounts counts() const { return scheduler_.counts(); }
  Store& store() const { return world_.store; }
  const queue::RetrySchedule& schedule() const { return schedule_; }

 private:
  // A message with attempts under way, or waiting for its first with its body still at hand.
  struct Live {
    queue::Message message;
    BodyPtr body;
    std::size_t jobs = 0;
    std::vector<bounce::Notice> notices;  // made, and to be committed with the message
    bool changed = false;                 // and not committed since
    bool keeping = false;                 // somebody is at it in keep()
    bool dropped = false;                 // by hand
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
  void make_notices(Live& live);
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
  struct OrderedPage {
    StoreChange change;
    QueueId last;
    std::size_t messages = 0;
  };
  Result<OrderedPage> order_page(Order order, QueueId after);
  void apply(Order order, queue::Message message, StoreChange& change);
  void set_going(Order order, QueueId id);
  Task<Result<void>> commit_orders(Order order, StoreChange change);
  void drop(QueueId id);
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
  std::set<std::pair<WallTime, QueueId>> delays_;  // when senders are to be told of a delay
  std::size_t delays_being_told_ = 0;
  std::unique_ptr<Timer> timer_;
  bool woken_ = false;  // since the last look at what is due
  bool stopping_ = false;
  TaskGroup tasks_;
};

}  // namespace tapal::delivery
