// Where events are told. One event is one line a person can read; fields are for machines.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tapal {

enum class Level : std::uint8_t { debug, info, warning, error };

// A field's name is lower case with underscores: queue_id, from, to, relay, reply.
using LogFields = std::vector<std::pair<std::string_view, std::string>>;

struct Log {
  virtual ~Log() = default;
  // `event` is a short phrase: "message accepted". Values are escaped by the sink; never pass a
  // secret. Safe from any thread.
  virtual void write(Level level, std::string_view event, LogFields fields = {}) = 0;
};

}  // namespace tapal
