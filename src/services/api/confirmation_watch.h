// Looks out for Gmail's confirmation messages while somebody waits for one, and costs nothing while
// nobody does.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/queue_id.h"
#include "services/intake/mail_observer.h"
#include "values/mail/address.h"
#include "values/mail/gmail_confirmation.h"

namespace tapal::api {

struct SeenConfirmation {
  QueueId id;
  mail::GmailConfirmation confirmation;
  std::string message;  // whole, as it is kept: for whoever checks its signatures
};

// Safe from any thread.
class ConfirmationWatch final : public intake::MailObserver {
 public:
  // One who waits for the confirmation of `address`, from its making to its end.
  class Watcher {
   public:
    Watcher(ConfirmationWatch& watch, mail::Address address);
    ~Watcher();
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;

    std::optional<SeenConfirmation> take();  // the newest since the last call

   private:
    friend class ConfirmationWatch;
    ConfirmationWatch& watch_;
    mail::Address address_;
    std::optional<SeenConfirmation> seen_;
  };

  void on_received(const queue::Message& message, const Body& body) override;

 private:
  std::atomic<bool> is_watched_ = false;
  std::mutex mutex_;  // guards what follows, and what watchers have seen
  std::vector<Watcher*> watchers_;
};

}  // namespace tapal::api
