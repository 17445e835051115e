#include "rules/queue/dropped_mail.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace tapal::queue {

namespace json = boost::json;

namespace {

constexpr std::size_t line_bytes_max = dropped_bytes_max - dropped_message_bytes_max;

std::unexpected<Error> no_drop(std::string_view what) {
  return fail(Code::invalid, fmt::format("not a message that `tapal sendmail` left: {}", what));
}

std::string text_at(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

std::string to_text(const DroppedMail& mail) {
  json::array recipients;
  for (const auto& recipient : mail.recipients) recipients.emplace_back(recipient);
  json::object head{{"recipients", std::move(recipients)},
                    {"full_name", mail.full_name},
                    {"bytes", mail.message.size()}};
  if (mail.sender) head["sender"] = *mail.sender;
  return json::serialize(head) + "\n" + mail.message;
}

Result<DroppedMail> read_dropped_mail(std::string_view text) {
  const auto line = text.substr(0, text.find('\n'));
  if (line.size() == text.size() || line.size() > line_bytes_max)
    return no_drop("its first line is not whole");
  boost::system::error_code error;
  const auto parsed = json::parse(line, error, {}, {.max_depth = 3, .allow_invalid_utf8 = true});
  if (error || !parsed.is_object()) return no_drop("its first line is no JSON object");
  const auto& head = parsed.get_object();
  DroppedMail mail;
  if (head.contains("sender")) mail.sender = text_at(head, "sender");
  mail.full_name = text_at(head, "full_name");
  const auto* recipients = head.if_contains("recipients");
  if (recipients == nullptr || !recipients->is_array()) return no_drop("it has no recipients");
  for (const auto& recipient : recipients->get_array())
    if (recipient.is_string()) mail.recipients.emplace_back(recipient.get_string());
  if (mail.recipients.empty()) return no_drop("it has no recipients");
  if (mail.recipients.size() > dropped_recipients_max) return no_drop("too many recipients");
  const auto message = text.substr(line.size() + 1);
  const auto* bytes = head.if_contains("bytes");
  if (bytes == nullptr || !bytes->is_int64() ||
      bytes->get_int64() != static_cast<std::int64_t>(message.size()))
    return no_drop("it is cut short");
  if (message.size() > dropped_message_bytes_max) return no_drop("it is too long");
  mail.message = message;
  return mail;
}

}  // namespace tapal::queue
