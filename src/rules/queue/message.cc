#include "rules/queue/message.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace tapal::queue {
namespace {

namespace json = boost::json;

// A message with a handover is a record of version 2: an older program, which would send it another
// way, refuses it then.
constexpr std::int64_t version = 1;
constexpr std::int64_t version_with_handover = 2;
constexpr std::size_t record_bytes_max = 256UL * 1024 * 1024;
constexpr std::size_t depth_max = 8;
constexpr std::size_t recipients_max = 1'000'000;

template <class Value, std::size_t Count>
using Words = std::array<std::pair<Value, std::string_view>, Count>;

constexpr Words<State, 4> state_words{{{State::waiting, "waiting"},
                                       {State::held, "held"},
                                       {State::delivered, "delivered"},
                                       {State::failed, "failed"}}};
constexpr Words<Origin::Kind, 5> kind_words{{{Origin::Kind::submitted, "submitted"},
                                             {Origin::Kind::received, "received"},
                                             {Origin::Kind::relayed, "relayed"},
                                             {Origin::Kind::notice, "notice"},
                                             {Origin::Kind::forwarded, "forwarded"}}};
constexpr Words<Priority, 3> priority_words{{{Priority::interactive, "interactive"},
                                             {Priority::normal, "normal"},
                                             {Priority::bulk, "bulk"}}};
constexpr Words<mail::BodyType, 3> body_words{{{mail::BodyType::seven_bit, "7bit"},
                                               {mail::BodyType::eight_bit_mime, "8bitmime"},
                                               {mail::BodyType::binary_mime, "binarymime"}}};
constexpr Words<mail::Handover::Kind, 6> handover_words{{{mail::Handover::Kind::usual, "usual"},
                                                         {mail::Handover::Kind::host, "host"},
                                                         {mail::Handover::Kind::lmtp, "lmtp"},
                                                         {mail::Handover::Kind::maildir, "maildir"},
                                                         {mail::Handover::Kind::program, "program"},
                                                         {mail::Handover::Kind::http, "http"}}};
constexpr Words<mail::ReturnContent, 3> return_words{
    {{mail::ReturnContent::unspecified, "unspecified"},
     {mail::ReturnContent::full, "full"},
     {mail::ReturnContent::headers, "headers"}}};

// Appends members to one JSON object. Bytes that are not UTF-8, as a peer's reply may have them, go
// through unchanged: the record must come back exactly.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void open(std::string_view name) { member(name), out_ += '{', first_ = true; }
  void open_item() { comma(), out_ += '{', first_ = true; }
  void close() { out_ += '}', first_ = false; }
  void open_list(std::string_view name) { member(name), out_ += '[', first_ = true; }
  void close_list() { out_ += ']', first_ = false; }

  void text(std::string_view name, std::string_view value) { member(name), string(value); }
  void item(std::string_view value) { comma(), string(value); }
  template <class Number>
  void number(std::string_view name, Number value) {
    member(name), out_ += fmt::to_string(value);
  }
  void flag(std::string_view name, bool value) { member(name), out_ += value ? "true" : "false"; }
  void time(std::string_view name, WallTime value) {
    number(name, value.time_since_epoch().count());
  }
  template <class Value, std::size_t Count>
  void word(std::string_view name, const Words<Value, Count>& words, Value value) {
    for (const auto& [each, text_of_each] : words) {
      if (each == value) text(name, text_of_each);
    }
  }
  void address(std::string_view name, const mail::Address& value) {
    open(name);
    text("local", value.local);
    text("domain", value.domain);
    close();
  }

 private:
  void comma() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  void member(std::string_view name) {
    comma();
    out_ += '"', out_ += name, out_ += "\":";
  }
  void string(std::string_view value) {
    out_ += '"';
    for (const char c : value) {
      if (c == '"' || c == '\\') {
        out_ += '\\', out_ += c;
      } else if (static_cast<unsigned char>(c) < 0x20) {
        out_ += fmt::format("\\u{:04x}", c);
      } else {
        out_ += c;
      }
    }
    out_ += '"';
  }

  std::string& out_;
  bool first_ = true;
};

void write_handover(Writer& writer, const mail::Handover& handover) {
  writer.open("handover");
  writer.word("kind", handover_words, handover.kind);
  writer.text("target", handover.target);
  writer.open_list("arguments");
  for (const std::string& argument : handover.arguments) writer.item(argument);
  writer.close_list();
  writer.close();
}

