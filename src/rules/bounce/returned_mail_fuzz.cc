#include <cstdint>
#include <cstdlib>

#include "rules/bounce/returned_mail.h"

// A bounce is about somebody, and about no more than the limit.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::bounce;
  static const BounceRules rules = BounceRules::read("", "").value();
  std::string message = "From: mailer-daemon@x.example\r\nSubject: failure notice\r\n";
  // NOLINTNEXTLINE(*-reinterpret-cast): the fuzzer's bytes as text
  message.append(reinterpret_cast<const char*>(data), size);
  const ReturnedMail mail = read_returned_mail(message, rules);
  if ((mail.kind == NoticeKind::bounce) == mail.returned.empty()) std::abort();
  if (mail.returned.size() > returned_max) std::abort();
  for (const Returned& one : mail.returned) {
    if (one.diagnosis.status.size() < 5) std::abort();
  }
  return 0;
}
