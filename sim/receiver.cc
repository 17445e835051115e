#include "sim/receiver.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace tapal::sim {
namespace {

using smtp::make_reply;

constexpr auto greylist_time = std::chrono::minutes(5);
constexpr auto patience = std::chrono::minutes(10);

struct NoTls final : TlsServer {};

}  // namespace

struct Receiver::Visit {
  std::unique_ptr<WireStream> stream;
  std::shared_ptr<Wire> wire;
  smtp::ServerSession core;
  Stage strange_at = Stage::none;
  bool hangs = false;           // when strange: silent rather than gone
  bool in_transaction = false;  // with a recipient taken: before, the client may be done with it
  std::size_t recipients = 0;
  std::size_t messages = 0;
  std::string text;
  std::shared_ptr<std::uint64_t> yes_said;  // of the message whose answer is to be said next
};

Mood some_mood(Dice& dice) {
  Mood mood;
  mood.thinks_max = dice.between(std::chrono::milliseconds(1), std::chrono::seconds(5));
  if (dice.one_in(3)) return mood;
  mood.refuses_connections = dice.one_in(12);
  mood.busy = dice.one_in(12);
  mood.greylists = dice.one_in(5);
  mood.defers_one_in = dice.one_in(2) ? dice.between(2, 6) : 0;
  mood.bounces_one_in = dice.one_in(3) ? dice.between(2, 10) : 0;
  mood.full_one_in = dice.one_in(4) ? dice.between(2, 6) : 0;
  mood.strange_one_in = dice.one_in(3) ? dice.between(1, 6) : 0;
  if (dice.one_in(4)) mood.connections_max = dice.between(1, 3);
  if (dice.one_in(4)) mood.messages_per_minute_max = dice.between(1, 5);
  if (dice.one_in(4)) mood.recipients_max = dice.between(1, 3);
  if (dice.one_in(3)) mood.tls = smtp::ServerTls::starttls;
  mood.broken_tls_one_in = dice.one_in(3) ? 2 : 0;
  return mood;
}

bool Receiver::is_healthy() const {
  return !mood.refuses_connections && !mood.busy && !mood.greylists && mood.defers_one_in == 0 &&
         mood.full_one_in == 0 && mood.strange_one_in == 0;
}

std::optional<Error> Receiver::tls_failure() {
  if (mood.broken_tls_one_in == 0 || !dice_.one_in(mood.broken_tls_one_in)) return {};
  return Error{Code::denied, "handshake failure"};
}

void Receiver::begin(std::unique_ptr<WireStream> stream, std::shared_ptr<Wire> wire) {
  tasks_.spawn(serve(std::move(stream), std::move(wire)));
}

Task<void> Receiver::join() {
  for (Visit* visit : visits_) visit->stream->close();
  co_await tasks_.join();
}

Task<void> Receiver::serve(std::unique_ptr<WireStream> stream, std::shared_ptr<Wire> wire) {
  smtp::ServerOptions options;
  options.hostname = "mx." + domain_;
  options.tls = mood.tls;
  options.limits.recipients = mood.recipients_max;
  Visit visit{.stream = std::move(stream),
              .wire = std::move(wire),
              .core = smtp::ServerSession(options, world_.loop.now())};
  if (mood.strange_one_in != 0 && dice_.one_in(mood.strange_one_in)) {
    visit.strange_at = static_cast<Stage>(dice_.between(1, 6));
    visit.hangs = dice_.one_in(3);
  }
  const auto place = visits_.insert(visits_.end(), &visit);
  if (mood.busy || visits_.size() > mood.connections_max)
    visit.core.on_overload(make_reply(421, "4.3.2", "too many connections"));
  if (!co_await is_strange(Stage::greeting, visit)) co_await talk(visit);
  visit.stream->close();
  visits_.erase(place);
}

Task<void> Receiver::talk(Visit& visit) {
  for (;;) {
    while (auto action = visit.core.next_action()) {
      const bool goes_on = co_await perform(*std::move(action), visit);
      if (!goes_on) co_return;
    }
    if (!visit.core.wants_bytes()) co_return;
    std::array<char, 4096> buffer{};
    const auto count = co_await visit.stream->read(buffer, world_.loop.now() + patience);
    if (!count) co_return;
    visit.core.on_bytes({buffer.data(), *count}, world_.loop.now());
  }
}

// True when the visit ends here, by this side going away or by the other giving up on a silent one.
Task<bool> Receiver::is_strange(Stage stage, Visit& visit) {
  if (visit.strange_at != stage) co_return false;
  world_.chronicle.tell(
      "{} {} at stage {}", domain_, visit.hangs ? "hangs" : "hangs up", static_cast<int>(stage));
  if (!visit.hangs) co_return true;
  std::array<char, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read() fills it
  while (co_await visit.stream->read(buffer, never)) {
  }
  co_return true;
}

Task<void> Receiver::think() {
  const auto timer = world_.loop.make_timer();
  co_await timer->wait_until(world_.loop.now() + dice_.between(Duration(0), mood.thinks_max));
}

