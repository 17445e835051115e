// For tests only: the filter's side of a milter connection, and a message played to it.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/milter/session.h"

namespace tapal::milter {

// An answer as it goes over the wire.
inline std::string answer(Answer letter, std::string_view data = {}) {
  auto bytes = number(static_cast<std::uint32_t>(data.size() + 1));
  bytes += static_cast<char>(letter);
  bytes += data;
  return bytes;
}

// Reads the server's packets, remembers them, answers by a table.
struct TestFilter {
  std::uint32_t version = protocol_version;
  std::uint32_t abilities = ability::all;
  std::uint32_t wishes = 0;
  std::string macro_lists;  // behind the options
  std::map<char, std::vector<std::string>>
      answers;        // by the command's letter, in turn; the last stays
  std::string heard;  // letters without macros: "OCHMMRTLNBEQ"
  std::vector<std::pair<char, std::string>> packets;

  // What it says to these bytes.
  std::string on_bytes(std::string_view bytes) {
    bytes_ += bytes;
    std::string said;
    while (bytes_.size() >= 4) {
      DataReader length{bytes_};
      const std::size_t size = length.number();
      if (bytes_.size() < 4 + size) break;
      const char letter = bytes_[4];
      packets.emplace_back(letter, bytes_.substr(5, size - 1));
      bytes_.erase(0, 4 + size);
      if (letter != 'D') heard += letter;
      said += say(letter);
    }
    return said;
  }
  std::vector<std::string> data_of(char letter) const {
    std::vector<std::string> all;
    for (const auto& [command, data] : packets)
      if (command == letter) all.push_back(data);
    return all;
  }

 private:
  std::string say(char letter) {
    if (auto found = answers.find(letter); found != answers.end()) {
      const auto one = found->second.front();
      if (found->second.size() > 1) found->second.erase(found->second.begin());
      return one;
    }
    if (letter == 'O')
      return answer(static_cast<Answer>('O'),
                    number(version) + number(abilities) + number(wishes) + macro_lists);
    return is_silent(letter) ? "" : answer(Answer::proceed);
  }
  bool is_silent(char letter) const {
    const std::map<char, std::uint32_t> silent = {{'C', wish::silent_connect},
                                                  {'H', wish::silent_hello},
                                                  {'M', wish::silent_mail},
                                                  {'R', wish::silent_recipients},
                                                  {'T', wish::silent_data},
                                                  {'L', wish::silent_headers},
                                                  {'N', wish::silent_end_of_header},
                                                  {'B', wish::silent_body}};
    const auto found = silent.find(letter);
    if (found != silent.end()) return (wishes & found->second) != 0;
    return letter == 'D' || letter == 'A' || letter == 'Q' || letter == 'K';
  }
  std::string bytes_;
};

inline Message test_message() {
  Message message;
  message.peer_name = "mx.sender.example";
  message.peer = Endpoint::from_text("192.0.2.1:4321").value();
  message.helo = "helo.example";
  message.return_path = mail::parse_address("ann@sender.example").value();
  message.recipients = {mail::parse_address("bob@rcpt.example").value(),
                        mail::parse_address("eve@rcpt.example").value()};
  message.macros = {{"i", "QID"}, {"j", "mail.rcpt.example"}, {"{client_addr}", "192.0.2.1"}};
  message.header = "From: ann\r\nSubject: a\r\n\tb\r\n";
  return message;
}

struct Played {
  std::vector<Outcome> outcomes;
  std::string failure;
  bool closed = false;
};

// Plays messages with this body to the filter, whose answers come `piece` bytes at a time.
inline Played play(TestFilter& filter,
                   std::vector<Message> messages,
                   std::string_view body = "Hello\r\n",
                   std::size_t piece = SIZE_MAX,
                   Options options = {}) {
  const Instant now{std::chrono::hours(1)};
  Session session(options, now);
  Played played;
  std::string said;
  for (int steps = 0; steps < 100'000; ++steps) {
    if (auto action = session.next_action()) {
      if (auto* send = std::get_if<Send>(&*action)) {
        said += filter.on_bytes(send->bytes);
      } else if (auto* want = std::get_if<WantBody>(&*action)) {
        session.on_body(
            body.substr(std::min<std::size_t>(want->offset, body.size()), want->bytes_max), now);
      } else if (auto* done = std::get_if<Done>(&*action)) {
        played.outcomes.push_back(std::move(done->outcome));
      } else if (auto* failed = std::get_if<Failed>(&*action)) {
        played.failure = std::move(failed->what);
        return played;
      } else if (std::holds_alternative<Close>(*action)) {
        played.closed = true;
        return played;
      } else if (messages.empty() || !session.may_follow(messages.front())) {
        session.quit();
      } else {
        session.start(std::move(messages.front()), now);
        messages.erase(messages.begin());
      }
      continue;
    }
    const auto part = said.substr(0, piece);
    said.erase(0, part.size());
    if (part.empty())
      session.on_closed("the filter is silent");
    else
      session.on_bytes(part, now);
  }
  played.failure = "it never ends";
  return played;
}

}  // namespace tapal::milter
