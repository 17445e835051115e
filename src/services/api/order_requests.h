// What the control socket is ordered about the queue: to messages that wait, and as hold rules. A
// "filter" is that of rules/queue/filter.h.
//   {"command":"queue retry|hold|release|drop|bounce|move","filter":{},"all":true,
//    "text":"...","route":"host:port"|"usual"}
//       {"ok":true,"messages":2,"recipients":3,"under_way":0}    "under_way": left alone, since
//       they are being tried. Drop and bounce want a filter, or "all" in its place; bounce may have
//       a text, move has a route.
//   {"command":"queue rule add","filter":{},"note":"...","until":"2026-...Z"|"seconds":3600}
//       {"ok":true,"rule":1,"recipients":3}                      which it holds now
//   {"command":"queue rule list"}
//       {"ok":true,"rules":[{"rule":1,"filter":{},"options":"--domain
//       ...","note":"","until":"..."}]}
//   {"command":"queue rule del","rule":1}      {"ok":true,"rule":1,"recipients":3}  which it held
#pragma once

#include <optional>

#include <boost/json/object.hpp>

#include "base/task.h"

namespace tapal::api {

struct ControlWorld;

// Nothing when the request is about something else.
Task<std::optional<boost::json::object>> answer_order_request(ControlWorld& world,
                                                              const boost::json::object& request);

}  // namespace tapal::api
