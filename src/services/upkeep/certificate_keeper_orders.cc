// What an order needs, and what becomes of it.
#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "services/upkeep/certificate_keeper.h"
#include "services/upkeep/on_worker.h"
#include "values/text/date.h"
#include "values/text/json_fields.h"

namespace tapal::upkeep {

namespace json = boost::json;

namespace {

constexpr std::size_t told_output_bytes_max = 500;

std::string url_in(const std::string& account_note) {
  const auto note = text::parse_object(account_note);
  return note ? text::text_at(*note, "url") : std::string();
}

}  // namespace

Task<Result<std::string>> CertificateKeeper::issue(CertificateWish wish) {
  if (is_busy_) co_return fail(Code::full, "another order is under way; try again in a minute");
  const Busy busy(is_busy_);
  co_await begin();
  Target target;
  target.folder = folder_name(wish.names);
  target.note.names = std::move(wish.names);
  target.note.directory_url =
      wish.directory_url.empty() ? options_.directory_url : std::move(wish.directory_url);
  target.note.profile = wish.profile.empty() ? options_.profile : std::move(wish.profile);
  target.note.preferred_chain = std::move(wish.preferred_chain);
  const auto list = [this] { return world_.files.list(); };
  TAPAL_CO_TRY(const auto kept, co_await on_worker(world_.workers, world_.order.loop, list));
  const auto found = std::ranges::find(kept, target.folder, &KeptCertificate::name);
  // Nobody tries again what was ordered by hand.
  target.is_remembered = target.folder == folder_name(options_.names);
  if (found != kept.end()) {
    const bool is_ours = !found->note.empty();
    target.is_remembered = target.is_remembered || is_ours;
    if (auto facts = crypto::read_certificate(found->chain_pem)) target.old = *std::move(facts);
    // One that nobody vouches for is a makeshift, and may go.
    if (!is_ours && target.old && !target.old->self_signed)
      co_return fail(Code::denied,
                     fmt::format("certs/{} holds a certificate that another program looks after; "
                                 "move the folder away, or let that program go on",
                                 target.folder));
  }
  auto folder = target.folder;
  TAPAL_CO_CHECK(co_await order(std::move(target)));
  co_return folder;
}

Task<Result<CertificateKeeper::Target>> CertificateKeeper::target_of(std::string name) {
  const auto list = [this] { return world_.files.list(); };
  TAPAL_CO_TRY(const auto kept, co_await on_worker(world_.workers, world_.order.loop, list));
  const auto found = std::ranges::find(kept, name, &KeptCertificate::name);
  if (found == kept.end() || found->note.empty())
    co_return fail(Code::not_found,
                   fmt::format("certs/{} holds no certificate that tapal got", name));
  TAPAL_CO_TRY(auto note, read_certificate_note(found->note));
  Target target{std::move(name), std::move(note), {}, found->chain_pem, true, KeyChoice::announced};
  if (auto facts = crypto::read_certificate(found->chain_pem)) target.old = *std::move(facts);
  co_return target;
}

Task<Result<std::string>> CertificateKeeper::renew(std::string name, KeyChoice choice) {
  if (is_busy_) co_return fail(Code::full, "another order is under way; try again in a minute");
  const Busy busy(is_busy_);
  co_await begin();
  TAPAL_CO_TRY(auto target, co_await target_of(name));
  target.key = choice;
  TAPAL_CO_CHECK(co_await order(std::move(target)));
  co_return name;
}

Task<Result<void>> CertificateKeeper::order(Target target) {
  acme::Problem problem;
  const auto done = co_await try_order(target, problem);
  if (done) {
    failures_.erase(target.folder);
    co_return done;
  }
  if (problem.detail.empty()) problem = acme::local_problem(done.error().what);
  if (!stopped_) co_await remember_failure(std::move(target), std::move(problem));
  co_return done;
}

// `problem` stays empty where it is not the order that failed.
Task<Result<void>> CertificateKeeper::try_order(Target& target, acme::Problem& problem) {
  TAPAL_CO_TRY(auto account, co_await account_for(target.note.directory_url));
  TAPAL_CO_TRY(const auto keys, co_await keys_for(target));
  world_.log.write(Level::info,
                   "a certificate is ordered",
                   {{"name", target.folder},
                    {"names", fmt::format("{}", fmt::join(target.note.names, ","))},
                    {"authority", target.note.directory_url}});
  auto end = co_await place(target, account, keys.key);
  if (!end.account_url.empty() && end.account_url != account.url) {
    account.url = end.account_url;
    TAPAL_CO_CHECK(co_await keep_account(account, target.note.directory_url));
  }
  if (!end.chain_pem) {
    problem = std::move(end.chain_pem).error();
    co_return fail(Code::denied, problem.text());
  }
  target.note.renewal_info_url = end.renewal_info_url;
  co_return co_await keep(target, keys, *std::move(end.chain_pem));
}

Task<OrderEnd> CertificateKeeper::place(const Target& target,
                                        const Account& account,
                                        const crypto::PrivateKey& key) {
  acme::OrderWish wish{.directory_url = target.note.directory_url,
                       .names = target.note.names,
                       .profile = target.note.profile,
                       .replaces = target.old ? acme::certificate_id(*target.old) : "",
                       .contact = options_.contact,
                       .external = options_.external,
                       .kinds = options_.kinds,
                       .account_url = account.url,
                       .preferred_chain = target.note.preferred_chain};
  under_way_ = std::make_unique<CertificateOrder>(world_.order, std::move(wish), account.key, key);
  if (stopped_) under_way_->stop();
  auto end = co_await under_way_->run();
  under_way_.reset();
  co_return end;
}

Task<Result<void>> CertificateKeeper::keep(Target& target,
                                           const Keys& keys,
                                           std::string chain_pem) {
  auto next_pem = keys.next_pem;
  if (next_pem.empty()) {
    TAPAL_CO_TRY(const auto next, crypto::PrivateKey::generate_ec_p256());
    next_pem = next.to_pem();
  }
  const auto now = world_.order.clock.wall_now();
  const bool is_early =
      target.note.suggestion && target.old && now < acme::moment_by_lifetime(target.old->validity);
  target.note.renewed_early = is_early ? std::optional(now) : std::nullopt;
  target.note.suggestion.reset();
  target.note.failure.reset();
  const CertificateSet set{
      std::move(chain_pem), keys.key.to_pem(), std::move(next_pem), target.note.to_json()};
  const auto put = [&] { return world_.files.put(target.folder, set); };
  TAPAL_CO_CHECK(co_await on_worker(world_.workers, world_.order.loop, put));
  TAPAL_CO_TRY(const auto facts, crypto::read_certificate(set.chain_pem));
  Result<void> taken;
  if (world_.take_in) taken = co_await on_worker(world_.workers, world_.order.loop, world_.take_in);
  if (taken)
    co_await show_keys(target.folder, facts, past_pins(target, keys, facts));
  else
    world_.log.write(Level::error,
                     "the new certificate is not in use",
                     {{"name", target.folder}, {"reason", taken.error().what}});
  world_.log.write(Level::info,
                   "a certificate was issued",
                   {{"name", target.folder},
                    {"names", fmt::format("{}", fmt::join(facts.names, ","))},
                    {"by", facts.issuer},
                    {"until", text::rfc3339_date(facts.validity.not_after)}});
  timer_->cancel();  // its turn comes sooner than we meant to look, perhaps
  co_await run_hooks(target.folder);
  co_return Result<void>();
}

Task<void> CertificateKeeper::remember_failure(Target target, acme::Problem problem) {
  auto before = target.note.failure;
  if (const auto known = failures_.find(target.folder); known != failures_.end())
    before = known->second;
  const auto failure = failure_after(before, problem, world_.order.clock.wall_now());
  failures_.insert_or_assign(target.folder, failure);
  world_.log.write(Level::error,
                   "a certificate was not issued",
                   {{"name", target.folder},
                    {"reason", problem.text()},
                    {"next_try", text::rfc3339_date(failure.next_try)}});
  if (!target.is_remembered) co_return;
  target.note.failure = failure;
  const auto put = [this, &target] {
    return world_.files.put_note(target.folder, target.note.to_json());
  };
  static_cast<void>(co_await on_worker(world_.workers, world_.order.loop, put));
}

Task<Result<CertificateKeeper::Account>> CertificateKeeper::account_for(std::string directory_url) {
  const auto name = account_name(directory_url);
  const auto read = [&] { return world_.files.account(name); };
  const auto files = co_await on_worker(world_.workers, world_.order.loop, read);
  if (files) {
    auto key = crypto::PrivateKey::from_pem(files->key_pem);
    if (!key) co_return fail(Code::invalid, fmt::format("acme/{}: {}", name, key.error().what));
    co_return Account{name, *std::move(key), url_in(files->note)};
  }
  if (files.error().code != Code::not_found) co_return std::unexpected(files.error());
  TAPAL_CO_TRY(auto key, crypto::PrivateKey::generate_ec_p256());
  Account account{name, std::move(key), {}};
  // Before it is used: an account whose key is lost is lost.
  TAPAL_CO_CHECK(co_await keep_account(account, std::move(directory_url)));
  co_return account;
}

Task<Result<void>> CertificateKeeper::keep_account(const Account& account,
                                                   std::string directory_url) {
  const json::object note{{"directory", directory_url}, {"url", account.url}};
  const AccountFiles files{account.key.to_pem(), json::serialize(note) + "\n"};
  const auto put = [&] { return world_.files.put_account(account.name, files); };
  co_return co_await on_worker(world_.workers, world_.order.loop, put);
}

Task<void> CertificateKeeper::run_hooks(std::string folder) {
  if (!world_.hooks) co_return;
  const auto list = [&] { return Result<std::vector<ProgramRun>>(world_.hooks(folder)); };
  auto hooks = co_await on_worker(world_.workers, world_.order.loop, list);
  if (!hooks) co_return;
  for (auto& hook : *hooks) {
    const auto program = hook.arguments.front();
    const auto end = co_await world_.programs.run(world_.order.loop, std::move(hook));
    if (end && end->exit_code == 0) continue;
    world_.log.write(Level::error,
                     "a reload hook failed",
                     {{"program", program},
                      {"name", folder},
                      {"reason",
                       end ? fmt::format("exit code {}: {}",
                                         end->exit_code,
                                         end->error_output.substr(0, told_output_bytes_max))
                           : end.error().what}});
  }
}

}  // namespace tapal::upkeep
