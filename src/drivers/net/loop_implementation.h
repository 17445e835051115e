// Inside drivers/net only: the Asio side of a NetLoop, and waiting for a descriptor.
#pragma once

#include <atomic>
#include <coroutine>
#include <memory>
#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/result.h"
#include "base/time.h"
#include "drivers/net/loop.h"

namespace tapal {

// The concrete executor: the type-erased one costs twice as much a round trip.
using Executor = boost::asio::io_context::executor_type;
using Descriptor = boost::asio::posix::basic_stream_descriptor<Executor>;
using AsioTimer =
    boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                      boost::asio::wait_traits<std::chrono::steady_clock>,
                                      Executor>;

struct NetLoop::Implementation {
  std::string name;
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<Executor> guard{io.get_executor()};
  std::atomic<std::thread::id> thread;
};

enum class Readiness : std::uint8_t { readable, writable };

// co_await until_ready: suspends until the descriptor is ready or the wait is cancelled.
inline auto until_ready(Descriptor& descriptor, Readiness what) {
  struct Wait {
    Descriptor& descriptor;
    Readiness what = Readiness::readable;
    boost::system::error_code error;

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      const auto type =
          what == Readiness::readable ? Descriptor::wait_read : Descriptor::wait_write;
      descriptor.async_wait(type, [this, handle](boost::system::error_code result) {
        error = result;
        handle.resume();
      });
    }
    boost::system::error_code await_resume() const noexcept { return error; }
  };
  return Wait{descriptor, what, {}};
}

}  // namespace tapal
