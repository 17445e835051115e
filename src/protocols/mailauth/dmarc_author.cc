#include "protocols/mailauth/dmarc_author.h"

#include <algorithm>

#include <fmt/format.h>

#include "protocols/mailauth/domain_name.h"
#include "protocols/mailauth/header_block.h"
#include "values/mail/address.h"

namespace tapal::mailauth {
namespace {

constexpr std::size_t addresses_max = 100;  // of one From field

void add_domains(AuthorDomains& authors, std::string_view field_body) {
  const auto mailboxes = mail::parse_mailbox_list(field_body, addresses_max);
  if (!mailboxes) {
    authors.problem = "the From field cannot be read: " + mailboxes.error().what;
    return;
  }
  for (const mail::Mailbox& mailbox : *mailboxes) {
    auto domain = comparable_name(mailbox.address.domain);
    if (!domain) {
      authors.problem = "an address in the From field has no domain name";
    } else if (std::ranges::find(authors.domains, *domain) != authors.domains.end()) {
      continue;
    } else if (authors.domains.size() == author_domains_max) {
      authors.problem = fmt::format("the From field has more than {} domains", author_domains_max);
    } else {
      authors.domains.push_back(*std::move(domain));
    }
  }
}

}  // namespace

AuthorDomains author_domains(std::string_view header_block) {
  const auto fields = split_header_block(header_block);
  const FieldIndex index(fields);
  const auto& froms = index.instances("From");
  AuthorDomains authors;
  for (const RawField* from : froms)
    add_domains(authors, from->raw.substr(from->raw.find(':') + 1));
  if (froms.size() > 1) {
    authors.problem = fmt::format("there are {} From fields", froms.size());
  } else if (froms.empty()) {
    authors.problem = "there is no From field";
  } else if (authors.domains.empty() && authors.problem.empty()) {
    authors.problem = "the From field has no address";
  }
  return authors;
}

}  // namespace tapal::mailauth