void write_recipient(Writer& writer, const RecipientState& state) {
  writer.open_item();
  writer.address("address", state.recipient.address);
  const mail::Notify& notify = state.recipient.notify;
  writer.open_list("notify");
  if (notify.never) writer.item("never");
  if (notify.success) writer.item("success");
  if (notify.failure) writer.item("failure");
  if (notify.delay) writer.item("delay");
  writer.close_list();
  writer.text("original", state.recipient.original);
  if (state.recipient.handover != mail::Handover{})
    write_handover(writer, state.recipient.handover);
  writer.word("state", state_words, state.state);
  writer.number("attempts", state.attempts);
  writer.time("next_attempt", state.next_attempt);
  if (state.last_attempt) writer.time("last_attempt", *state.last_attempt);
  writer.open("last");
  writer.text("status", state.last.status);
  writer.text("text", state.last.text);
  writer.text("remote", state.last.remote);
  writer.close();
  writer.flag("sender_told", state.sender_told);
  writer.flag("sender_told_of_delay", state.sender_told_of_delay);
  writer.close();
}

// Reads members and remembers the first thing wrong, so that the fields can be read in a row.
class Reader {
 public:
  Reader(const json::value& value, std::string& error) : error_(error) {
    object_ = value.if_object();
    if (object_ == nullptr) wrong("an object was expected");
  }
  Reader inside(std::string_view name) { return {member(name), error_}; }

  std::string text(std::string_view name) {
    const json::string* value = member(name).if_string();
    if (value == nullptr) return wrong(name), std::string();
    return {value->data(), value->size()};
  }
  bool flag(std::string_view name) {
    const bool* value = member(name).if_bool();
    if (value == nullptr) return wrong(name), false;
    return *value;
  }
  template <class Number>
  Number number(std::string_view name) {
    boost::system::error_code failed;
    const json::value& value = member(name);
    if (value.is_double()) return wrong(name), Number{};
    const Number number = value.to_number<Number>(failed);
    if (failed) return wrong(name), Number{};
    return number;
  }
  WallTime time(std::string_view name) {
    return WallTime(std::chrono::milliseconds(number<std::int64_t>(name)));
  }
  template <class Value, std::size_t Count>
  Value word(std::string_view name, const Words<Value, Count>& words) {
    const std::string found = text(name);
    for (const auto& [value, text_of_value] : words) {
      if (text_of_value == found) return value;
    }
    return wrong(name), Value{};
  }
  const json::array& list(std::string_view name) {
    static const json::array empty;
    const json::array* value = member(name).if_array();
    if (value == nullptr) return wrong(name), empty;
    return *value;
  }
  mail::Address address(std::string_view name) {
    Reader reader = inside(name);
    mail::Address out;
    out.local = reader.text("local");
    out.domain = reader.text("domain");
    return out;
  }
  bool has(std::string_view name) const {
    if (object_ == nullptr) return false;
    const json::value* value = object_->if_contains(name);
    return value != nullptr && !value->is_null();
  }
  void wrong(std::string_view name) {
    if (error_.empty()) error_ = name;
  }

 private:
  const json::value& member(std::string_view name) const {
    static const json::value nothing;
    const json::value* value = object_ == nullptr ? nullptr : object_->if_contains(name);
    return value == nullptr ? nothing : *value;
  }

  const json::object* object_ = nullptr;
  std::string& error_;
};

mail::Handover read_handover(Reader reader) {
  mail::Handover handover;
  handover.kind = reader.word("kind", handover_words);
  handover.target = reader.text("target");
  for (const json::value& argument : reader.list("arguments")) {
    const json::string* text = argument.if_string();
    if (text == nullptr) return reader.wrong("arguments"), handover;
    handover.arguments.emplace_back(text->data(), text->size());
  }
  return handover;
}

RecipientState read_recipient(const json::value& value, std::string& error) {
  Reader reader(value, error);
  RecipientState state;
  state.recipient.address = reader.address("address");
  for (const json::value& word : reader.list("notify")) {
    mail::Notify& notify = state.recipient.notify;
    const json::string* text = word.if_string();
    const std::string_view found = text == nullptr ? std::string_view() : *text;
    if (found == "never")
      notify.never = true;
    else if (found == "success")
      notify.success = true;
    else if (found == "failure")
      notify.failure = true;
    else if (found == "delay")
      notify.delay = true;
    else
      reader.wrong("notify");
  }
  state.recipient.original = reader.text("original");
  if (reader.has("handover")) state.recipient.handover = read_handover(reader.inside("handover"));
  state.state = reader.word("state", state_words);
  state.attempts = reader.number<std::uint32_t>("attempts");
  state.next_attempt = reader.time("next_attempt");
  if (reader.has("last_attempt")) state.last_attempt = reader.time("last_attempt");
  Reader last = reader.inside("last");
  state.last.status = last.text("status");
  state.last.text = last.text("text");
  state.last.remote = last.text("remote");
  state.sender_told = reader.flag("sender_told");
  state.sender_told_of_delay = reader.flag("sender_told_of_delay");
  return state;
}

