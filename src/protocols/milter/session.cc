#include "protocols/milter/session.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::milter {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 7> connect_macros{
    "j", "v", "_", "{client_addr}", "{client_name}", "{client_port}", "{daemon_name}"};
constexpr std::array<std::string_view, 2> hello_macros{"{tls_version}", "{cipher}"};
constexpr std::array<std::string_view, 3> mail_macros{"i", "{auth_authen}", "{mail_addr}"};
constexpr std::array<std::string_view, 1> recipient_macros{"{rcpt_addr}"};
constexpr std::array<std::string_view, 1> id_macros{"i"};

// What a filter that chose none is told.
Names usual_macros(Command command) {
  switch (command) {
    case Command::connect: return connect_macros;
    case Command::hello: return hello_macros;
    case Command::mail: return mail_macros;
    case Command::recipient: return recipient_macros;
    case Command::data:
    case Command::end_of_header:
    case Command::end_of_message: return id_macros;
    default: return {};
  }
}

std::string path(const std::optional<mail::Address>& address) {
  return fmt::format("<{}>", address ? address->text() : "");
}

// As Sendmail has it: folds end in LF alone.
std::string without_cr(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c != '\r') out += c;
  return out;
}

// All that a filter is told of it.
std::string client_of(const Message& message) {
  auto client = connect_data(message.peer_name, message.peer) + texts({message.helo});
  for (const Names names : {Names(connect_macros), Names(hello_macros)})
    for (const auto name : names)
      if (const auto found = message.macros.find(name); found != message.macros.end())
        client += texts({name, found->second});
  return client;
}

std::string_view stage_text(Command command) {
  switch (command) {
    case Command::connect: return "the connection";
    case Command::hello: return "HELO";
    case Command::mail: return "MAIL";
    case Command::recipient: return "RCPT";
    case Command::data: return "DATA";
    case Command::header: return "a header field";
    case Command::end_of_header: return "the end of the header";
    case Command::body: return "the body";
    case Command::end_of_message: return "the end of the message";
    default: return "the options";
  }
}

}  // namespace

// What a stage sends, and which wishes of the filter bear on it.
struct Session::Rule {
  Command command = Command::options;
  std::uint32_t unwanted = 0;  // it is not sent
  std::uint32_t silent = 0;    // it is not answered
};

Session::Rule Session::rule_of(Stage stage) {
  switch (stage) {
    case Stage::connect: return {Command::connect, wish::no_connect, wish::silent_connect};
    case Stage::hello: return {Command::hello, wish::no_hello, wish::silent_hello};
    case Stage::mail: return {Command::mail, wish::no_mail, wish::silent_mail};
    case Stage::recipient:
      return {Command::recipient, wish::no_recipients, wish::silent_recipients};
    case Stage::data: return {Command::data, wish::no_data, wish::silent_data};
    case Stage::header: return {Command::header, wish::no_headers, wish::silent_headers};
    case Stage::end_of_header:
      return {Command::end_of_header, wish::no_end_of_header, wish::silent_end_of_header};
    case Stage::body: return {Command::body, wish::no_body, wish::silent_body};
    case Stage::end_of_message: return {Command::end_of_message, 0, 0};
    default: return {};
  }
}

Session::Session(Options options, Instant now)
    : options_(options), now_(now), armed_at_(now), begun_at_(now) {
  send(offer());
  await(now);
}

Instant Session::deadline() const {
  if (stage_ == Stage::idle || stage_ == Stage::over) return never;
  const auto patience =
      stage_ == Stage::end_of_message ? options_.end_time_max : options_.answer_time_max;
  return std::min(armed_at_ + patience, begun_at_ + options_.message_time_max);
}

bool Session::may_follow(const Message& message) const {
  if (stage_ != Stage::idle) return false;
  return !used_ || may_change_client_ || client_of(message) == client_;
}

std::optional<Action> Session::next_action() {
  if (!out_.empty()) {
    sending_ = std::exchange(out_, {});
    return Send{sending_};
  }
  if (!actions_.empty()) {
    auto action = std::move(actions_.front());
    actions_.pop_front();
    return action;
  }
  if (!std::exchange(wants_body_, false)) return {};
  return WantBody{body_taken_, body_piece_bytes_max};
}

void Session::await(Instant now) {
  awaits_ = true;
  armed_at_ = now;
}

void Session::start(Message message, Instant now) {
  if (stage_ != Stage::idle) return fail("a message before the last one is done");
  now_ = now;
  begun_at_ = now;
  armed_at_ = now;
  message_ = std::move(message);
  fields_ = mail::field_texts(message_.header);
  std::erase_if(fields_, [](std::string_view field) {
    return !mail::is_field_name(text::trim(field.substr(0, field.find(':'))));
  });
  sent_ = 0;
  body_taken_ = 0;
  changes_ = 0;
  edit_bytes_ = 0;
  outcome_ = {};
  auto client = client_of(message_);
  stage_ = Stage::connect;
  if (std::exchange(used_, true)) {
    if (client == client_)
      stage_ = Stage::mail;
    else
      send(packet(Command::quit_new_connection));
  }
  client_ = std::move(client);
  may_change_client_ = false;
  advance();
}

