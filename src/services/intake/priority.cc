#include "services/intake/priority.h"

#include "values/mail/header.h"
#include "values/text/ascii.h"

namespace tapal::intake {

using queue::Priority;

namespace {

constexpr std::size_t few_recipients = 5;
constexpr std::uint64_t small_bytes = 256ULL * 1024;
constexpr int interactive_from = 4;  // RFC 6710 has -9 to 9

bool is_list_mail(const mail::HeaderFields& fields) {
  if (fields.find("List-Id") != nullptr || fields.find("List-Unsubscribe") != nullptr) return true;
  const auto precedence = text::to_lower(fields.body_of("Precedence"));
  return precedence == "bulk" || precedence == "list" || precedence == "junk";
}

}  // namespace

Priority priority_of(const PriorityInput& input) {
  if (input.is_bulk_user) return Priority::bulk;
  const bool is_small = input.recipients <= few_recipients && input.bytes <= small_bytes;
  const auto usual = is_small ? Priority::interactive : Priority::normal;
  const auto fields = mail::HeaderFields::parse(input.header);
  if (!fields) return usual;
  if (const auto said = text::to_number<int>(fields->body_of("MT-Priority")); said) {
    if (*said < 0) return Priority::bulk;
    return *said >= interactive_from ? Priority::interactive : Priority::normal;
  }
  return is_list_mail(*fields) ? Priority::bulk : usual;
}

}  // namespace tapal::intake
