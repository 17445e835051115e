// Sessions of one loop on streams in memory, and a client's end of them, for tests.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "ports/memory_store.h"
#include "ports/test_fakes.h"
#include "ports/test_loop.h"
#include "ports/test_stream.h"
#include "services/intake/smtp_session.h"
#include "services/intake/test_domains.h"

namespace tapal::intake {

struct NoTls : TlsServer, TlsClient {};

// A store whose commits wait until they are let through.
class SlowStore final : public Store {
 public:
  explicit SlowStore(VirtualLoop& loop) : loop_(loop) {}
  QueueId new_id(WallTime now) override { return memory.new_id(now); }
  std::unique_ptr<BodyWriter> new_body() override { return memory.new_body(); }
  Task<Result<std::vector<BodyPtr>>> commit(Loop& loop,
                                            StoreChange change,
                                            Durability durability) override {
    last_durability = durability;
    const auto timer = loop_.make_timer();
    while (held) co_await timer->wait_until(loop_.now() + std::chrono::milliseconds(1));
    co_return co_await memory.commit(loop, std::move(change), durability);
  }
  Result<BodyPtr> load_body(QueueId id) override { return memory.load_body(id); }
  Result<queue::Message> load(QueueId id) override { return memory.load(id); }
  Result<void> scan(QueueId after, std::move_only_function<bool(queue::Message)> each) override {
    return memory.scan(after, std::move(each));
  }
  std::uint64_t free_bytes() const override { return memory.free_bytes(); }

  MemoryStore memory;
  bool held = false;
  std::optional<Durability> last_durability;

 private:
  VirtualLoop& loop_;
};

struct SessionsTestWorld {
  VirtualLoop loop;
  SeededRandom random;
  RecordingLog log;
  SlowStore store{loop};
  ReturnPaths return_paths{store.memory.records};
  RecordingQueue queue;
  InlineWorkers workers;
  NoTls tls;
  Options options{.host_name = "mx.own.example"};
  Authenticator authenticator{workers, loop, random, {.password_cost = cheap_cost}};
  ConnectionCount connections{{.all_max = 3, .per_address_max = 2}};
  Snapshot<Domains> domains{std::make_shared<const Domains>(test_domains())};
  MailObserver* observer = nullptr;
  std::optional<Sessions> sessions;

  void start() {
    sessions.emplace(SessionWorld{loop,
                                  loop,
                                  random,
                                  log,
                                  store,
                                  return_paths,
                                  queue,
                                  authenticator,
                                  connections,
                                  domains,
                                  options,
                                  &tls,
                                  observer});
  }
  void stop() {
    loop.wait(sessions->stop(loop.now() + std::chrono::seconds(5)));
    EXPECT_EQ(sessions->count(), 0U);
    EXPECT_EQ(connections.count(), 0U);
  }
};

// The client's end of one session.
struct SessionsTestPeer {
  SessionsTestWorld& w;
  std::unique_ptr<PipeStream> stream;
  std::string heard;

  explicit SessionsTestPeer(SessionsTestWorld& world,
                            Door door = Door::smtp,
                            std::string_view from = "192.0.2.7:4000")
      : w(world) {
    auto pipe = PipeStream::make(
        w.loop,
        {.client = Endpoint::from_text(from).value(), .server = {{}, 25}, .read_bytes_max = 1000});
    stream = std::move(pipe.client);
    w.sessions->begin(door, std::move(pipe.server));
    w.loop.run();
  }
  void handshake() {
    w.loop.wait(stream->connect_tls(w.tls, {}, never));
    w.loop.run();
  }
  // Says it, and gives what is answered meanwhile.
  std::string say(std::string_view bytes) {
    w.loop.wait(stream->write(bytes, never));
    w.loop.run();
    return hear();
  }
  std::string hear() {
    std::string text;
    for (;;) {
      std::array<char, 4096> buffer{};
      const auto count = w.loop.wait(stream->read(buffer, w.loop.now())).value();
      if (!count) return text;
      text.append(buffer.data(), *count);
    }
  }
  bool is_closed() {
    std::array<char, 16> buffer{};
    const auto count = w.loop.wait(stream->read(buffer, w.loop.now())).value();
    return !count && count.error().code == Code::closed;
  }
};

inline const std::string header = "From: x@far.example\r\nSubject: hi\r\n";

}  // namespace tapal::intake
