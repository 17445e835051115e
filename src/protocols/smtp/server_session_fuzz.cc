// Hostile clients against the receiving session. However the bytes are cut and whenever the answers
// come, the outcome is the same, and no message with a broken line reaches the store.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "protocols/smtp/session_player.h"

namespace {

using namespace tapal::smtp;

ServerOptions options_from(std::uint8_t bits) {
  ServerOptions options;
  options.hostname = "mx.example";
  options.role = (bits & 1U) != 0 ? ServerRole::submission : ServerRole::mx;
  options.tls = (bits & 2U) != 0 ? ServerTls::implicit_tls : ServerTls::none;
  options.mechanisms = {"PLAIN", "LOGIN"};
  options.limits.command_line_bytes = 128;
  options.limits.auth_line_bytes = 160;
  options.limits.text_line_bytes = 32;
  options.limits.header_bytes = 100;
  options.limits.message_bytes = 200;
  options.limits.discarded_bytes = 100;
  options.limits.recipients = 3;
  options.limits.refused_recipients = 3;
  options.limits.errors = 6;
  options.limits.idle_commands = 8;
  options.limits.transactions = 4;
  return options;
}

// The same answer to the same question.
std::string answer_to(const std::string& question) {
  unsigned sum = 0;
  for (const char c : question) sum = sum * 31 + static_cast<unsigned char>(c);
  if (question.starts_with("authenticate") || question.starts_with("response")) {
    if (sum % 3 == 0) return "refuse 535 5.7.8 Wrong user or password";
    return sum % 3 == 1 ? "challenge again" : "success user";
  }
  return sum % 4 == 0 ? "refuse 550 5.7.1 No" : "accept";
}

struct Outcome {
  std::vector<std::string> trace;
  std::string sent;
  bool operator==(const Outcome&) const = default;
};

Outcome play(std::uint8_t bits,
             std::string_view input,
             std::size_t piece,
             SessionPlayer::Answering answering) {
  SessionPlayer player(options_from(bits), answer_to, answering);
  player.drain();
  while (!input.empty()) {
    player.say(input.substr(0, piece));
    input.remove_prefix(std::min(piece, input.size()));
  }
  return {player.take_trace(), player.take_sent()};
}

[[noreturn]] void report(const Outcome& a, const Outcome& b) {
  for (const Outcome* each : {&a, &b}) {
    for (const std::string& line : each->trace) std::fprintf(stderr, "%s\n", line.c_str());
    std::fprintf(stderr, "%s\n--\n", each->sent.c_str());
  }
  std::abort();
}

// STARTTLS answers differently by when the bytes behind it come; what holds always is that nothing
// said in clear behind it is heeded.
void play_starttls(std::string_view input) {
  ServerOptions options = options_from(0);
  options.tls = ServerTls::starttls;
  ServerSession session(options, {});
  bool asked = false;
  const auto drain = [&] {
    while (auto action = session.next_action()) {
      if (asked && !std::holds_alternative<Close>(*action)) std::abort();
      asked = asked || std::holds_alternative<StartTls>(*action);
      if (std::holds_alternative<AskSender>(*action)) session.on_sender({}, {});
    }
  };
  drain();
  while (!input.empty()) {
    session.on_bytes(input.substr(0, 1), {});
    input.remove_prefix(1);
    drain();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 4096) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data + 2), size - 2);
  using Answering = SessionPlayer::Answering;
  const Outcome whole = play(data[0], input, input.size() + 1, Answering::at_once);
  const Outcome bytes = play(data[0], input, 1, Answering::at_once);
  const Outcome pieces = play(data[0], input, data[1] % 97 + 1U, Answering::later);
  if (whole != bytes) report(whole, bytes);
  if (whole != pieces) report(whole, pieces);
  for (const std::string& line : whole.trace) {
    if (!line.starts_with("store ") || line.find(" binarymime") != std::string::npos) continue;
    if (line.find("MISCOUNTED") != std::string::npos) std::abort();
    std::size_t at = line.find(" body=");
    for (; at < line.size(); ++at) {
      if (line[at] != '\\') continue;
      const std::string_view escape = std::string_view(line).substr(at, 4);
      if (escape == "\\r\\n") {
        at += 3;
      } else if (escape.starts_with("\\r") || escape.starts_with("\\n") || escape == "\\x00") {
        std::abort();
      } else {
        ++at;
      }
    }
  }
  play_starttls(input);
  return 0;
}
