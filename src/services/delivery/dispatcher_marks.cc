// The window in which SMTP cannot know whether a message arrived: marked, and waited out after a
// restart (ports/final_dot_marks.h).
#include <algorithm>
#include <utility>

#include "services/delivery/dispatcher.h"
#include "values/text/date.h"

namespace tapal::delivery {

// Nothing: there are no marks, or more attempts than marks.
std::optional<std::size_t> Dispatcher::lend_mark(Attempt& attempt) {
  if (free_marks_.empty()) return {};
  const auto mark = free_marks_.back();
  free_marks_.pop_back();
  attempt.before_end = [marks = world_.marks, mark, id = attempt.id, indexes = attempt.indexes] {
    marks->set(mark, id, indexes);
  };
  return mark;
}

// When the outcome is kept.
void Dispatcher::give_back(std::size_t mark) {
  world_.marks->clear(mark);
  free_marks_.push_back(mark);
}

// What the process before this one left marked waits. Until that is kept the marks stay.
Task<void> Dispatcher::put_off_marked() {
  if (world_.marks == nullptr) co_return;
  const auto until = world_.clock.wall_now() + world_.options.retry_after_lost_reply;
  StoreChange change;
  for (const auto& mark : world_.marks->all()) {
    auto message = world_.store.load(mark.message);
    if (!message) continue;  // it had ended, and nobody wrote the mark off
    const auto waits = queue::put_off(*message, mark.recipients, until);
    if (waits == 0) continue;
    world_.log.write(Level::warning,
                     "message may have been delivered",
                     {{"queue_id", mark.message.text()},
                      {"recipients", std::to_string(waits)},
                      {"next", text::rfc3339_date(until)},
                      {"reason", "tapal ended after the message was sent and before the reply"}});
    change.updated.push_back(*std::move(message));
  }
  if (!change.updated.empty()) {
    const auto kept =
        co_await world_.store.commit(world_.loop, std::move(change), Durability::synced);
    if (!kept) {
      world_.log.write(Level::error, "marks not kept", {{"reason", kept.error().what}});
      co_return;
    }
  }
  for (std::size_t mark = 0; mark < world_.marks->slots(); ++mark) give_back(mark);
}

}  // namespace tapal::delivery