Task<bool> Receiver::perform(smtp::ServerAction action, Visit& visit) {
  if (auto* send = std::get_if<smtp::Send>(&action)) {
    if (const auto yes = std::exchange(visit.yes_said, nullptr))
      *yes = visit.wire->said[1] + send->bytes.size();
    const auto written = co_await visit.stream->write(send->bytes, world_.loop.now() + patience);
    co_return written.has_value();
  }
  if (std::holds_alternative<smtp::Close>(action)) co_return false;
  if (std::holds_alternative<smtp::StartTls>(action)) {
    NoTls tls;
    const auto state = co_await visit.stream->accept_tls(tls, world_.loop.now() + patience);
    if (!state) co_return false;
    visit.core.on_tls({state->version, state->cipher}, world_.loop.now());
  } else if (std::holds_alternative<smtp::AskSender>(action)) {
    const bool strange = co_await is_strange(Stage::sender, visit);
    if (strange) co_return false;
    visit.core.on_sender(answer_sender(visit), world_.loop.now());
  } else if (auto* recipient = std::get_if<smtp::AskRecipient>(&action)) {
    const bool strange = co_await is_strange(Stage::recipient, visit);
    if (strange) co_return false;
    visit.core.on_recipient(answer_recipient(recipient->recipient, visit), world_.loop.now());
  } else if (auto* body = std::get_if<smtp::BodyBytes>(&action)) {
    const bool strange = co_await is_strange(Stage::body, visit);
    if (strange) co_return false;
    visit.text += body->bytes;
  } else if (std::holds_alternative<smtp::AbandonBody>(action)) {
    visit.text.clear();
    visit.in_transaction = false;
  } else if (auto* stored = std::get_if<smtp::AskStore>(&action)) {
    co_return co_await store(stored->envelope, visit);
  }
  co_return true;
}

Task<bool> Receiver::store(const mail::Envelope& envelope, Visit& visit) {
  const bool strange_before = co_await is_strange(Stage::end, visit);
  if (strange_before) co_return false;
  co_await think();
  // From here on the client may think it is done: the answer is as good as given.
  visit.in_transaction = false;
  const smtp::Reply reply = answer_message(envelope, visit);
  visit.text.clear();
  const bool strange_after = co_await is_strange(Stage::after_end, visit);
  if (strange_after) co_return false;
  visit.core.on_stored(reply, world_.loop.now());
  co_return true;
}

void Receiver::check_transactions() {
  const auto open = std::ranges::count_if(
      visits_, [](const Visit* visit) { return visit->in_transaction && !visit->wire->cut; });
  if (static_cast<std::size_t>(open) > laws_.transactions_at_once_max)
    world_.chronicle.broken(
        "attempts at once at a destination", "{} has {} transactions at once", domain_, open);
}

std::optional<smtp::Reply> Receiver::answer_sender(Visit& visit) {
  visit.in_transaction = false;
  visit.recipients = 0;
  visit.text.clear();
  if (++visit.messages > laws_.messages_per_connection_max)
    world_.chronicle.broken("messages per connection", "{} gets {}", domain_, visit.messages);
  const auto minute = world_.loop.now().time_since_epoch() / std::chrono::minutes(1);
  if (std::exchange(minute_, minute) != minute) messages_this_minute_ = 0;
  if (++messages_this_minute_ <= mood.messages_per_minute_max) return {};
  return make_reply(450, "4.7.0", "too many messages, slow down");
}

std::optional<smtp::Reply> Receiver::answer_recipient(const mail::Recipient& recipient,
                                                      Visit& visit) {
  const auto address = recipient.address.text();
  if (++visit.recipients > laws_.recipients_per_transaction_max)
    world_.chronicle.broken(
        "recipients per transaction", "{} gets {} at once", domain_, visit.recipients);
  if (mood.greylists) {
    const auto [first, is_new] = first_seen_.try_emplace(address, world_.loop.now());
    if (is_new || world_.loop.now() < first->second + greylist_time)
      return make_reply(451, "4.7.1", "greylisted, come back in five minutes");
  }
  if (mood.defers_one_in != 0 && dice_.one_in(mood.defers_one_in))
    return make_reply(451, "4.3.0", "not now");
  if (mood.bounces_one_in != 0 && dice_.one_in(mood.bounces_one_in)) {
    world_.chronicle.tell("{} refuses {}", domain_, address);
    world_.ledger.refused(address);
    return make_reply(550, "5.1.1", "no such user");
  }
  visit.in_transaction = true;
  check_transactions();
  return {};
}

smtp::Reply Receiver::answer_message(const mail::Envelope& envelope, Visit& visit) {
  if (mood.full_one_in != 0 && dice_.one_in(mood.full_one_in))
    return make_reply(452, "4.3.1", "no room");
  auto reply = make_reply(250, "2.0.0", "taken");
  // Until this is said to its end, the sender is in the dark.
  visit.yes_said = std::make_shared<std::uint64_t>(UINT64_MAX);
  const Receipt receipt{visit.wire, visit.yes_said, false};
  if (world_.fault == Fault::lost_delivery && dice_.one_in(20)) return reply;
  const bool doubled = world_.fault == Fault::doubled_delivery && dice_.one_in(20);
  for (const mail::Recipient& recipient : envelope.recipients)
    for (int copies = doubled ? 2 : 1; copies > 0; --copies)
      world_.ledger.delivered(recipient.address.text(), visit.text, receipt);
  return reply;
}

}  // namespace tapal::sim
