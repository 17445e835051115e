// What happens to a world, and when.
#include <utility>

#include "sim/world.h"

namespace tapal::sim {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<std::string_view, 3> users{"alice", "bob", "carol"};

// Lines as mail has them: some begin with a dot, some are empty.
std::string some_text(Dice& dice, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) {
    if (dice.one_in(8)) text += '.';
    for (auto left = dice.between(0, 70); left > 0; --left)
      text += static_cast<char>('a' + dice.below(26));
    text += "\r\n";
  }
  return text;
}

}  // namespace

void World::make_options() {
  auto& options = server_options_;
  options.delivery.port = 25;
  options.delivery.tls = delivery::TlsMode::opportunistic;
  options.delivery.messages_per_connection_max = dice_.between(1, 10);
  options.delivery.cached_body_bytes_max = dice_.between(0, 64) * 1024;
  options.delivery.idle_connection = seconds(dice_.between(0, 20));
  options.scheduler.attempts_at_once_max = dice_.between(2, 12);
  options.scheduler.retries_at_once_max = dice_.between(1, options.scheduler.attempts_at_once_max);
  options.scheduler.attempts_per_site_max = dice_.between(1, 4);
  options.scheduler.recipients_per_transaction_max = dice_.between(1, 6);
  options.scheduler.messages_waiting_max = dice_.one_in(4) ? dice_.between(3, 10) : 1000;
  options.connections = {.all_max = dice_.between(3, 20), .per_address_max = dice_.between(2, 10)};
  options.intake.host_name = options.host_name;
  options.intake.trusted_networks = {IpNetwork::from_text("192.0.2.0/24").value()};
  body_bytes_max_ = dice_.one_in(3) ? 60'000 : 3'000;
  lawful_ = options;
  if (options_.fault != Fault::raised_limits) return;
  options.scheduler.attempts_at_once_max += 4;
  options.scheduler.attempts_per_site_max += 2;
  options.scheduler.recipients_per_transaction_max += 4;
  options.delivery.messages_per_connection_max += 1;
}

void World::make_receivers() {
  const auto domains = dice_.between(3, 8);
  const ReceiverLaws laws{lawful_.scheduler.attempts_per_site_max,
                          lawful_.scheduler.recipients_per_transaction_max,
                          lawful_.delivery.messages_per_connection_max};
  for (std::uint64_t i = 0; i < domains; ++i) {
    const auto domain = fmt::format("d{}.example", i);
    const auto hosts = dice_.one_in(2) ? dice_.between(2, 3) : 1;
    for (std::uint64_t host = 1; host <= hosts; ++host) {
      auto receiver = std::make_unique<Receiver>(
          Receiver::World{loop_, chronicle_, ledger_, options_.fault}, domain, laws, dice_.fork());
      receiver->mood = some_mood(dice_);
      receivers_.emplace(fmt::format("mx{}.{}", host, domain), std::move(receiver));
    }
  }
}

void World::live_through_trouble() {
  struct Habit {
    Event event;
    Duration least;
    Duration most;
  };
  const Habit habits[] = {
      {&World::submit_mail, seconds(1), minutes(28)},
      {&World::change_a_mood, minutes(1), minutes(40)},
      {&World::change_the_weather, minutes(2), minutes(30)},
      {&World::jump_the_clock, minutes(30), hours(5)},
      {&World::give_an_order, minutes(5), hours(1)},
      {&World::stop_cleanly, minutes(30), hours(5)},
      {&World::cut_power_soon, minutes(10), hours(3)},
  };
  for (const Habit& habit : habits)
    tasks_.spawn(now_and_then(habit.event, habit.least, habit.most));
  tasks_.spawn(trouble_ends(dice_.between(hours(2), hours(6))));
  tasks_.spawn(watch_the_queue());
}

Task<void> World::now_and_then(Event event, Duration least, Duration most) {
  const auto timer = loop_.make_timer();
  while (trouble_) {
    co_await timer->wait_until(loop_.now() + dice_.between(least, most));
    if (trouble_) (this->*event)();
  }
}

Task<void> World::trouble_ends(Duration after) {
  const auto timer = loop_.make_timer();
  co_await timer->wait_until(loop_.now() + after);
  if (!trouble_) co_return;
  calm_down();
  // Somebody looks after what was held.
  co_await timer->wait_until(loop_.now() + minutes(10));
  if (lives())
    for (const QueueId id : ledger_.open_ids()) server_->order(queue::Order::Kind::release, id);
}