void Session::quit() {
  if (stage_ == Stage::over) return;
  send(packet(Command::quit));
  stage_ = Stage::over;
  awaits_ = false;
  wants_body_ = false;
  actions_.emplace_back(Close{});
}

bool Session::has_more() const {
  if (stage_ == Stage::recipient) return sent_ < message_.recipients.size();
  if (stage_ == Stage::header) return sent_ < fields_.size();
  return sent_ == 0;
}

void Session::enter_next_stage() {
  stage_ = static_cast<Stage>(static_cast<std::uint8_t>(stage_) + 1);
  sent_ = 0;
}

// Sends what the filter wants to hear, up to where it has to answer or the body is needed.
void Session::advance() {
  while (!awaits_ && stage_ > Stage::idle && stage_ < Stage::over) {
    const Rule rule = rule_of(stage_);
    const bool too_new = rule.command == Command::data && version_ < 4;
    if (wishes(rule.unwanted) || too_new || !has_more()) {
      enter_next_stage();
      continue;
    }
    if (stage_ == Stage::body) {
      wants_body_ = true;
      return;
    }
    send_one(rule);
    if (!wishes(rule.silent)) await(now_);
  }
}

void Session::send_one(const Rule& rule) {
  if (stage_ == Stage::recipient)
    message_.macros["{rcpt_addr}"] = message_.recipients[sent_].text();
  if (stage_ != Stage::header) send_macros(rule.command);
  std::string data;
  switch (stage_) {
    case Stage::connect: data = connect_data(message_.peer_name, message_.peer); break;
    case Stage::hello: data = texts({message_.helo}); break;
    case Stage::mail: data = texts({path(message_.return_path)}); break;
    case Stage::recipient: data = texts({path(message_.recipients[sent_])}); break;
    case Stage::header: data = header_data(); break;
    default: break;
  }
  ++sent_;
  send(packet(rule.command, data));
}

// A field too long for a packet is told up to where it fits.
std::string Session::header_data() const {
  std::string_view field = fields_[sent_];
  if (field.ends_with("\r\n")) field.remove_suffix(2);
  const std::size_t colon = field.find(':');
  const std::string_view name = text::trim(field.substr(0, colon));
  std::string value = without_cr(field.substr(colon + 1));
  if (!wishes(wish::leading_space) && !value.empty() && text::is_blank(value.front()))
    value.erase(0, 1);
  value.resize(std::min(value.size(), packet_bytes_max - name.size() - 3));
  return texts({name, value});
}

void Session::send_macros(Command command) {
  std::string data(1, static_cast<char>(command));
  const auto add = [&](std::string_view name) {
    const auto found = message_.macros.find(name);
    if (found != message_.macros.end()) data += texts({name, found->second});
  };
  if (const auto chosen = chosen_macros_.find(command); chosen != chosen_macros_.end())
    std::ranges::for_each(chosen->second, add);
  else
    std::ranges::for_each(usual_macros(command), add);
  send(packet(Command::macros, data));
}

void Session::on_body(std::string_view bytes, Instant now) {
  if (stage_ != Stage::body || awaits_) return;
  now_ = now;
  armed_at_ = now;
  if (bytes.empty()) {
    enter_next_stage();
  } else {
    body_taken_ += bytes.size();
    send(packet(Command::body, bytes));
    if (!wishes(wish::silent_body)) await(now);
  }
  advance();
}

void Session::on_bytes(std::string_view bytes, Instant now) {
  now_ = now;
  reader_.feed(bytes);
  while (stage_ != Stage::over) {
    const auto packet = reader_.next();
    if (!packet) return fail(packet.error().what);
    if (!*packet) return;
    on_packet(**packet);
  }
}

void Session::on_time(Instant now) {
  now_ = now;
  if (awaits_ && now >= deadline())
    fail(fmt::format("no answer to {} in time", stage_text(rule_of(stage_).command)));
}

void Session::on_closed(std::string_view reason) {
  if (stage_ != Stage::over) fail(std::string(reason));
}

void Session::fail(std::string what) {
  stage_ = Stage::over;
  awaits_ = false;
  wants_body_ = false;
  actions_.emplace_back(Failed{std::move(what)});
}

void Session::finish(Decision decision, smtp::Reply reply) {
  if (stage_ != Stage::end_of_message) send(packet(Command::abort));
  if (stage_ < Stage::mail) client_.clear();  // what it said holds for all that the client sends
  outcome_.decision = decision;
  outcome_.reply = std::move(reply);
  awaits_ = false;
  wants_body_ = false;
  stage_ = Stage::idle;
  message_ = {};
  fields_ = {};
  actions_.emplace_back(Done{std::move(outcome_)});
  actions_.emplace_back(Ready{});
}

}  // namespace tapal::milter
