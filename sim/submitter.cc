#include "sim/submitter.h"

#include <algorithm>
#include <array>
#include <utility>

#include "values/text/base64.h"

namespace tapal::sim {
namespace {

constexpr int tries_max = 60;
constexpr auto patience = std::chrono::minutes(5);
constexpr std::array doors{intake::Door::smtp, intake::Door::submission, intake::Door::submissions};

struct NoTls final : TlsClient {};

std::string dot_stuffed(std::string_view text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && c == '.') out += '.';
    out += c;
    line_begins = c == '\n';
  }
  return out;
}

// "250 2.0.0 queued as ID"
std::optional<QueueId> id_in(const smtp::Reply& reply) {
  const std::string line = smtp::one_line(reply);
  return QueueId::from_text(std::string_view(line).substr(line.rfind(' ') + 1));
}

}  // namespace

struct Submitter::Talk {
  intake::Door door;
  std::unique_ptr<WireStream> stream;
  smtp::ReplyReader reader;
  std::string unread;
  bool pipelines = false;
};

Task<void> Submitter::pause(Duration least, Duration most) {
  const auto timer = world_.loop.make_timer();
  co_await timer->wait_until(world_.loop.now() + dice_.between(least, most));
}

Task<void> Submitter::submit(const Mail& mail) {
  ++busy_;
  for (int tries = 0; tries < tries_max && !world_.is_over(); ++tries) {
    const Answer answer = co_await try_once(mail);
    if (answer == Answer::no) world_.chronicle.tell("mail {} is refused", mail.number);
    if (answer != Answer::later) break;
    co_await pause(std::chrono::seconds(1), std::chrono::minutes(10));
  }
  --busy_;
}

