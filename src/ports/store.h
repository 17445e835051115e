// The spool: what was answered 250 for is here until it is delivered or its sender is told.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/queue_id.h"
#include "base/result.h"
#include "base/task.h"
#include "ports/body.h"
#include "ports/kept_records.h"
#include "ports/loop.h"
#include "rules/queue/message.h"

namespace tapal {

// One change of the spool; all of it is on stable storage or none of it.
struct StoreChange {
  struct NewMessage {
    queue::Message message;
    std::unique_ptr<BodyWriter> body;
  };
  std::vector<NewMessage> added;
  std::vector<queue::Message> updated;  // state only; the body stays
  std::vector<QueueId> removed;         // with their bodies
  RecordsChange return_paths;           // of what is added (RecordKind::return_path)
};

enum class Durability : std::uint8_t {
  synced,   // on stable storage before commit() returns; shared with all who wait
  relaxed,  // ordered after what came before, on stable storage with the next sync: losing it
            // repeats an attempt, never loses a message
};

struct Store {
  virtual ~Store() = default;
  // The name of a message to be added: greater than any given before and any in the store, so that
  // no two share a name even in one millisecond, or when the clock steps back. Any thread.
  virtual QueueId new_id(WallTime now) = 0;
  virtual std::unique_ptr<BodyWriter> new_body() = 0;  // safe from any thread
  // Comes back to `loop` with the bodies of the added messages, in order, to be read from now on.
  // Code::full when the disk is: nothing of the change is then kept.
  virtual Task<Result<std::vector<BodyPtr>>> commit(Loop& loop,
                                                    StoreChange change,
                                                    Durability durability) = 0;
  virtual Result<BodyPtr> load_body(QueueId id) = 0;
  virtual Result<queue::Message> load(QueueId id) = 0;
  // The messages after this one (QueueId{}: all), oldest first, until `each` says no; it may not
  // call the store.
  virtual Result<void> scan(QueueId after, std::move_only_function<bool(queue::Message)> each) = 0;
  virtual std::uint64_t free_bytes() const = 0;  // room left on the spool's disk
};

}  // namespace tapal
