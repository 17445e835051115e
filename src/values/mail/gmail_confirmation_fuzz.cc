#include <cstdint>
#include <cstdlib>

#include "values/mail/gmail_confirmation.h"

// Whatever comes, the code is digits and the link leads to Google.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::mail;
  std::string message = "From: <gmail-noreply@google.com>\r\n";
  // NOLINTNEXTLINE(*-reinterpret-cast): the fuzzer's bytes as text
  message.append(reinterpret_cast<const char*>(data), size);
  const auto confirmation = read_gmail_confirmation(message);
  if (!confirmation) return 0;
  const auto& [kind, code, link] = *confirmation;
  if (code.find_first_not_of("0123456789") != code.npos) std::abort();
  if (!link.empty() && !link.starts_with("https://mail.google.com/mail/") &&
      !link.starts_with("https://mail-settings.google.com/mail/"))
    std::abort();
  return 0;
}