Task<Submitter::Answer> Submitter::try_once(const Mail& mail) {
  WireStream::Ends ends{{IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(1 + dice_.below(9))}),
                         static_cast<std::uint16_t>(dice_.between(1024, 60'000))},
                        {IpAddress{}, 25},
                        {}};
  auto pair = WireStream::connect(world_.loop, dice_, world_.network, std::move(ends));
  const auto door = dice_.pick(doors);
  if (!world_.knock(door, std::move(pair.server))) co_return Answer::later;
  Talk talk{.door = door, .stream = std::move(pair.client)};
  const Answer answer = co_await converse(mail, talk);
  talk.stream->close();
  co_return answer;
}

Task<Submitter::Answer> Submitter::converse(const Mail& mail, Talk& talk) {
  const auto welcome = co_await be_let_in(mail, talk);
  if (welcome.code / 100 != 2) co_return Answer::later;
  const auto envelope = co_await say_envelope(mail, talk);
  if (envelope.code != 354) co_return envelope.code >= 500 ? Answer::no : Answer::later;
  const std::string body = dot_stuffed(mail.text) + ".\r\n";
  const bool said = co_await say(talk, body);
  if (!said) co_return Answer::later;
  const auto end = co_await hear(talk);
  if (end.code != 250) co_return end.code >= 500 ? Answer::no : Answer::later;
  const auto id = id_in(end);
  if (!id)
    world_.chronicle.broken("250 names the message", "\"{}\"", smtp::one_line(end));
  else
    world_.ledger.acknowledged(mail.number, *id);
  static_cast<void>(co_await ask(talk, "QUIT"));
  co_return Answer::yes;
}

// The last answer before the envelope, or the first that was no yes.
Task<smtp::Reply> Submitter::be_let_in(const Mail& mail, Talk& talk) {
  if (talk.door == intake::Door::submissions) {
    const bool shaken = co_await shake_hands(talk);
    if (!shaken) co_return smtp::Reply{};
  }
  auto reply = co_await hear(talk);
  if (reply.code == 220) reply = co_await hello(talk);
  if (reply.code != 250 || talk.door == intake::Door::smtp) co_return reply;
  if (talk.door == intake::Door::submission) {
    reply = co_await ask(talk, "STARTTLS");
    if (reply.code != 220) co_return reply;
    const bool shaken = co_await shake_hands(talk);
    if (!shaken) co_return smtp::Reply{};
    reply = co_await hello(talk);  // what was said before counts no more (RFC 3207 section 4.2)
    if (reply.code != 250) co_return reply;
  }
  co_return co_await log_in(mail, talk);
}

Task<smtp::Reply> Submitter::hello(Talk& talk) {
  auto reply = co_await ask(talk, "EHLO client.example");
  talk.pipelines =
      dice_.one_in(2) && std::ranges::find(reply.lines, "PIPELINING") != reply.lines.end();
  co_return reply;
}

// The passwords are those of services/intake/test_domains.h.
Task<smtp::Reply> Submitter::log_in(const Mail& mail, Talk& talk) {
  const bool mistyped = dice_.one_in(20);
  const auto name = mail.sender.substr(0, mail.sender.find('@'));
  const std::string_view zero("\0", 1);
  const auto told =
      fmt::format("{}{}{}{}'s {}", zero, mail.sender, zero, name, mistyped ? "dog" : "secret");
  auto reply = co_await ask(talk, "AUTH PLAIN " + text::to_base64(told));
  if (reply.code == 235 && mistyped)
    world_.chronicle.broken("nobody gets in with a wrong password", "{} did", mail.sender);
  co_return reply;
}

Task<bool> Submitter::shake_hands(Talk& talk) {
  NoTls tls;
  TlsConnectOptions options;
  const auto state =
      co_await talk.stream->connect_tls(tls, std::move(options), world_.loop.now() + patience);
  co_return state.has_value();
}

// The answer to DATA, or the first that was no yes: the connection is closed then, whatever the
// server made of the commands behind it (RFC 2920 section 3.1).
Task<smtp::Reply> Submitter::say_envelope(const Mail& mail, Talk& talk) {
  std::vector<std::string> lines{fmt::format("MAIL FROM:<{}> ENVID=m{}", mail.sender, mail.number)};
  for (const std::string& recipient : mail.recipients)
    lines.push_back(fmt::format("RCPT TO:<{}>", recipient));
  lines.emplace_back("DATA");
  if (talk.pipelines) {
    std::string all;
    for (const std::string& line : lines) all += line + "\r\n";
    const bool said = co_await say(talk, all);
    if (!said) co_return smtp::Reply{};
  }
  smtp::Reply reply;
  for (std::string& line : lines) {
    if (talk.pipelines)
      reply = co_await hear(talk);
    else
      reply = co_await ask(talk, std::move(line));
    if (reply.code != 250) break;
  }
  co_return reply;
}

Task<smtp::Reply> Submitter::ask(Talk& talk, std::string line) {
  line += "\r\n";
  if (dice_.one_in(30)) co_await pause(std::chrono::seconds(1), std::chrono::minutes(4));
  const bool said = co_await say(talk, line);
  if (!said) co_return smtp::Reply{};
  co_return co_await hear(talk);
}

Task<bool> Submitter::say(Talk& talk, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t count = dice_.one_in(3) ? dice_.between(1, bytes.size()) : bytes.size();
    const auto written =
        co_await talk.stream->write(bytes.substr(0, count), world_.loop.now() + patience);
    if (!written) co_return false;
    bytes.remove_prefix(count);
  }
  co_return true;
}

// Code 0: the connection is gone, or the server silent.
Task<smtp::Reply> Submitter::hear(Talk& talk) {
  for (;;) {
    const auto taken = talk.reader.feed(talk.unread);
    if (!taken) co_return smtp::Reply{};
    talk.unread.erase(0, *taken);
    if (talk.reader.is_ready()) co_return talk.reader.take();
    std::array<char, 1024> buffer{};
    const auto count = co_await talk.stream->read(buffer, world_.loop.now() + patience);
    if (!count) co_return smtp::Reply{};
    talk.unread.append(buffer.data(), *count);
  }
}

}  // namespace tapal::sim
