// A dispatcher with mail that waits, and its control, for tests.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "services/api/control.h"
#include "services/delivery/dispatcher_test_world.h"

namespace tapal::api {

struct ControlTestWorld : delivery::DispatcherTestWorld {
  InlineWorkers workers;
  SeededRandom dice;
  intake::Authenticator authenticator{
      workers, loop, dice, {.password_cost = {.memory_kib = 8, .passes = 1}}};
  ConfirmationWatch confirmations;
  EventWatch events{log};
  ChallengeBoard challenges;
  std::optional<Control> control;
  Result<void> reloaded;
  std::size_t reloads = 0;

  ControlTestWorld() {
    start();
    control.emplace(ControlWorld{.loop = loop,
                                 .dispatcher = *dispatcher,
                                 .store = store,
                                 .workers = workers,
                                 .clock = loop,
                                 .reload =
                                     [this] {
                                       ++reloads;
                                       return reloaded;
                                     },
                                 .authenticator = authenticator,
                                 .confirmations = confirmations,
                                 .events = events,
                                 .challenges = challenges});
    network.at("9.9.9.1:25").plan.recipient =
        [](const mail::Recipient&) -> std::optional<smtp::Reply> {
      return smtp::make_reply(451, "4.3.0", "not \xFF now");
    };
    domain("far.example", {"9.9.9.1"});
  }
  ~ControlTestWorld() { loop.wait(control->stop()); }
  std::string submit(const std::string& to) {
    const auto id = DispatcherTestWorld::submit({to});
    loop.run_for(std::chrono::seconds(1));
    return id.text();
  }
  std::unique_ptr<PipeStream> open() {
    auto pipe = PipeStream::make(loop, {.read_bytes_max = 700});
    control->begin(std::move(pipe.server));
    return std::move(pipe.client);
  }
  // All that comes until nothing more does; nothing when the connection is closed.
  std::optional<std::string> talk(PipeStream& stream, std::string_view bytes) {
    if (!loop.wait(stream.write(bytes, never)).value()) return {};
    loop.run();
    std::string text;
    for (;;) {
      std::array<char, 4096> buffer{};
      const auto count = loop.wait(stream.read(buffer, loop.now())).value();
      if (count) {
        text.append(buffer.data(), *count);
      } else {
        if (text.empty() && count.error().code == Code::closed) return {};
        return text;
      }
    }
  }
  boost::json::object ask(std::string_view request) {
    const auto stream = open();
    const auto answer = talk(*stream, std::string(request) + "\n");
    EXPECT_TRUE(answer && answer->ends_with("\n")) << request;
    return boost::json::parse(answer.value_or("{}"), {}, {.allow_invalid_utf8 = true}).as_object();
  }
  std::string error(std::string_view request) {
    const auto answer = ask(request);
    EXPECT_FALSE(answer.at("ok").as_bool()) << request;
    return std::string(answer.at("error").as_string());
  }
};

}  // namespace tapal::api
