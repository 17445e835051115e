#include <cstdint>
#include <cstdlib>

#include "rules/forward/srs.h"

// Whatever address comes: it leads back to where it came from, and none that we did not make leads
// anywhere.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal;
  using namespace tapal::forward;
  static const Srs srs({"a key that nobody has", "and one before it"});
  const WallTime now{std::chrono::sys_days(std::chrono::year(2026) / 11 / 26)};
  // NOLINTNEXTLINE(*-reinterpret-cast): the fuzzer's bytes as text
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)read_srs_keys(text, "srs.keys");
  const auto address = mail::parse_address(text);
  if (!address) return 0;
  if (srs.reverse(*address, now)) std::abort();  // forged
  const auto rewritten = srs.forward(*address, "alias.example", now);
  if (!rewritten) return 0;
  const auto wire = mail::parse_address(rewritten->text());
  if (!wire || *wire != *rewritten || !is_srs(*wire)) std::abort();
  const auto sender = srs.reverse(*wire, now);
  if (!sender) std::abort();
  const bool was_rewritten_twice = is_srs(*address) && address->local[3] == '1';
  const auto& readable = std::get<mail::Address>(*sender);
  if (!was_rewritten_twice && readable.key() != address->key()) std::abort();
  return 0;
}