Message read_message(Reader& reader, std::string& error) {
  Message message;
  if (const auto id = QueueId::from_text(reader.text("id")))
    message.id = *id;
  else
    reader.wrong("id");
  message.arrived = reader.time("arrived");
  Reader origin = reader.inside("origin");
  message.origin.kind = origin.word("kind", kind_words);
  message.origin.user = origin.text("user");
  message.origin.authenticated = origin.flag("authenticated");
  if (reader.has("priority")) message.priority = reader.word("priority", priority_words);
  mail::Envelope& envelope = message.envelope;
  if (reader.has("return_path")) envelope.return_path = reader.address("return_path");
  envelope.body = reader.word("body", body_words);
  envelope.smtputf8 = reader.flag("smtputf8");
  envelope.require_tls = reader.flag("require_tls");
  envelope.return_content = reader.word("return_content", return_words);
  envelope.envelope_id = reader.text("envelope_id");
  message.body_bytes = reader.number<std::uint64_t>("body_bytes");
  message.subject = reader.text("subject");
  message.message_id = reader.text("message_id");
  const json::array& recipients = reader.list("recipients");
  if (recipients.size() > recipients_max) return reader.wrong("recipients"), message;
  message.recipients.reserve(recipients.size());
  for (const json::value& value : recipients) {
    message.recipients.push_back(read_recipient(value, error));
  }
  return message;
}

}  // namespace

std::string to_json(const Message& message) {
  const bool has_handover = std::ranges::any_of(message.recipients, [](const auto& state) {
    return state.recipient.handover != mail::Handover{};
  });
  std::string out;
  out.reserve(512 + 400 * message.recipients.size());
  out += '{';
  Writer writer(out);
  writer.number("version", has_handover ? version_with_handover : version);
  writer.text("id", message.id.text());
  writer.time("arrived", message.arrived);
  writer.open("origin");
  writer.word("kind", kind_words, message.origin.kind);
  writer.text("user", message.origin.user);
  writer.flag("authenticated", message.origin.authenticated);
  writer.close();
  if (message.priority != Priority::normal)
    writer.word("priority", priority_words, message.priority);
  const mail::Envelope& envelope = message.envelope;
  if (envelope.return_path) writer.address("return_path", *envelope.return_path);
  writer.word("body", body_words, envelope.body);
  writer.flag("smtputf8", envelope.smtputf8);
  writer.flag("require_tls", envelope.require_tls);
  writer.word("return_content", return_words, envelope.return_content);
  writer.text("envelope_id", envelope.envelope_id);
  writer.number("body_bytes", message.body_bytes);
  writer.text("subject", message.subject);
  writer.text("message_id", message.message_id);
  writer.open_list("recipients");
  for (const RecipientState& state : message.recipients) write_recipient(writer, state);
  writer.close_list();
  writer.close();
  return out;
}

Result<Message> message_from_json(std::string_view text) {
  if (text.size() > record_bytes_max) {
    return fail(Code::invalid, "the message record is larger than 256 MiB");
  }
  json::parse_options options;
  options.max_depth = depth_max;
  options.allow_invalid_utf8 = true;
  json::monotonic_resource memory;
  boost::system::error_code failed;
  const json::value value = json::parse(text, failed, &memory, options);
  if (failed) return fail(Code::invalid, "the message record is not JSON: " + failed.message());

  std::string error;
  Reader reader(value, error);
  const auto found = reader.number<std::int64_t>("version");
  if (error.empty() && (found < version || found > version_with_handover)) {
    return fail(Code::invalid,
                fmt::format("the message record has version {}; this program reads versions {} "
                            "to {}: a newer tapal wrote it",
                            found,
                            version,
                            version_with_handover));
  }
  Message message = read_message(reader, error);
  if (!error.empty())
    return fail(Code::invalid, "the message record has no valid \"" + error + '"');
  return message;
}

}  // namespace tapal::queue
