#include "drivers/resolver/unbound_resolver.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>

#include <fmt/format.h>
#include <pthread.h>
#include <unbound-event.h>
#include <unbound.h>

#include "drivers/resolver/answer_cache.h"
#include "drivers/resolver/event_base.h"
#include "drivers/resolver/packet.h"
#include "drivers/resolver/unbound_context.h"
#include "values/dns/name.h"
#include "values/text/ascii.h"

namespace tapal {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t shard_count = 16;  // loops that ask at once seldom wait for each other
constexpr int class_in = 1;
constexpr int unbound_bogus = 1;  // the callback's `sec`, see unbound-event.h
constexpr int unbound_secure = 2;

// Somebody who waits; lives in the frame of its resolve().
struct Waiter {
  Loop* loop = nullptr;
  std::coroutine_handle<> handle;
  Result<DnsAnswer> result;

  // Nothing of the waiter may be touched after this.
  void wake_with(const Result<DnsAnswer>& answer) {
    result = answer;
    loop->post([resumed = handle] { resumed.resume(); });
  }
};

std::string text_of(const DnsQuestion& question) {
  return fmt::format(
      "{} {}", question.name.empty() ? "." : question.name, type_text(question.type));
}

std::unexpected<Error> closed_error() {
  return fail(Code::closed, "the resolver is being stopped");
}

}  // namespace

// The lock of a shard guards its cache, its questions and who waits for them. Questions are
// finished on the DNS thread, or after it has ended.
struct UnboundResolver::Engine {
  struct Question {
    Engine* engine = nullptr;
    DnsQuestion asked;
    std::vector<Waiter*> waiters;
    Instant deadline;
    int async_id = 0;
    bool is_running = false;  // libunbound has it
  };
  struct Shard {
    explicit Shard(AnswerCache::Limits limits) : cache(limits) {}
    std::mutex mutex;
    AnswerCache cache;
    std::unordered_map<DnsQuestion, std::unique_ptr<Question>, DnsQuestionHash> questions;
  };
  struct Done {
    Question* question;
    Result<DnsAnswer> answer;
  };
  struct Counters {
    std::atomic<std::uint64_t> asked, cached, joined, questions, failed;
  };

  explicit Engine(ResolverOptions chosen) : options(std::move(chosen)) {
    const AnswerCache::Limits limits{
        .answers_max = (options.names_max + shard_count - 1) / shard_count,
        .bytes_max = options.cache_bytes_max / shard_count};
    for (auto& shard : shards) shard = std::make_unique<Shard>(limits);
  }

  Result<void> start();
  void close();
  bool ask(const DnsQuestion& asked, Waiter& waiter);

  // All below runs on the DNS thread.
  void run();
  Instant next_deadline() const;
  void take_inbox();
  void begin_questions();
  void begin(Question& question);
  void expire(Instant now);
  void finish_done();
  void finish(Question& question, Result<DnsAnswer> answer);
  std::chrono::seconds keep_for(const Result<DnsAnswer>& answer) const;
  Result<DnsAnswer> read_response(const Question& question,
                                  int rcode,
                                  std::string_view packet) const;
  Error about(const DnsQuestion& asked, Error error) const;
  static void on_response(void* question,
                          int rcode,
                          void* packet,
                          int packet_bytes,
                          int security,
                          char* why_bogus,
                          int was_rate_limited);

  Shard& shard_of(const DnsQuestion& asked) {
    return *shards[DnsQuestionHash()(asked) % shard_count];
  }

  ResolverOptions options;
  std::array<std::unique_ptr<Shard>, shard_count> shards;
  Counters counters{};
  std::atomic<std::size_t> outstanding = 0;  // in all shards
  std::atomic<bool> is_closing = false;
  std::mutex inbox_mutex;
  std::vector<Question*> inbox;

  std::unique_ptr<EventBase> base;
  UnboundSetup unbound;
  std::thread thread;

  std::deque<Question*> queued;  // taken from the inbox, not yet begun
  std::set<std::pair<Instant, Question*>> deadlines;
  std::vector<Done> done;
  std::size_t running = 0;
};

Result<void> UnboundResolver::Engine::start() {
  TAPAL_TRY(base, EventBase::open());
  TAPAL_TRY(unbound, open_unbound(options, base->handle()));
  thread = std::thread([this] { run(); });
  return {};
}

