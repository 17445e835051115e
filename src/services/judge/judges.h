// All judges, asked in order; each sees the message as those before it have changed it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ports/log.h"
#include "services/judge/judge.h"

namespace tapal::judge {

// What all of them together decided.
struct Verdict {
  Action action = Action::accept;
  smtp::Reply reply;   // for defer and refuse: to be given to the client as it is
  std::string by;      // the judge that decided; empty where nobody objects
  std::string reason;  // its reason, for the log
  Mail mail;           // as the judges changed it: header, body, recipients, return path
  bool header_changed = false;
  bool body_changed = false;
  bool envelope_changed = false;
};

class Judges {
 public:
  explicit Judges(Log& log) : log_(log) {}

  void add(std::unique_ptr<Judge> judge, WhenDown when_down);
  bool empty() const { return seats_.empty(); }
  // Ends with the first that refuses, defers or discards. `this` must outlive the task.
  Task<Verdict> look_at(Mail mail) const;

 private:
  struct Seat {
    std::unique_ptr<Judge> judge;
    WhenDown when_down = WhenDown::accept;
  };
  void on_down(const Seat& seat, const Error& error, Verdict& verdict) const;
  void take_in(const Seat& seat, Opinion opinion, Verdict& verdict) const;

  Log& log_;
  std::vector<Seat> seats_;
};

}  // namespace tapal::judge
