// How lists of waiting mail are printed for people.
#pragma once

#include <boost/json/object.hpp>

namespace tapal::app {

// The answer to "queue list": a line a message, and why it waits where that was asked for.
void print_queue_list(const boost::json::object& answer);

}  // namespace tapal::app
