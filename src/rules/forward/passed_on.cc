#include "rules/forward/passed_on.h"

#include <fmt/format.h>

#include "values/mail/header.h"
#include "values/mail/trace.h"
#include "values/text/date.h"

namespace tapal::forward {
namespace {

// "Ann (ann@bank.example) via sender.example" <any123@sender.example>
std::string alias_as_author(const std::vector<mail::Mailbox>& authors, const PassedOn& passed_on) {
  std::string name;
  if (!authors.empty()) {
    const auto& author = authors.front();
    name = author.name.empty() ? author.address.text()
                               : fmt::format("{} ({})", author.name, author.address.text());
  }
  name += (name.empty() ? "via " : " via ") + passed_on.alias.domain;
  return mail::Mailbox{std::move(name), passed_on.alias}.text();
}

std::vector<mail::Mailbox> authors_of(const mail::HeaderFields& fields) {
  return mail::parse_mailbox_list(fields.body_of("From")).value_or(std::vector<mail::Mailbox>());
}

}  // namespace

std::string forward_fields(const PassedOn& passed_on) {
  std::string fields;
  if (passed_on.targets.size() == 1) {
    const auto target = passed_on.targets.front().text();
    fields += mail::field("X-Forwarded-To", target);
    fields += mail::field("X-Forwarded-For", passed_on.alias.text() + " " + target);
  } else {
    fields += mail::field("X-Forwarded-For", passed_on.alias.text());
  }
  fields += mail::delivered_to_field(passed_on.alias);
  return fields;
}

Result<std::string> with_alias_as_author(std::string_view header, const PassedOn& passed_on) {
  TAPAL_TRY(const auto fields, mail::HeaderFields::parse(header));
  const auto* from = fields.find("From");
  const auto authors = authors_of(fields);
  if (from == nullptr || authors.empty())
    return fail(Code::invalid, "the message has no From field that can be read");
  std::string changed;
  changed.reserve(header.size() + 512);
  for (const auto& field : fields) {
    if (!field.is("From")) {
      changed += field.raw;
    } else if (&field == from) {
      changed += mail::field("From", alias_as_author(authors, passed_on));
      if (fields.find("Reply-To") == nullptr) changed += mail::field("Reply-To", from->unfolded());
      changed += mail::field("X-Original-From", from->unfolded());
    }
  }
  return changed;
}

std::string wrapping_header(std::string_view header, const PassedOn& passed_on) {
  const auto fields = mail::HeaderFields::parse(header).value_or(mail::HeaderFields());
  const auto authors = authors_of(fields);
  std::string made = mail::field("From", alias_as_author(authors, passed_on));
  if (!authors.empty()) made += mail::field("Reply-To", fields.body_of("From"));
  made += mail::field("To", passed_on.alias.text());
  const auto subject = fields.body_of("Subject");
  made += mail::field("Subject", subject.empty() ? "a message for you" : subject);
  made += mail::field("Date", text::rfc5322_date(passed_on.now));
  made +=
      mail::field("Message-ID", fmt::format("<{}.wrapped@{}>", passed_on.id, passed_on.host_name));
  if (const auto id = fields.body_of("Message-ID"); !id.empty())
    made += mail::field("References", id);
  made += "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\nContent-Disposition: inline\r\n";
  return made;
}

}  // namespace tapal::forward
