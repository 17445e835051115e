#include "services/intake/local_header.h"

#include <algorithm>

#include "values/mail/header.h"
#include "values/mail/unix_message.h"

namespace tapal::intake {
namespace {

constexpr std::string_view of_addresses[] = {"From",
                                             "Sender",
                                             "Reply-To",
                                             "To",
                                             "Cc",
                                             "Bcc",
                                             "Resent-From",
                                             "Resent-Sender",
                                             "Resent-To",
                                             "Resent-Cc",
                                             "Resent-Bcc"};

}  // namespace

std::string complete_local_header(std::string_view block,
                                  std::string_view domain,
                                  const mail::Mailbox& author) {
  const auto fields = mail::HeaderFields::parse(block);
  if (!fields) return std::string(block);
  std::string whole;
  whole.reserve(block.size() + 256);
  if (fields->find("From") == nullptr) whole += mail::field("From", author.text());
  for (const auto& field : *fields) {
    if (std::ranges::any_of(of_addresses, [&field](auto name) { return field.is(name); })) {
      whole.append(field.name).append(":").append(mail::with_domain(field.body, domain));
      whole += "\r\n";
    } else {
      whole += field.raw;
    }
  }
  return whole;
}

}  // namespace tapal::intake
