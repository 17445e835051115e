#include "app/dkim_check.h"

#include <utility>

#include "app/once.h"
#include "drivers/system/clock.h"
#include "values/mail/header.h"

namespace tapal::app {
namespace {

mailauth::DkimKeyAnswer answer_of(const Result<DnsAnswer>& found) {
  using Status = mailauth::DkimKeyAnswer::Status;
  if (!found) return {Status::temporary_failure, {}};
  mailauth::DkimKeyAnswer answer{found->records.empty() ? Status::no_such_name : Status::found, {}};
  for (const auto& record : found->records)
    if (const auto* text = std::get_if<dns::Text>(&record.data))
      answer.texts.push_back(text->value);
  return answer;
}

Task<bool> ask_keys(NetLoop& loop, Resolver& resolver, mailauth::DkimVerifier& verifier) {
  const auto questions = verifier.questions();
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const auto found = co_await resolver.resolve(loop, questions[i], dns::Type::txt);
    verifier.on_key(i, answer_of(found));
  }
  co_return true;
}

}  // namespace

Result<std::vector<mailauth::DkimResult>> check_dkim(std::string_view message,
                                                     ResolverOptions options) {
  const auto end = mail::header_end(message).value_or(message.size());
  mailauth::DkimVerifier verifier(message.substr(0, end));
  verifier.on_body(message.substr(end));
  TAPAL_TRY(const auto resolver, UnboundResolver::open(std::move(options)));
  run_once<bool>([&](NetLoop& loop) { return ask_keys(loop, *resolver, verifier); });
  return verifier.results(SystemClock().wall_now());
}

std::string with_crlf(std::string_view text) {
  std::string lines;
  lines.reserve(text.size() + text.size() / 32);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) lines += '\r';
    lines += text[i];
  }
  return lines;
}

}  // namespace tapal::app
