#include "app/cli/command.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/result.h"

namespace tapal::app {

int tell(const Error& error) {
  fmt::print(stderr, "tapal: {}\n", error.what);
  return exit_failed;
}

void print_json(const boost::json::object& answer) {
  fmt::print("{}\n", boost::json::serialize(answer));
}

}  // namespace tapal::app
