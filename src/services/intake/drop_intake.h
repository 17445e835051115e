// Takes in what programs of this machine left in the drop folder, one message after the other, as
// mail of a client that may send to anyone. What is refused goes back to its sender: nobody waits
// for an answer any more.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "ports/drop_folder.h"
#include "ports/workers.h"
#include "rules/queue/dropped_mail.h"
#include "services/intake/memory_budget.h"
#include "services/intake/smtp_session.h"
#include "services/intake/transaction.h"
#include "values/mail/dsn.h"

namespace tapal::intake {

struct LocalUser {
  std::string login;
  std::string full_name;  // or empty
};

// References must outlive the intake.
struct DropWorld {
  SessionWorld session;  // of the loop that run() is on; without patience for first attempts
  DropFolder& folder;
  Workers& workers;                                    // the folder is read there
  std::function<LocalUser(std::uint32_t id)> user_of;  // called there, too
};

class DropIntake {
 public:
  explicit DropIntake(DropWorld world);

  // All on the loop's thread.
  Task<void> run();  // until stop(), and then to the end of the message under way
  void wake();       // something may have been left
  void stop();

 private:
  struct Drop {
    LocalUser user;
    queue::DroppedMail mail;
  };
  struct Refused {
    std::string recipient;  // empty: all of them
    smtp::Reply reply;
  };
  enum class Fate : std::uint8_t { done, later };

  Task<void> take_in_all();
  Task<Fate> take_in(const std::string& name);
  Result<Drop> read(const std::string& name) const;  // on a worker
  Task<Fate> send(const Drop& drop, const std::string& name);
  Task<smtp::Reply> submit(const Drop& drop,
                           Transaction& transaction,
                           std::vector<Refused>& refused);
  smtp::Reply add(Transaction& transaction, const std::string& recipient) const;
  Task<void> tell_sender(const Drop& drop, const std::vector<Refused>& refused);
  mail::DeliveryReport report_on(const Drop& drop,
                                 const std::vector<Refused>& refused,
                                 const mail::Address& to) const;
  std::string message_of(const Drop& drop) const;
  std::string local_domain() const;
  Result<mail::Address> address_of(const std::string& text) const;
  Result<std::optional<mail::Address>> sender_of(const Drop& drop) const;

  DropWorld world_;
  const Options& options_;
  MemoryBudget memory_;
  std::unique_ptr<Timer> timer_;
  bool is_woken_ = false;
  bool is_stopped_ = false;
};

}  // namespace tapal::intake
