// The control socket: one JSON object a line asks, one JSON object a line answers. Who may open the
// socket may ask anything, so only its owner can.
//   {"command":"queue ..."}  {"command":"why"}   queue_requests.h, order_requests.h
//   {"command":"guesses"} {"ok":true,"guesses":[{"what":"...","wrong":3.2,"refused_seconds":0}]}
//   {"command":"watch","address":"ann@example.com","seconds":60}
//       {"ok":true,"confirmation":{...}|null}   when Gmail's confirmation comes, the time is over,
//       or
//                                               the client says something more
//   {"command":"follow"}  {"ok":true}: from here on this connection sees what happens
//   {"command":"events","queue_id":"...","seconds":60}   to a message since then, or since the last
//       {"ok":true,"events":[{"event":"message delivered","to":"<...>",...}]}   question; waits for
//                                                        the first, or for the time to be over
//   {"command":"challenge show","token":"...","authorization":"..."}      answers of another ACME
//   {"command":"challenge show","host":"...","chain":"PEM","key":"PEM"}   client: http-01,
//   tls-alpn-01
//   {"command":"challenge withdraw","token":"..."|"host":"..."}
//   {"command":"status"}  {"command":"reload"}
//   what other parts answer (ControlWorld::others): {"ok":true,"result":...}
// A refusal is {"ok":false,"error":"..."}.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "ports/challenge_board.h"
#include "ports/clock.h"
#include "ports/loop.h"
#include "ports/store.h"
#include "ports/stream.h"
#include "ports/workers.h"
#include "services/api/confirmation_watch.h"
#include "services/api/event_watch.h"
#include "services/delivery/dispatcher.h"
#include "services/intake/authenticator.h"

namespace tapal::api {

// A command of another part: gets the whole request, gives a JSON text.
using OtherCommand = std::function<Task<Result<std::string>>(std::string request)>;

// References must outlive the control.
struct ControlWorld {
  Loop& loop;  // the dispatcher's
  delivery::Dispatcher& dispatcher;
  Store& store;
  Workers& workers;  // the spool is read there
  Clock& clock;
  std::function<Result<void>()> reload;  // may block for a moment; called on a worker
  intake::Authenticator& authenticator;
  ConfirmationWatch& confirmations;
  EventWatch& events;
  ChallengeBoard& challenges;
  std::map<std::string, OtherCommand, std::less<>> others;  // by the command's name
};

class Control {
 public:
  explicit Control(ControlWorld world);
  ~Control();

  void begin(std::unique_ptr<Stream> stream);
  Task<void> stop();  // cuts every connection

 private:
  Task<void> serve(std::unique_ptr<Stream> stream);

  ControlWorld world_;
  std::set<Stream*> open_;
  TaskGroup tasks_;
};

}  // namespace tapal::api
