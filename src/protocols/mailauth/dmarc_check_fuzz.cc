#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "protocols/mailauth/dmarc_check.h"
#include "values/text/ascii.h"

// The input's lines are: a From field, identifiers' domains, then the records that DNS answers
// with, in turn. Whatever they say, the questions end, are asked once each, and only a failure has
// a disposition.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::mailauth;
  using tapal::dns::LookupReply;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto lines = tapal::text::split(text, '\n');
  DmarcQuestion question{author_domains("From: " + std::string(lines[0]) + "\r\n"), {}};
  if (lines.size() > 1) {
    for (const auto domain : tapal::text::words(lines[1]))
      question.identifiers.push_back(
          {domain.size() % 2 == 0 ? DmarcIdentifier::Method::spf : DmarcIdentifier::Method::dkim,
           DmarcIdentifier::Outcome::passed,
           std::string(domain)});
  }
  DmarcCheck core(std::move(question));
  std::size_t asked = 0;
  while (const auto lookup = core.next_lookup()) {
    const std::size_t line = 2 + asked++;
    if (asked > 8 * (author_domains_max + dmarc_identifiers_max) + author_domains_max) std::abort();
    LookupReply reply{LookupReply::Status::no_such_name, {}};
    if (line < lines.size() && lines[line] == "!") reply.status = LookupReply::Status::failed;
    if (line < lines.size() && lines[line].size() > 1)
      reply = {LookupReply::Status::found,
               {{lookup->name, lookup->type, {}, tapal::dns::Text{std::string(lines[line])}}}};
    core.on_reply(reply);
  }
  const DmarcResult& result = core.result();
  if (result.verdict != DmarcVerdict::fail && result.disposition != DmarcPolicy::none) std::abort();
  if (result.verdict == DmarcVerdict::pass && result.aligned.empty()) std::abort();
  return 0;
}
