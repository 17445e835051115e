// The event loop that libunbound runs on, over epoll: its pluggable event table (unbound-event.h)
// and a wake-up for other threads. One thread runs it.
#pragma once

#include <memory>

#include "base/result.h"
#include "base/time.h"

struct ub_event_base;  // NOLINT(readability-identifier-naming): the library's name

namespace tapal {

class EventBase {
 public:
  static Result<std::unique_ptr<EventBase>> open();
  // Every event made on it must have been freed: the context goes first.
  ~EventBase();
  EventBase(const EventBase&) = delete;
  EventBase& operator=(const EventBase&) = delete;

  ub_event_base* handle();
  // Waits for events, wake() or the deadline, whichever is first, and runs what became due.
  void run_once(Instant deadline);
  void wake();  // safe from any thread

 private:
  struct Epoll;
  explicit EventBase(std::unique_ptr<Epoll> epoll);
  std::unique_ptr<Epoll> epoll_;
};

}  // namespace tapal