// False when the waiter has its result at once; else it is resumed later.
bool UnboundResolver::Engine::ask(const DnsQuestion& asked, Waiter& waiter) {
  ++counters.asked;
  Shard& shard = shard_of(asked);
  const Instant now = steady_clock::now();
  Question* question = nullptr;
  {
    const std::lock_guard lock(shard.mutex);
    if (is_closing) {
      waiter.result = closed_error();
      return false;
    }
    if (auto known = shard.cache.find(asked, now)) {
      ++counters.cached;
      waiter.result = *std::move(known);
      return false;
    }
    if (const auto same = shard.questions.find(asked); same != shard.questions.end()) {
      ++counters.joined;
      same->second->waiters.push_back(&waiter);
      return true;
    }
    if (outstanding >= options.queries_at_once_max + options.queries_waiting_max) {
      waiter.result = fail(Code::try_later, "too many DNS questions wait for an answer");
      return false;
    }
    auto fresh = std::make_unique<Question>();
    fresh->engine = this;
    fresh->asked = asked;
    fresh->waiters.push_back(&waiter);
    fresh->deadline = now + options.question_timeout;
    question = fresh.get();
    shard.questions.emplace(asked, std::move(fresh));
    ++outstanding;
  }
  bool was_empty = false;
  {
    const std::lock_guard lock(inbox_mutex);
    was_empty = inbox.empty();
    inbox.push_back(question);
  }
  if (was_empty) base->wake();
  return true;
}

void UnboundResolver::Engine::run() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals are the main thread's
  ::pthread_setname_np(::pthread_self(), "dns");
  while (!is_closing) {
    take_inbox();
    begin_questions();
    finish_done();
    // Questions that were answered from libunbound's own cache have made room for others.
    if (!queued.empty() && running < options.queries_at_once_max) continue;
    base->run_once(deadlines.empty() ? never : deadlines.begin()->first);
    finish_done();
    expire(steady_clock::now());
  }
}

void UnboundResolver::Engine::take_inbox() {
  std::vector<Question*> taken;
  {
    const std::lock_guard lock(inbox_mutex);
    taken.swap(inbox);
  }
  for (Question* question : taken) {
    queued.push_back(question);
    deadlines.emplace(question->deadline, question);
  }
}

void UnboundResolver::Engine::begin_questions() {
  while (!queued.empty() && running < options.queries_at_once_max) {
    Question& question = *queued.front();
    queued.pop_front();
    begin(question);
  }
}

void UnboundResolver::Engine::begin(Question& question) {
  ++counters.questions;
  ++running;
  question.is_running = true;
  const std::string name = question.asked.name + ".";
  const int type = std::to_underlying(question.asked.type);
  // May call back before it returns.
  const int code = ub_resolve_event(unbound.context.get(),
                                    name.c_str(),
                                    type,
                                    class_in,
                                    &question,
                                    on_response,
                                    &question.async_id);
  if (code != 0)
    done.push_back({&question,
                    fail(code == UB_SYNTAX ? Code::invalid : Code::try_later,
                         fmt::format("libunbound: {}", ub_strerror(code)))});
}

// NOLINTNEXTLINE(readability-function-size): the library sets its parameters.
void UnboundResolver::Engine::on_response(void* argument,
                                          int rcode,
                                          void* packet,
                                          int packet_bytes,
                                          int security,
                                          char* why_bogus,
                                          int was_rate_limited) {
  Question& question = *static_cast<Question*>(argument);
  Engine& engine = *question.engine;
  if (engine.is_closing) return;
  Result<DnsAnswer> answer;
  if (security == unbound_bogus) {
    answer = fail(
        Code::denied,
        fmt::format("DNSSEC: {}", text::printable(why_bogus == nullptr ? "bogus" : why_bogus)));
  } else if (was_rate_limited != 0) {
    answer = fail(Code::try_later, "too many questions for this domain at once");
  } else {
    const std::string_view bytes(static_cast<const char*>(packet),
                                 rcode == 0 ? static_cast<std::size_t>(packet_bytes) : 0);
    answer = engine.read_response(question, rcode, bytes);
  }
  if (answer && security == unbound_secure) answer->security = DnsAnswer::Security::secure;
  engine.done.push_back({&question, std::move(answer)});
}

Result<DnsAnswer> UnboundResolver::Engine::read_response(const Question& question,
                                                         int rcode,
                                                         std::string_view packet) const {
  if (rcode == 0) return answer_from_packet(question.asked, packet);
  return fail(Code::try_later, "the servers fail or do not answer");
}

