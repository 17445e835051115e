// For tests only: a message to be judged, and what judges need.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ports/memory_body.h"
#include "ports/programs.h"
#include "ports/test_fakes.h"
#include "ports/test_loop.h"
#include "services/judge/judge.h"

namespace tapal::judge {

inline mail::Address address(std::string_view text) { return mail::parse_address(text).value(); }

inline Mail test_mail() {
  Mail mail;
  mail.id = {1};
  mail.peer = IpAddress::from_text("8.8.4.4").value();
  mail.peer_port = 4321;
  mail.helo = "helo.example";
  mail.return_path = address("ann@sender.example");
  mail.recipients = {address("bob@rcpt.example"), address("eve@rcpt.example")};
  mail.header = "From: ann\r\nSubject: hi\r\n";
  mail.body = std::make_shared<MemoryBody>("Hello\r\n");
  return mail;
}

inline std::string text_of(const BodyPtr& body) {
  std::string text(static_cast<std::size_t>(body->size()), '\0');
  text.resize(body->read(0, text).value_or(0));
  return text;
}

}  // namespace tapal::judge