void World::submit_mail() {
  const std::uint64_t burst = dice_.one_in(5) ? dice_.between(2, 6) : 1;
  for (std::uint64_t i = 0; i < burst; ++i) {
    std::vector<std::string> recipients;
    for (auto left = dice_.between(1, dice_.one_in(4) ? 12 : 3); left > 0; --left) {
      const auto place = dice_.below(receivers_.size() + 1);
      if (place < receivers_.size()) {
        const auto& domain =
            std::next(receivers_.begin(), static_cast<std::ptrdiff_t>(place))->second->domain();
        recipients.push_back(fmt::format("r{}@{}", ++recipients_made_, domain));
        continue;
      }
      auto user = fmt::format("{}@own.example", dice_.pick(users));
      if (std::ranges::find(recipients, user) == recipients.end())
        recipients.push_back(std::move(user));
    }
    auto sender = fmt::format("{}@own.example", dice_.pick(users));
    auto text = some_text(dice_, dice_.below(dice_.one_in(5) ? body_bytes_max_ : 300));
    const Mail& mail = ledger_.submit(std::move(sender), std::move(recipients), std::move(text));
    chronicle_.tell("mail {} to {} recipients, {} bytes",
                    mail.number,
                    mail.recipients.size(),
                    mail.text.size());
    tasks_.spawn(submitter_->submit(mail));
  }
}

void World::change_a_mood() {
  const auto place = static_cast<std::ptrdiff_t>(dice_.below(receivers_.size()));
  const auto& [host, receiver] = *std::next(receivers_.begin(), place);
  receiver->mood = some_mood(dice_);
  chronicle_.tell("{} is {}", host, receiver->is_healthy() ? "well" : "in a mood");
}

void World::change_the_weather() {
  disk_.weather = {};
  network_ = {};
  dns_fails_one_in_ = dice_.one_in(3) ? dice_.between(1, 4) : 0;
  mailbox_fails_one_in_ = dice_.one_in(3) ? dice_.between(1, 4) : 0;
  disk_.weather.full = dice_.one_in(6);
  if (dice_.one_in(4)) disk_.weather.sync_fails_one_in = dice_.between(2, 8);
  if (dice_.one_in(4)) disk_.weather.append_fails_one_in = dice_.between(2, 20);
  network_.latency_max = dice_.between(std::chrono::milliseconds(1), seconds(2));
  network_.piece_bytes_max = dice_.one_in(3) ? dice_.between(20, 100) : 1400;
  network_.cut_one_in = dice_.one_in(2) ? dice_.between(2, 20) : 0;
  chronicle_.tell("weather: disk {}, {} {}, dns {}, mailbox {}, line {}",
                  disk_.weather.full ? "full" : "has room",
                  disk_.weather.sync_fails_one_in,
                  disk_.weather.append_fails_one_in,
                  dns_fails_one_in_,
                  mailbox_fails_one_in_,
                  network_.cut_one_in);
}

void World::jump_the_clock() {
  const auto span = std::chrono::duration_cast<std::chrono::milliseconds>(
      dice_.one_in(6) ? dice_.between(hours(96), hours(150))
                      : dice_.between(seconds(1), hours(30)));
  clock_.offset += dice_.one_in(2) ? span : -std::min(span, std::chrono::milliseconds(hours(30)));
  if (options_.fault == Fault::stopped_clock) clock_.stopped_at = loop_.wall_now() + clock_.offset;
  chronicle_.tell("the calendar jumps to {} ms from the truth", clock_.offset.count());
}

void World::give_an_order() {
  using Order = queue::Order::Kind;
  constexpr std::array orders{Order::retry, Order::retry, Order::hold, Order::release, Order::drop};
  const auto ids = ledger_.open_ids();
  if (!lives() || ids.empty()) return;
  const auto order = dice_.pick(orders);
  server_->order(order, ids[dice_.below(ids.size())]);
}

void World::stop_cleanly() {
  if (!lives()) return;
  ++stops_;
  const auto grace = seconds(dice_.between(0, 20));
  chronicle_.tell("the server is to stop within {} s", grace.count());
  waits_since_.clear();
  ends_of_lives_.spawn(end_life(std::exchange(server_, nullptr), grace));
}

void World::cut_power_soon() { power_goes_in_steps_ = dice_.between(1, 3000); }

void World::calm_down() {
  trouble_ = false;
  power_goes_in_steps_ = 0;
  disk_.weather = {};
  network_ = {.cut_one_in = 0};
  dns_fails_one_in_ = 0;
  mailbox_fails_one_in_ = 0;
  for (const auto& [host, receiver] : receivers_) receiver->mood = {};
  chronicle_.tell("all is well from here on");
}

}  // namespace tapal::sim
