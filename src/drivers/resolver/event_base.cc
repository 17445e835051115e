#include "drivers/resolver/event_base.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <unordered_map>

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unbound-event.h>
#include <unistd.h>

namespace tapal {
namespace {

struct Event;
using Timers = std::multimap<Instant, Event*>;
using Callback = void (*)(int, short, void*);

constexpr short descriptor_bits = UB_EV_READ | UB_EV_WRITE;
constexpr auto wait_max = std::chrono::minutes(1);  // epoll counts in an int of milliseconds

struct Base : ub_event_base {
  int epoll = -1;
  int wake_up = -1;
  std::unordered_map<int, Event*> by_descriptor;
  Timers timers;
};

struct Event : ub_event {
  Base* base = nullptr;
  int descriptor = -1;
  short bits = 0;
  Callback callback = nullptr;
  void* argument = nullptr;
  bool is_watched = false;
  bool has_timer = false;
  Timers::iterator timer;
  Duration period{0};  // of a persistent event's timer
};

Duration duration_of(const timeval& value) {
  return std::chrono::seconds(value.tv_sec) + std::chrono::microseconds(value.tv_usec);
}

void stop_timer(Event& event) {
  if (event.has_timer) event.base->timers.erase(event.timer);
  event.has_timer = false;
}

void start_timer(Event& event, Duration period) {
  stop_timer(event);
  event.period = period;
  event.timer = event.base->timers.emplace(std::chrono::steady_clock::now() + period, &event);
  event.has_timer = true;
}

void unwatch(Event& event) {
  if (!event.is_watched) return;
  event.is_watched = false;
  const auto entry = event.base->by_descriptor.find(event.descriptor);
  if (entry == event.base->by_descriptor.end() || entry->second != &event) return;
  event.base->by_descriptor.erase(entry);
  // Fails when the descriptor was closed before; epoll has then forgotten it by itself.
  ::epoll_ctl(event.base->epoll, EPOLL_CTL_DEL, event.descriptor, nullptr);
}

int watch(Event& event) {
  epoll_event wanted{};
  if ((event.bits & UB_EV_READ) != 0) wanted.events |= EPOLLIN;
  if ((event.bits & UB_EV_WRITE) != 0) wanted.events |= EPOLLOUT;
  wanted.data.fd = event.descriptor;
  int result = ::epoll_ctl(event.base->epoll, EPOLL_CTL_ADD, event.descriptor, &wanted);
  if (result != 0 && errno == EEXIST)
    result = ::epoll_ctl(event.base->epoll, EPOLL_CTL_MOD, event.descriptor, &wanted);
  if (result != 0) return -1;
  event.base->by_descriptor[event.descriptor] = &event;
  event.is_watched = true;
  return 0;
}

Event& self(ub_event* event) { return *static_cast<Event*>(event); }

void event_add_bits(ub_event* event, short bits) {
  self(event).bits = static_cast<short>(self(event).bits | bits);
}

void event_del_bits(ub_event* event, short bits) {
  self(event).bits = static_cast<short>(self(event).bits & ~bits);
}

void event_set_fd(ub_event* event, int descriptor) { self(event).descriptor = descriptor; }

int event_del(ub_event* event) {
  unwatch(self(event));
  stop_timer(self(event));
  return 0;
}

void event_free(ub_event* event) {
  event_del(event);
  delete static_cast<Event*>(event);
}

int event_add(ub_event* event, timeval* timeout) {
  Event& added = self(event);
  if (timeout != nullptr) start_timer(added, duration_of(*timeout));
  if (added.descriptor < 0 || (added.bits & descriptor_bits) == 0) return 0;
  unwatch(added);
  return watch(added);
}

int event_add_timer(
    ub_event* event, ub_event_base*, Callback callback, void* argument, timeval* timeout) {
  self(event).callback = callback;
  self(event).argument = argument;
  start_timer(self(event), duration_of(*timeout));
  return 0;
}

int event_del_timer(ub_event* event) {
  stop_timer(self(event));
  return 0;
}

// Signals and Windows sockets are never asked for.
int no_signal(ub_event*, timeval*) { return -1; }
int no_signal_end(ub_event*) { return -1; }
void no_socket(ub_event*) {}
void no_socket_block(ub_event*, int) {}
ub_event* no_new_signal(ub_event_base*, int, Callback, void*) { return nullptr; }
ub_event* no_new_socket(ub_event_base*, void*, Callback, void*) { return nullptr; }
void no_free(ub_event_base*) {}
int no_dispatch(ub_event_base*) { return -1; }
int no_exit(ub_event_base*, timeval*) { return -1; }

ub_event_vmt event_table = {
    .add_bits = event_add_bits,
    .del_bits = event_del_bits,
    .set_fd = event_set_fd,
    .free = event_free,
    .add = event_add,
    .del = event_del,
    .add_timer = event_add_timer,
    .del_timer = event_del_timer,
    .add_signal = no_signal,
    .del_signal = no_signal_end,
    .winsock_unregister_wsaevent = no_socket,
    .winsock_tcp_wouldblock = no_socket_block,
};

ub_event* new_event(
    ub_event_base* base, int descriptor, short bits, Callback callback, void* argument) {
  auto event = std::make_unique<Event>();
  event->magic = UB_EVENT_MAGIC;
  event->vmt = &event_table;
  event->base = static_cast<Base*>(base);
  event->descriptor = descriptor;
  event->bits = bits;
  event->callback = callback;
  event->argument = argument;
  return event.release();  // libunbound owns it until it calls event_free()
}

ub_event_base_vmt base_table = {
    .free = no_free,
    .dispatch = no_dispatch,
    .loopexit = no_exit,
    .new_event = new_event,
    .new_signal = no_new_signal,
    .winsock_register_wsaevent = no_new_socket,
};

void fire(Event& event, short bits) {
  if ((event.bits & UB_EV_PERSIST) == 0) {
    event_del(&event);
  } else if (event.has_timer || bits == UB_EV_TIMEOUT) {
    start_timer(event, event.period);
  }
  event.callback(event.descriptor, bits, event.argument);  // may free the event
}

void fire_descriptor(Base& base, const epoll_event& ready) {
  if (ready.data.fd == base.wake_up) {
    eventfd_t count = 0;
    ::eventfd_read(base.wake_up, &count);
    return;
  }
  // A callback before this one may have freed the event or put another in its place.
  const auto entry = base.by_descriptor.find(ready.data.fd);
  if (entry == base.by_descriptor.end()) return;
  unsigned bits = 0;
  if ((ready.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) bits |= UB_EV_READ;
  if ((ready.events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) bits |= UB_EV_WRITE;
  bits &= static_cast<unsigned>(entry->second->bits);
  if (bits != 0) fire(*entry->second, static_cast<short>(bits));
}

void fire_timers(Base& base) {
  const Instant now = std::chrono::steady_clock::now();
  while (!base.timers.empty() && base.timers.begin()->first <= now) {
    Event& event = *base.timers.begin()->second;
    stop_timer(event);
    fire(event, UB_EV_TIMEOUT);
  }
}

}  // namespace

struct EventBase::Epoll : Base {
  ~Epoll() {
    if (epoll >= 0) ::close(epoll);
    if (wake_up >= 0) ::close(wake_up);
  }
};

EventBase::EventBase(std::unique_ptr<Epoll> epoll) : epoll_(std::move(epoll)) {}
EventBase::~EventBase() = default;

Result<std::unique_ptr<EventBase>> EventBase::open() {
  auto base = std::make_unique<Epoll>();
  base->magic = UB_EVENT_MAGIC;
  base->vmt = &base_table;
  base->epoll = ::epoll_create1(EPOLL_CLOEXEC);
  base->wake_up = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.fd = base->wake_up;
  if (base->epoll < 0 || base->wake_up < 0 ||
      ::epoll_ctl(base->epoll, EPOLL_CTL_ADD, base->wake_up, &wanted) != 0)
    return fail(Code::internal, fmt::format("the resolver's event loop: {}", std::strerror(errno)));
  return std::unique_ptr<EventBase>(new EventBase(std::move(base)));
}

ub_event_base* EventBase::handle() { return epoll_.get(); }

void EventBase::run_once(Instant deadline) {
  Base& base = *epoll_;
  const Instant now = std::chrono::steady_clock::now();
  Instant until = std::min(deadline, now + wait_max);
  if (!base.timers.empty()) until = std::min(until, base.timers.begin()->first);
  const auto wait =
      std::chrono::ceil<std::chrono::milliseconds>(std::max(until - now, Duration(0)));
  std::array<epoll_event, 64> ready{};
  const int count =
      ::epoll_wait(base.epoll, ready.data(), ready.size(), static_cast<int>(wait.count()));
  for (int i = 0; i < count; ++i) fire_descriptor(base, ready.at(static_cast<std::size_t>(i)));
  fire_timers(base);
}

void EventBase::wake() { ::eventfd_write(epoll_->wake_up, 1); }

}  // namespace tapal
