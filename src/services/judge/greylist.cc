#include "services/judge/greylist.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "values/crypto/hash.h"

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

GreylistAnswer ask_greylist(const std::vector<std::string>& keys,
                            GreylistMemory& memory,
                            WallTime now) {
  using std::chrono::seconds;
  const auto& times = memory.times();
  std::vector<std::optional<GreylistRecord>> records;
  records.reserve(keys.size());
  for (const auto& key : keys) records.push_back(memory.load(key));
  const auto passed = [&](const auto& record) { return has_passed(record, times, now); };
  const bool let_in = keys.empty() || std::ranges::any_of(records, passed);
  GreylistAnswer answer;
  auto wait = seconds::max();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto& known = records[i];
    GreylistRecord next{now, {}};
    if (known && (let_in || is_waiting(known, times, now))) next.first_tried = known->first_tried;
    if (let_in) next.let_in = now;
    if (next != known) memory.save(keys[i], next, now, answer.change);
    const auto left = times.delay - (now - next.first_tried);
    wait = std::min(wait, std::chrono::ceil<seconds>(left));
  }
  if (!let_in) answer.wait = wait;
  return answer;
}

Task<Result<Opinion>> Greylist::look_at(const Mail& mail) {
  auto answer = ask_greylist(greylist_keys(mail), world_.memory, world_.clock.wall_now());
  if (world_.records != nullptr && !answer.change.empty()) {
    // What cannot be kept costs a delay after a restart, no more; of its disk the spool tells.
    (void)co_await world_.records->change_records(
        world_.loop, RecordKind::greylist, std::move(answer.change));
  }
  Opinion opinion;
  if (!answer.wait) co_return opinion;
  const auto seconds = answer.wait->count();
  opinion.action = Action::defer;
  opinion.reason = fmt::format("greylisted for {} s", seconds);
  opinion.reply =
      smtp::make_reply(451, "4.7.1", fmt::format("greylisted, try again in {} seconds", seconds));
  co_return opinion;
}

}  // namespace tapal::judge
