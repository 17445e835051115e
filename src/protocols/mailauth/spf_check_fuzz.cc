#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocols/mailauth/spf_check.h"

namespace {

using tapal::dns::LookupReply;
using tapal::dns::Type;

// The answers, one after the other: a byte for what kind of, a line for what is in it.
class Answers {
 public:
  explicit Answers(std::string_view bytes) : bytes_(bytes) {}

  std::string_view line() {
    const auto line = bytes_.substr(0, bytes_.find('\n'));
    bytes_.remove_prefix(std::min(line.size() + 1, bytes_.size()));
    return line;
  }
  LookupReply reply(Type type) {
    std::string_view text = line();
    const unsigned char kind = text.empty() ? 0 : static_cast<unsigned char>(text.front());
    text.remove_prefix(std::min<std::size_t>(text.size(), 1));
    LookupReply reply{static_cast<LookupReply::Status>(kind % 5), {}};
    if (reply.status != LookupReply::Status::found) return reply;
    for (unsigned i = 0; i <= kind / 5U % 16; ++i)
      reply.records.push_back({"", type, {}, data(type, text, i)});
    return reply;
  }

 private:
  static tapal::dns::Data data(Type type, std::string_view text, unsigned number) {
    switch (type) {
      case Type::txt: return tapal::dns::Text{std::string(text)};
      case Type::mx:
        return tapal::dns::MailExchange{static_cast<std::uint16_t>(number), "mx.example"};
      case Type::ptr: return tapal::dns::NameTarget{"a.example"};
      default: break;
    }
    tapal::IpAddress address;
    for (std::size_t i = 0; i < std::min(text.size(), address.bytes.size()); ++i)
      address.bytes[i] = static_cast<std::uint8_t>(text[i]);
    return address;
  }

  std::string_view bytes_;
};

}  // namespace

// Whatever DNS answers, the check ends after a bounded number of lookups, with names that can be.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::mailauth;
  Answers answers(std::string_view(reinterpret_cast<const char*>(data), size));
  SpfQuestion question;
  if (size % 2 == 0) question.ip = tapal::IpAddress::v4({192, 0, 2, 1});
  const auto helo = answers.line();
  question.helo = helo;
  question.identity = SpfIdentity::of_mail_from(answers.line(), helo);
  SpfCheck check(std::move(question));
  // The first record, ten terms with ten exchanges each, the client's names, the explanation.
  constexpr int lookups_max = 1 + 10 * 11 + 11 + 1;
  int lookups = 0;
  while (const auto lookup = check.next_lookup()) {
    if (++lookups > lookups_max || lookup->name.empty()) std::abort();
    check.on_reply(answers.reply(lookup->type));
  }
  const SpfResult& result = check.result();
  if (result.reason.empty() || result.records.size() > 11) std::abort();
  if (!result.explanation.empty() && result.verdict != SpfVerdict::fail) std::abort();
  return 0;
}
