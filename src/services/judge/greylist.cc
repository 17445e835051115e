#include "services/judge/greylist.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/crypto/hash.h"
#include "values/text/ascii.h"
#include "values/text/hex.h"

namespace tapal::judge {
namespace {

constexpr std::size_t key_bytes = 16;

std::string digest(std::string_view text) {
  const auto whole = crypto::sha256(text);
  return std::string(crypto::bytes_of(whole).substr(0, key_bytes));
}

std::string network_of(const IpAddress& peer) {
  const std::size_t kept = peer.is_v4() ? 15 : 8;  // IPv4 is mapped: /24 is 120 bits
  auto bytes = peer.bytes;
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(kept), bytes.end(), std::uint8_t{0});
  return IpAddress{bytes}.text();
}

bool has_passed(const std::optional<GreylistRecord>& record,
                const GreylistTimes& times,
                WallTime now) {
  if (!record) return false;
  if (record->let_in) return now - *record->let_in <= times.remembered;
  const auto waited = now - record->first_tried;
  return waited >= times.delay && waited <= times.window;
}

// Whether a wait that has begun still counts.
bool is_waiting(const std::optional<GreylistRecord>& record,
                const GreylistTimes& times,
                WallTime now) {
  return record && !record->let_in && record->first_tried <= now &&
         now - record->first_tried <= times.window;
}

}  // namespace

std::optional<GreylistRecord> BoundedGreylistMemory::load(std::string_view key) {
  const std::scoped_lock lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return {};
  records_.splice(records_.begin(), records_, found->second);
  return found->second->second;
}

void BoundedGreylistMemory::save(std::string_view key, const GreylistRecord& record) {
  const std::scoped_lock lock(mutex_);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    found->second->second = record;
    records_.splice(records_.begin(), records_, found->second);
    return;
  }
  records_.emplace_front(key, record);
  by_key_.emplace(records_.front().first, records_.begin());
  if (records_.size() <= records_max_) return;
  by_key_.erase(records_.back().first);
  records_.pop_back();
}

std::string BoundedGreylistMemory::text() const {
  const std::scoped_lock lock(mutex_);
  std::string lines;
  for (auto at = records_.rbegin(); at != records_.rend(); ++at) {
    const auto& [key, record] = *at;
    const WallTime let_in = record.let_in.value_or(WallTime{});
    lines += fmt::format("{} {} {}\n",
                         text::to_hex(key),
                         record.first_tried.time_since_epoch().count(),
                         let_in.time_since_epoch().count());
  }
  return lines;
}

void BoundedGreylistMemory::take_in(std::string_view text) {
  for (const auto line : text::split(text, '\n')) {
    const auto words = text::words(line);
    if (words.size() != 3) continue;
    const auto key = text::from_hex(words[0]);
    const auto first_tried = text::to_number<std::int64_t>(words[1]);
    const auto let_in = text::to_number<std::int64_t>(words[2]);
    if (!key || key->size() != key_bytes || !first_tried || !let_in) continue;
    GreylistRecord record{WallTime(std::chrono::milliseconds(*first_tried)), {}};
    if (*let_in != 0) record.let_in = WallTime(std::chrono::milliseconds(*let_in));
    save(*key, record);
  }
}

std::vector<std::string> greylist_keys(const Mail& mail) {
  if (!mail.spf_domain.empty()) return {digest("spf\n" + mail.spf_domain)};
  const auto sender = mail.return_path ? mail.return_path->key() : "";
  std::vector<std::string> keys;
  keys.reserve(mail.recipients.size());
  for (const auto& recipient : mail.recipients)
    keys.push_back(
        digest(fmt::format("{}\n{}\n{}", network_of(mail.peer), sender, recipient.key())));
  return keys;
}

std::optional<std::chrono::seconds> greylist_wait(const std::vector<std::string>& keys,
                                                  const GreylistTimes& times,
                                                  GreylistMemory& memory,
                                                  WallTime now) {
  using std::chrono::seconds;
  std::vector<std::optional<GreylistRecord>> records;
  records.reserve(keys.size());
  for (const auto& key : keys) records.push_back(memory.load(key));
  const auto passed = [&](const auto& record) { return has_passed(record, times, now); };
  const bool let_in = keys.empty() || std::ranges::any_of(records, passed);
  auto wait = seconds::max();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto& known = records[i];
    GreylistRecord next{now, {}};
    if (known && (let_in || is_waiting(known, times, now))) next.first_tried = known->first_tried;
    if (let_in) next.let_in = now;
    if (next != known) memory.save(keys[i], next);
    const auto left = times.delay - (now - next.first_tried);
    wait = std::min(wait, std::chrono::ceil<seconds>(left));
  }
  if (let_in) return {};
  return wait;
}

Task<Result<Opinion>> Greylist::look_at(const Mail& mail) {
  Opinion opinion;
  const auto wait = greylist_wait(greylist_keys(mail), times_, memory_, clock_.wall_now());
  if (!wait) co_return opinion;
  opinion.action = Action::defer;
  opinion.reason = fmt::format("greylisted for {} s", wait->count());
  opinion.reply = smtp::make_reply(
      451, "4.7.1", fmt::format("greylisted, try again in {} seconds", wait->count()));
  co_return opinion;
}

}  // namespace tapal::judge
