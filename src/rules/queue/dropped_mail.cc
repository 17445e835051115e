#include "rules/queue/dropped_mail.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "values/text/json_fields.h"

namespace tapal::queue {

namespace json = boost::json;

namespace {

constexpr std::size_t line_bytes_max = dropped_bytes_max - dropped_message_bytes_max;

std::unexpected<Error> no_drop(std::string_view what) {
  return fail(Code::invalid, fmt::format("not a message that `tapal sendmail` left: {}", what));
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
  if (head.contains("sender")) mail.sender = text::text_at(head, "sender");
  mail.full_name = text::text_at(head, "full_name");
  mail.recipients = text::texts_at(head, "recipients", dropped_recipients_max + 1);
  if (mail.recipients.empty()) return no_drop("it has no recipients");
  if (mail.recipients.size() > dropped_recipients_max) return no_drop("too many recipients");
  const auto message = text.substr(line.size() + 1);
  if (text::number_at(head, "bytes") != static_cast<std::int64_t>(message.size()))
    return no_drop("it is cut short");
  if (message.size() > dropped_message_bytes_max) return no_drop("it is too long");
  mail.message = message;
  return mail;
}

}  // namespace tapal::queue
