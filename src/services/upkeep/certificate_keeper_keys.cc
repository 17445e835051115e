// Which key a certificate gets, and what is told to an authority beside orders.
#include <fmt/format.h>

#include "services/upkeep/certificate_keeper.h"
#include "services/upkeep/on_worker.h"
#include "values/crypto/pem.h"

namespace tapal::upkeep {

// The key that was announced with the certificate before, else a new one. Where senders do not find
// it pinned yet they would not deliver: then the one in use stays.
Task<Result<CertificateKeeper::Keys>> CertificateKeeper::keys_for(const Target& target) {
  const auto read_next = [&] { return world_.files.next_key(target.folder); };
  const auto next_pem = co_await on_worker(world_.workers, world_.order.loop, read_next);
  auto next = next_pem && target.key == KeyChoice::announced
                  ? crypto::PrivateKey::from_pem(*next_pem)
                  : crypto::PrivateKey::generate_ec_p256();
  if (!next) next = crypto::PrivateKey::generate_ec_p256();
  if (!next) co_return std::unexpected(next.error());
  Keys keys{*std::move(next), {}, {}};
  if (next_pem && target.key == KeyChoice::fresh) keys.dropped_pem = *next_pem;
  if (!target.old) co_return keys;
  const auto missing = co_await unpinned(target.note.names, keys.key);
  if (missing.empty()) co_return keys;
  const auto read = [&] { return world_.files.key(target.folder); };
  const auto pem = co_await on_worker(world_.workers, world_.order.loop, read);
  auto present = pem ? crypto::PrivateKey::from_pem(*pem)
                     : Result<crypto::PrivateKey>(std::unexpected(pem.error()));
  const bool stays = target.key == KeyChoice::announced && present;
  world_.log.write(Level::warning,
                   stays ? "a certificate keeps its key: DNS does not show the next one"
                         : "a certificate gets a key that DNS does not show yet",
                   {{"name", target.folder}, {"reason", missing}});
  if (stays) co_return Keys{*std::move(present), keys.key.to_pem(), {}};
  co_return keys;
}

Task<Result<void>> CertificateKeeper::do_errand(acme::Errand errand) {
  while (!stopped_) {
    auto action = errand.next_action();
    if (std::holds_alternative<acme::Errand::Done>(action)) co_return Result<void>();
    if (const auto* failed = std::get_if<acme::OrderSession::Failed>(&action))
      co_return fail(Code::denied, failed->problem.text());
    auto& request = std::get<acme::OrderSession::Send>(action);
    const auto response = co_await send_to_authority(world_.order, std::move(request));
    if (!response) co_return std::unexpected(response.error());
    errand.on_response(*response, world_.order.clock.wall_now());
  }
  co_return fail(Code::try_later, "the server stops");
}

Task<Result<std::string>> CertificateKeeper::revoke(std::string name,
                                                    acme::RevocationReason reason) {
  if (is_busy_) co_return fail(Code::full, "another order is under way; try again in a minute");
  const Busy busy(is_busy_);
  co_await begin();
  TAPAL_CO_TRY(auto target, co_await target_of(name));
  TAPAL_CO_TRY(auto der, crypto::pem_body(target.old_chain_pem, "CERTIFICATE"));
  TAPAL_CO_TRY(const auto account, co_await account_for(target.note.directory_url));
  acme::Errand::Revocation revocation{std::move(der), reason};
  acme::Errand errand(target.note.directory_url, {account.key, account.url}, std::move(revocation));
  TAPAL_CO_CHECK(co_await do_errand(std::move(errand)));
  world_.log.write(Level::warning, "a certificate was revoked", {{"name", name}});
  target.key = KeyChoice::fresh;
  auto another = co_await order(std::move(target));
  if (!another)
    co_return fail(
        another.error().code,
        fmt::format("it is revoked, and no other came in its place: {}", another.error().what));
  co_return name;
}

// The new key is on the disk before the authority knows it: an account whose key is lost is lost.
Task<Result<std::string>> CertificateKeeper::change_account_key(std::string directory_url) {
  if (is_busy_) co_return fail(Code::full, "another order is under way; try again in a minute");
  const Busy busy(is_busy_);
  if (directory_url.empty()) directory_url = options_.directory_url;
  TAPAL_CO_TRY(const auto account, co_await account_for(directory_url));
  if (account.url.empty())
    co_return fail(Code::not_found, fmt::format("there is no account at {} yet", directory_url));
  TAPAL_CO_TRY(auto key, crypto::PrivateKey::generate_ec_p256());
  const Account waiting{account.name + ".next", std::move(key), account.url};
  TAPAL_CO_CHECK(co_await keep_account(waiting, directory_url));
  acme::Errand errand(
      directory_url, {account.key, account.url}, acme::Errand::KeyChange{waiting.key});
  auto done = co_await do_errand(std::move(errand));
  if (!done)
    co_return fail(done.error().code,
                   fmt::format("{}; the new key stays in acme/{}, in case the authority has it",
                               done.error().what,
                               waiting.name));
  TAPAL_CO_TRY(auto proven, crypto::PrivateKey::from_pem(waiting.key.to_pem()));
  const Account changed{account.name, std::move(proven), account.url};
  TAPAL_CO_CHECK(co_await keep_account(changed, directory_url));
  const auto forget = [&] { return world_.files.remove_account(waiting.name); };
  TAPAL_CO_CHECK(co_await on_worker(world_.workers, world_.order.loop, forget));
  world_.log.write(Level::info, "an account has a new key", {{"authority", directory_url}});
  co_return account.name;
}

}  // namespace tapal::upkeep
