#include "rules/forward/srs.h"

#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "values/crypto/hash.h"
#include "values/text/ascii.h"
#include "values/text/base64.h"
#include "values/text/utf8.h"

namespace tapal::forward {
namespace {

constexpr std::string_view base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";  // RFC 4648 section 6
constexpr std::size_t hash_chars = 12;                                   // of 5 bits
constexpr std::size_t day_chars = 2;
constexpr int days_in_circle = 1 << 10;
constexpr std::size_t keys_max = 2;
constexpr std::size_t key_bytes_max = 1024;

std::optional<int> base32_value(char c) {
  const std::size_t at = base32.find(text::to_upper(c));
  if (at == base32.npos) return {};
  return static_cast<int>(at);
}

int day_of(WallTime now) {
  const auto days = std::chrono::floor<std::chrono::days>(now).time_since_epoch().count();
  return static_cast<int>(((days % days_in_circle) + days_in_circle) % days_in_circle);
}

std::string day_text(int day) {
  return {base32[static_cast<std::size_t>(day / 32)], base32[static_cast<std::size_t>(day % 32)]};
}

std::optional<int> read_day(std::string_view text) {
  if (text.size() != day_chars) return {};
  const auto high = base32_value(text[0]);
  const auto low = base32_value(text[1]);
  if (!high || !low) return {};
  return *high * 32 + *low;
}

std::optional<SrsRefusal> check_day(int day, WallTime now) {
  const int age = (day_of(now) - day + days_in_circle) % days_in_circle;
  if (age <= srs_lifetime.count() || days_in_circle - age <= srs_clock_skew.count()) return {};
  return age < days_in_circle / 2 ? SrsRefusal::expired : SrsRefusal::from_the_future;
}

// "SRS0" or "SRS1" and its separator at the front of a local part; ' ' for neither.
char form_of(std::string_view local) {
  if (local.size() < 5 || !text::starts_with_ignoring_case(local, "srs")) return ' ';
  if (!std::string_view("=+-").contains(local[4])) return ' ';
  return local[3] == '0' || local[3] == '1' ? local[3] : ' ';
}

// What stands in front of the next "=", which is taken off with it; nothing without one.
std::optional<std::string_view> take_field(std::string_view& text) {
  const std::size_t end = text.find('=');
  if (end == text.npos) return {};
  const std::string_view field = text.substr(0, end);
  text.remove_prefix(end + 1);
  return field;
}

// SRS1's inside: the first server to rewrite, and its local part after "SRS0". Nothing when
// `local` (after "SRS1=") is not of that form.
struct Guarded {
  std::string_view first, rest;
};
std::optional<Guarded> read_guarded(std::string_view local) {
  const auto hash = take_field(local);
  const auto first = hash ? take_field(local) : std::nullopt;
  if (!first || first->empty() || local.empty() || !std::string_view("=+-").contains(local[0]))
    return {};
  if (!mail::make_address("x", *first)) return {};
  return Guarded{*first, local};
}

}  // namespace

Result<SrsKeys> read_srs_keys(std::string_view text, std::string_view file_name) {
  std::vector<std::string_view> keys;
  std::size_t number = 0;
  for (const std::string_view line : text::split(text, '\n')) {
    ++number;
    const auto wrong = [&](std::string_view what) {
      return fail(Code::invalid, fmt::format("{}:{}: {}", file_name, number, what));
    };
    const std::string_view key = text::trim(line);
    if (key.empty() || key.starts_with('#')) continue;
    if (keys.size() == keys_max)
      return wrong("a third key; the first signs, the second is still believed, drop the rest");
    if (key.size() < srs_key_bytes_min || key.size() > key_bytes_max)
      return wrong(fmt::format("a key has {} to {} characters", srs_key_bytes_min, key_bytes_max));
    keys.push_back(key);
  }
  if (keys.empty())
    return fail(Code::invalid,
                fmt::format("{}: no key; remove the file and run `tapal init` again", file_name));
  return SrsKeys{std::string(keys[0]), keys.size() > 1 ? std::string(keys[1]) : std::string()};
}

std::string make_srs_keys(std::string_view random_bytes, std::string_view previous) {
  return fmt::format(
      "# Keys for the return paths of forwarded mail, one a line: the first signs, the second is\n"
      "# still believed. To change the key put a new line on top. Keep the file secret.\n{}\n{}{}",
      text::to_base64_url(random_bytes),
      previous,
      previous.empty() ? "" : "\n");
}

std::string_view text_of(SrsRefusal refusal) {
  switch (refusal) {
    case SrsRefusal::not_srs: return "this is no rewritten address";
    case SrsRefusal::malformed: return "this is a malformed rewritten address";
    case SrsRefusal::forged: return "this rewritten address was not made here";
    case SrsRefusal::expired: return "this rewritten address has expired";
    case SrsRefusal::from_the_future: return "this rewritten address is dated in the future";
  }
  return {};
}

bool is_srs(const mail::Address& address) { return form_of(address.local) != ' '; }

// Of the folded text, so that a server that folds the case on the way breaks nothing.
std::string Srs::hash(std::string_view key, std::string_view what, std::string_view alias) const {
  const auto digest = crypto::hmac_sha256(key, fmt::format("{}@{}", text::case_fold(what), alias));
  std::string chars;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (std::size_t at = 0; chars.size() < hash_chars;) {
    if (count < 5) {
      bits = (bits << 8U) | digest[at++];
      count += 8;
    }
    count -= 5;
    chars += base32[(bits >> count) & 31U];
  }
  return chars;
}

bool Srs::is_signed(std::string_view hash, std::string_view what, std::string_view alias) const {
  const std::string given = text::to_upper(hash);
  const bool by_current =
      crypto::constant_time_equal(given, this->hash(keys_.current, what, alias));
  if (by_current || keys_.previous.empty()) return by_current;
  return crypto::constant_time_equal(given, this->hash(keys_.previous, what, alias));
}

Result<mail::Address> Srs::forward(const mail::Address& sender,
                                   std::string_view alias_domain,
                                   WallTime now) const {
  const std::string_view local = sender.local;
  std::string what = fmt::format("{}={}={}", day_text(day_of(now)), sender.domain, local);
  char form = '0';
  if (form_of(local) == '0') {
    form = '1';
    what = fmt::format("{}={}", sender.domain, local.substr(4));
  } else if (form_of(local) == '1') {
    if (const auto guarded = read_guarded(local.substr(5))) {
      form = '1';
      what = fmt::format("{}={}", guarded->first, guarded->rest);
    }
  }
  return signed_address(form, what, alias_domain);
}

Result<mail::Address> Srs::forward_kept(QueueId name,
                                        std::string_view alias_domain,
                                        WallTime now) const {
  return signed_address(
      '0', fmt::format("{}=={}", day_text(day_of(now)), name.text()), alias_domain);
}

Result<mail::Address> Srs::signed_address(char form,
                                          std::string_view what,
                                          std::string_view alias) const {
  return mail::make_address(
      fmt::format("SRS{}={}={}", form, hash(keys_.current, what, alias), what), alias);
}

std::expected<SrsSender, SrsRefusal> Srs::reverse(const mail::Address& address,
                                                  WallTime now) const {
  const char form = form_of(address.local);
  if (form == ' ') return std::unexpected(SrsRefusal::not_srs);
  std::string_view rest = std::string_view(address.local).substr(5);
  const auto hash = take_field(rest);
  if (!hash || hash->size() != hash_chars) return std::unexpected(SrsRefusal::malformed);
  if (!is_signed(*hash, rest, address.domain)) return std::unexpected(SrsRefusal::forged);

  std::string local;
  std::optional<std::string_view> domain;
  if (form == '0') {
    const auto day = read_day(take_field(rest).value_or(""));
    if (!day) return std::unexpected(SrsRefusal::malformed);
    if (const auto refusal = check_day(*day, now)) return std::unexpected(*refusal);
    domain = take_field(rest);
    local = rest;
  } else {
    domain = take_field(rest);
    local = fmt::format("SRS0{}", rest);
  }
  if (!domain) return std::unexpected(SrsRefusal::malformed);
  if (domain->empty()) {
    const auto name = QueueId::from_text(local);
    if (!name) return std::unexpected(SrsRefusal::malformed);
    return *name;
  }
  auto sender = mail::make_address(local, *domain);
  if (!sender) return std::unexpected(SrsRefusal::malformed);
  return *std::move(sender);
}

}  // namespace tapal::forward
