// Somebody who hands mail to the server and tries again until it is told yes or no: a machine of a
// trusted network on port 25, or a user who logs in under TLS, with the wrong password now and
// then. It talks slowly, quickly, all at once, or not to the end.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "protocols/smtp/reply.h"
#include "services/intake/smtp_session.h"
#include "sim/ledger.h"
#include "sim/wire.h"

namespace tapal::sim {

class Submitter {
 public:
  struct World {
    VirtualLoop& loop;
    Chronicle& chronicle;
    Ledger& ledger;
    NetworkWeather& network;
    // Leads to the server that is there now; false: connection refused.
    std::function<bool(intake::Door, std::unique_ptr<WireStream>)> knock;
    std::function<bool()> is_over;  // nobody is to try any more
  };
  Submitter(World world, Dice dice) : world_(std::move(world)), dice_(dice) {}

  // Ends when the server has said yes or no, or patience has.
  Task<void> submit(const Mail& mail);
  std::size_t busy() const { return busy_; }

 private:
  enum class Answer : std::uint8_t { yes, no, later };
  struct Talk;
  Task<Answer> try_once(const Mail& mail);
  Task<Answer> converse(const Mail& mail, Talk& talk);
  Task<smtp::Reply> be_let_in(const Mail& mail, Talk& talk);
  Task<smtp::Reply> hello(Talk& talk);
  Task<smtp::Reply> log_in(const Mail& mail, Talk& talk);
  Task<bool> shake_hands(Talk& talk);
  Task<smtp::Reply> say_envelope(const Mail& mail, Talk& talk);
  Task<smtp::Reply> ask(Talk& talk, std::string line);
  Task<smtp::Reply> hear(Talk& talk);
  Task<bool> say(Talk& talk, std::string_view bytes);
  Task<void> pause(Duration least, Duration most);

  World world_;
  Dice dice_;
  std::size_t busy_ = 0;
};

}  // namespace tapal::sim
