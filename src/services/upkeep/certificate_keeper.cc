// When it is a certificate's turn; how it is then ordered is in certificate_keeper_orders.cc.
#include "services/upkeep/certificate_keeper.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "services/upkeep/on_worker.h"
#include "values/text/ascii.h"
#include "values/text/date.h"

namespace tapal::upkeep {
namespace {

using std::chrono::hours;

constexpr hours look_again_max{1};  // the calendar may jump, files of others may change
constexpr std::chrono::seconds look_again_min{1};
constexpr hours window_asked_after{6};  // RFC 9773 section 4.3.3
constexpr hours window_asked_after_min{1};
constexpr hours window_asked_after_max{24};
constexpr std::size_t account_name_bytes_max = 100;
constexpr int grave_days = 7;

bool is_ours(const KeptCertificate& kept) { return !kept.note.empty(); }

// For all of these names. A makeshift, signed by itself, may have been there before the first order
// failed.
bool is_issued(const KeptCertificate& kept, const CertificateNote& note) {
  const auto facts = crypto::read_certificate(kept.chain_pem);
  const auto is_in = [&facts](const std::string& name) {
    return std::ranges::find(facts->names, name) != facts->names.end();
  };
  return facts && !(facts->self_signed && note.failure) && std::ranges::all_of(note.names, is_in);
}

}  // namespace

std::string account_name(std::string_view directory_url) {
  const auto scheme = directory_url.find("://");
  std::string name(scheme == directory_url.npos ? directory_url : directory_url.substr(scheme + 3));
  for (char& c : name)
    if (!text::is_alnum(c) && c != '.') c = '-';
  while (name.ends_with('-')) name.pop_back();
  return "ca-" + name.substr(0, account_name_bytes_max);
}

std::string folder_name(const std::vector<std::string>& names) {
  if (names.empty()) return {};
  const auto& first = names.front();
  return first.starts_with("*.") ? first.substr(2) : first;
}

CertificateKeeper::CertificateKeeper(KeeperWorld world, KeeperOptions options)
    : world_(std::move(world)),
      options_(std::move(options)),
      timer_(world_.order.loop.make_timer()) {}

void CertificateKeeper::stop() {
  stopped_ = true;
  timer_->cancel();
  if (under_way_) under_way_->stop();
}

Task<void> CertificateKeeper::run() {
  if (!is_busy_) {
    const Busy busy(is_busy_);
    co_await begin();
  }
  while (!stopped_) {
    const auto next = co_await round();
    if (stopped_) break;
    const auto pause =
        std::chrono::ceil<std::chrono::seconds>(next - world_.order.clock.wall_now());
    const auto bounded = std::clamp<std::chrono::seconds>(pause, look_again_min, look_again_max);
    co_await timer_->wait_until(world_.order.loop.now() + bounded);
  }
}

// Once: what an earlier run left behind.
Task<void> CertificateKeeper::begin() {
  if (std::exchange(has_begun_, true)) co_return;
  if (world_.tidy) co_await world_.tidy();
  if (world_.warned == nullptr) co_return;
  const auto read = [this] { return world_.warned->read(); };
  const auto memory = co_await on_worker(world_.workers, world_.order.loop, read);
  if (memory) warnings_ = ExpiryWarnings(*memory);
}

Task<WallTime> CertificateKeeper::round() {
  auto next = world_.order.clock.wall_now() + look_again_max;
  const auto list = [this] { return world_.files.list(); };
  const auto kept = co_await on_worker(world_.workers, world_.order.loop, list);
  if (!kept) {
    world_.log.write(Level::error, "cannot look at certificates", {{"reason", kept.error().what}});
    co_return next;
  }
  for (const auto& one : *kept) {
    if (stopped_) co_return next;
    const auto due = co_await look_at(one);
    next = std::min(next, due);
  }
  const auto due = co_await look_for_wanted(*kept);
  co_return std::min(next, due);
}

// When it is this one's turn again.
Task<WallTime> CertificateKeeper::look_at(KeptCertificate kept) {
  const auto now = world_.order.clock.wall_now();
  const auto facts = crypto::read_certificate(kept.chain_pem);
  if (!facts) co_return now + look_again_max;
  co_await warn(kept, *facts);
  if (!is_ours(kept)) co_return now + look_again_max;
  co_await show_keys(kept.name, *facts, std::vector<dns::Data>());
  auto note = read_certificate_note(kept.note);
  if (!note) {
    world_.log.write(Level::error,
                     "a certificate will not be renewed",
                     {{"name", kept.name}, {"reason", note.error().what}});
    co_return now + look_again_max;
  }
  if (const auto failed = failures_.find(kept.name); failed != failures_.end())
    note->failure = failed->second;
  Target target{kept.name, *std::move(note), *facts, {}, true, KeyChoice::announced};
  co_await ask_for_window(target);
  const auto due = renewal_due(target.note, *facts);
  if (now < due || is_busy_) co_return std::max(due, now + look_again_min);
  const Busy busy(is_busy_);
  static_cast<void>(co_await order(std::move(target)));
  co_return now + look_again_min;
}

// The certificate that the settings want, while it is not there or is for other names.
Task<WallTime> CertificateKeeper::look_for_wanted(const Kept& kept) {
  const auto now = world_.order.clock.wall_now();
  const auto later = now + look_again_max;
  const auto folder = folder_name(options_.names);
  if (folder.empty() || is_busy_ || stopped_) co_return later;
  const auto found = std::ranges::find(kept, folder, &KeptCertificate::name);
  if (found != kept.end() && is_ours(*found)) {
    const auto note = read_certificate_note(found->note);
    const bool is_for_these = note && note->names == options_.names;
    if (!note || (is_for_these && is_issued(*found, *note))) co_return later;
    const auto& failure = note->failure;
    if (is_for_these && failure) failures_.try_emplace(folder, *failure);
  }
  if (const auto failed = failures_.find(folder);
      failed != failures_.end() && failed->second.next_try > now)
    co_return failed->second.next_try;
  CertificateWish wish;
  wish.names = options_.names;
  const auto done = co_await issue(std::move(wish));
  // A folder of another program's is not ours to look into every second.
  co_return done || failures_.contains(folder) ? now + look_again_min : later;
}

// By the log, and by mail: who does not read the one may read the other.
Task<void> CertificateKeeper::warn(const KeptCertificate& kept,
                                   const crypto::CertificateFacts& facts) {
  const auto now = world_.order.clock.wall_now();
  const auto days = warnings_.take(kept.name, facts.validity, now);
  if (!days) co_return;
  world_.log.write(*days <= grave_days ? Level::error : Level::warning,
                   "a certificate is near its end",
                   {{"name", kept.name},
                    {"names", fmt::format("{}", fmt::join(facts.names, ","))},
                    {"until", text::rfc3339_date(facts.validity.not_after)},
                    {"days", std::to_string(*days)},
                    {"renewed_by", is_ours(kept) ? "tapal" : "another program"}});
  if (world_.warned != nullptr) {
    const auto write = [this, now] { return world_.warned->write(warnings_.memory(now)); };
    static_cast<void>(co_await on_worker(world_.workers, world_.order.loop, write));
  }
  if (!world_.tell) co_return;
  const auto note = read_certificate_note(kept.note);
  auto letter = expiry_letter(kept, facts, note ? &*note : nullptr, now);
  co_await world_.tell(facts.names, std::move(letter));
}

// What the authority suggests, when it is time to ask; a failure leaves it at what is known.
Task<void> CertificateKeeper::ask_for_window(Target& target) {
  const auto now = world_.order.clock.wall_now();
  auto& note = target.note;
  if (!target.old) co_return;
  const auto id = acme::certificate_id(*target.old);
  if (note.renewal_info_url.empty() || id.empty()) co_return;
  if (note.suggestion && note.suggestion->ask_again > now) co_return;
  HttpRequest request;
  request.url = note.renewal_info_url + "/" + id;
  request.headers.push_back({"User-Agent", world_.order.user_agent});
  request.time_max = authority_time_max;
  request.response_bytes_max = acme::response_bytes_max;
  const auto response = co_await world_.order.http.send(world_.order.loop, std::move(request));
  if (!response || response->status != 200) co_return;
  auto window = acme::read_renewal_window(response->body);
  if (!window) co_return;
  const auto asked = acme::retry_after(*response, now).value_or(window_asked_after);
  const auto pause =
      std::clamp<std::chrono::seconds>(asked, window_asked_after_min, window_asked_after_max);
  if (!window->explanation_url.empty())
    world_.log.write(Level::warning,
                     "the authority wants a certificate renewed",
                     {{"name", target.folder},
                      {"from", text::rfc3339_date(window->start)},
                      {"why", window->explanation_url}});
  note.suggestion = CertificateNote::Suggestion{*std::move(window), now + pause};
  const auto put = [this, &target] {
    return world_.files.put_note(target.folder, target.note.to_json());
  };
  static_cast<void>(co_await on_worker(world_.workers, world_.order.loop, put));
}

}  // namespace tapal::upkeep