Error UnboundResolver::Engine::about(const DnsQuestion& asked, Error error) const {
  std::string servers;
  for (const Endpoint& server : unbound.servers)
    servers += (servers.empty() ? " from " : ", ") + server.text();
  error.what = fmt::format("{}{}: {}", text_of(asked), servers, error.what);
  return error;
}

void UnboundResolver::Engine::expire(Instant now) {
  const auto seconds = std::chrono::duration<double>(options.question_timeout).count();
  while (!deadlines.empty() && deadlines.begin()->first <= now) {
    Question& question = *deadlines.begin()->second;
    if (question.is_running)
      ub_cancel(unbound.context.get(), question.async_id);  // it calls back no more
    else
      queued.erase(std::ranges::find(queued, &question));  // near the front: the oldest
    finish(question, fail(Code::try_later, fmt::format("no answer within {} s", seconds)));
  }
}

void UnboundResolver::Engine::finish_done() {
  for (Done& one : std::exchange(done, {})) finish(*one.question, std::move(one.answer));
}

std::chrono::seconds UnboundResolver::Engine::keep_for(const Result<DnsAnswer>& answer) const {
  if (!answer) return options.failure_ttl;
  const bool is_found = answer->status == DnsAnswer::Status::found;
  return std::min(answer->ttl, is_found ? options.answer_ttl_max : options.negative_ttl_max);
}

void UnboundResolver::Engine::finish(Question& question, Result<DnsAnswer> answer) {
  if (!answer) {
    ++counters.failed;
    answer = std::unexpected(about(question.asked, std::move(answer).error()));
  }
  if (question.is_running) --running;
  deadlines.erase({question.deadline, &question});
  const std::chrono::seconds kept = keep_for(answer);
  Shard& shard = shard_of(question.asked);
  std::unique_ptr<Question> ended;
  {
    const std::lock_guard lock(shard.mutex);
    const auto entry = shard.questions.find(question.asked);
    ended = std::move(entry->second);
    shard.questions.erase(entry);
    if (kept.count() > 0) shard.cache.put(question.asked, answer, steady_clock::now() + kept);
  }
  --outstanding;
  for (Waiter* waiter : ended->waiters) waiter->wake_with(answer);
}

void UnboundResolver::Engine::close() {
  if (is_closing.exchange(true)) return;
  if (thread.joinable()) {
    base->wake();
    thread.join();
  }
  unbound.context.reset();
  for (const auto& shard : shards) {
    // From now on ask() sees is_closing, so what is here is all there is.
    decltype(shard->questions) left;
    {
      const std::lock_guard lock(shard->mutex);
      left.swap(shard->questions);
    }
    for (const auto& [asked, question] : left) {
      for (Waiter* waiter : question->waiters) waiter->wake_with(closed_error());
    }
  }
}

UnboundResolver::UnboundResolver(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
UnboundResolver::~UnboundResolver() { close(); }

Result<std::unique_ptr<UnboundResolver>> UnboundResolver::open(ResolverOptions options) {
  if (options.queries_at_once_max == 0 || options.question_timeout.count() <= 0 ||
      options.server_timeout.count() <= 0)
    return fail(Code::invalid, "the resolver needs time and at least one question at once");
  auto engine = std::make_unique<Engine>(std::move(options));
  TAPAL_CHECK(engine->start());
  return std::unique_ptr<UnboundResolver>(new UnboundResolver(std::move(engine)));
}

Task<Result<DnsAnswer>> UnboundResolver::resolve(Loop& loop, std::string name, dns::Type type) {
  struct Wait {
    Engine& engine;
    const DnsQuestion& asked;
    Waiter& waiter;
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> handle) {
      waiter.handle = handle;
      return engine.ask(asked, waiter);
    }
    void await_resume() const noexcept {}
  };
  auto canonical = dns::parse_name(name);
  if (!canonical) co_return std::unexpected(std::move(canonical).error());
  const DnsQuestion asked{*std::move(canonical), type};
  Waiter waiter;
  waiter.loop = &loop;
  Wait wait{*engine_, asked, waiter};
  co_await wait;
  co_return std::move(waiter.result);  // the resolver itself may be gone by now
}

void UnboundResolver::close() { engine_->close(); }

ResolverCounts UnboundResolver::counts() const {
  const Engine::Counters& counters = engine_->counters;
  return {.asked = counters.asked,
          .cached = counters.cached,
          .joined = counters.joined,
          .questions = counters.questions,
          .failed = counters.failed};
}

bool UnboundResolver::validates() const { return engine_->unbound.validates; }
const std::vector<Endpoint>& UnboundResolver::servers() const { return engine_->unbound.servers; }

}  // namespace tapal
