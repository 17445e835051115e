// What the control socket tells of the queue. A "filter" is that of rules/queue/filter.h, all mail
// where it is absent; "limit" bounds what is listed (1000).
//   {"command":"queue list","filter":{},"limit":100,"why":true}
//       {"ok":true,"messages":[{...,"matching":["x@far.example"],"why":"...","waits":[...]}],
//        "total":3}                      of the whole queue
//   {"command":"queue count","filter":{}}      {"ok":true,"messages":2,"recipients":3,"bytes":4096}
//   {"command":"queue show","id":"..."} {"ok":true,"message":{...},"why":"...","waits":[...]}
//   {"command":"queue sites","limit":20}       {"ok":true,"sites":[{"site":"far.example",...}]}
//   {"command":"why","what":"ID or address"}   {"ok":true,"why":["..."],"waits":[[...]]}
// One of "waits": {"recipients":["x@far.example"],"site":"far.example","reason":"time","limit":"",
// "until":"2026-...","text":"...","change":"..."}; "until" only where it is known.
#pragma once

#include <optional>

#include <boost/json/object.hpp>

#include "base/result.h"
#include "base/task.h"
#include "rules/queue/filter.h"

namespace tapal::api {

struct ControlWorld;

Result<queue::Filter> filter_of(const boost::json::object& request);

// Nothing when the request is about something else.
Task<std::optional<boost::json::object>> answer_queue_request(ControlWorld& world,
                                                              const boost::json::object& request);

}  // namespace tapal::api
