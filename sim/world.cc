#include "sim/world.h"

#include <utility>

namespace tapal::sim {
namespace {

constexpr auto world_time_max = std::chrono::days(20);
constexpr auto winding_down_max = std::chrono::days(2);

}  // namespace

World::World(const PlayOptions& options)
    : options_(options), dice_(options.seed), chronicle_(options.trace), disk_(dice_.fork()) {
  make_options();
  make_receivers();
  Submitter::World submitting{loop_,
                              chronicle_,
                              ledger_,
                              network_,
                              [this](intake::Door door, std::unique_ptr<WireStream> stream) {
                                return lives() && server_->begin(door, std::move(stream));
                              },
                              [this] { return over_; }};
  submitter_ = std::make_unique<Submitter>(std::move(submitting), dice_.fork());
}

World::~World() = default;

Outcome World::run() {
  loop_.after_each = [this] { after_each_step(); };
  start_server();
  live_through_trouble();
  const auto ended = [this] { return chronicle_.broken() || all_is_done(); };
  if (!loop_.run_until(ended, world_time_max))
    chronicle_.broken("every recipient ends delivered, bounced or queued",
                      "{} messages are still in the spool when all has long been well",
                      lives() ? server_->store().size() : 0);
  finish();
  if (!chronicle_.broken()) ledger_.judge();
  Outcome outcome{.seed = options_.seed,
                  .hash = chronicle_.hash(),
                  .events = chronicle_.events(),
                  .steps = steps_,
                  .broken = chronicle_.broken(),
                  .last_events = {},
                  .sums = ledger_.sums(),
                  .power_cuts = power_cuts_,
                  .stops = stops_};
  if (outcome.broken) outcome.last_events = chronicle_.last_events();
  return outcome;
}

bool World::all_is_done() const {
  return !trouble_ && submitter_->busy() == 0 && lives() && server_->store().size() == 0 &&
         server_->dispatcher().counts().messages == 0;
}

// Whatever happened before: the server ends, and nothing of it is left.
void World::finish() {
  over_ = true;
  trouble_ = false;
  power_goes_in_steps_ = 0;
  if (server_)
    ends_of_lives_.spawn(end_life(std::exchange(server_, nullptr), std::chrono::seconds(5)));
  for (const auto& [host, receiver] : receivers_) tasks_.spawn(receiver->join());
  const bool ended = loop_.run_until(
      [this] { return tasks_.running() == 0 && ends_of_lives_.running() == 0; }, winding_down_max);
  if (!ended) chronicle_.broken("everything ends", "tasks of the world do not end");
}

void World::after_each_step() {
  ++steps_;
  chronicle_.at(loop_.now());
  if (power_goes_in_steps_ != 0 && --power_goes_in_steps_ == 0) cut_power();
  check_limits();
  check_memory();
}

void World::start_server() {
  auto server = std::make_unique<Server>(Surroundings{loop_,
                                                      clock_,
                                                      chronicle_,
                                                      ledger_,
                                                      witness_,
                                                      disk_,
                                                      server_options_,
                                                      receivers_,
                                                      network_,
                                                      dns_fails_one_in_,
                                                      mailbox_fails_one_in_,
                                                      options_.fault},
                                         dice_.fork());
  powered_ = server.get();
  const bool same_power = std::exchange(disk_seen_, disk_.generation()) == disk_.generation();
  const bool works = server->start(same_power ? Witness::Since::stop : Witness::Since::power_cut);
  chronicle_.tell("the server {}", works ? "starts" : "cannot start");
  server_ = std::move(server);
}

Task<void> World::bring_up() {
  const auto timer = loop_.make_timer();
  while (!over_ && !lives()) {
    co_await timer->wait_until(loop_.now() +
                               dice_.between(std::chrono::seconds(1), std::chrono::minutes(2)));
    if (!over_ && !server_) start_server();
  }
}

Task<void> World::end_life(std::unique_ptr<Server> server, std::chrono::seconds grace) {
  const bool clean = server->has_power();
  co_await server->stop(grace);
  const bool stopped_in_peace = clean && server->has_power();
  if (stopped_in_peace) check_the_end(*server);
  if (powered_ == server.get()) powered_ = nullptr;
  server.reset();
  if (!stopped_in_peace) co_return;
  chronicle_.tell("the server has stopped");
  if (!over_) tasks_.spawn(bring_up());
}

void World::cut_power() {
  if (powered_ == nullptr || !powered_->has_power()) return;
  ++power_cuts_;
  chronicle_.tell("the power goes");
  disk_.cut_power();
  powered_->cut_power();
  waits_since_.clear();
  if (server_)
    ends_of_lives_.spawn(end_life(std::exchange(server_, nullptr), std::chrono::seconds(0)));
  tasks_.spawn(bring_up());
}

Outcome play(const PlayOptions& options) {
  auto world = std::make_unique<World>(options);
  Outcome outcome = world->run();
  // Coroutines that do not end refer to it: it stays.
  if (outcome.broken && outcome.broken->law == "everything ends")
    static_cast<void>(world.release());
  return outcome;
}

}  // namespace tapal::sim
