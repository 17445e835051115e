// Which key a certificate gets, and what is told to an authority beside orders.
#include <algorithm>

#include <fmt/format.h>

#include "services/upkeep/certificate_keeper.h"
#include "services/upkeep/on_worker.h"
#include "values/crypto/hash.h"
#include "values/crypto/pem.h"
#include "values/dns/rdata_fields.h"

namespace tapal::upkeep {
namespace {

constexpr std::uint8_t domain_issued = 3;  // DANE-EE: the server's own key (RFC 6698 section 2.1.1)
constexpr std::uint8_t service_constraint = 1;  // PKIX-EE

// Whether these pin servers' own keys alone: by one that pins an authority any key of its will do.
bool pin_keys_alone(const std::vector<dns::Record>& records) {
  bool any = false;
  for (const auto& record : records) {
    const auto association = dns::association_from_data(record.data);
    if (!association) continue;
    any = true;
    if (association->usage != domain_issued && association->usage != service_constraint)
      return false;
  }
  return any;
}

std::string missing_at(std::string_view name, std::string_view servers) {
  return fmt::format(
      "{} TLSA: no record of it at {}; `tapal dns apply` publishes it", name, servers);
}

bool is_host(std::string_view name) {
  return !name.starts_with("*.") && !IpAddress::from_text(name);
}

}  // namespace

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
  Keys keys{*std::move(next), {}};
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
  if (stays) co_return Keys{*std::move(present), keys.key.to_pem()};
  co_return keys;
}

// Where a TLSA record of the key is missing; empty: nowhere.
Task<std::string> CertificateKeeper::unpinned(const std::vector<std::string>& names,
                                              const crypto::PrivateKey& key) {
  auto& world = world_.order;
  const std::string digest(crypto::bytes_of(crypto::sha256(key.public_key_der())));
  const auto wanted = dns::to_data(dns::Association{domain_issued, 1, 1, digest});
  for (const auto& name : names) {
    if (!is_host(name)) continue;
    dns::Lookup lookup{"_25._tcp." + name, dns::Type::tlsa};
    const auto found = co_await world.resolver.resolve(world.loop, lookup.name, lookup.type);
    if (!found) co_return fmt::format("{} TLSA: {}", lookup.name, found.error().what);
    if (!pin_keys_alone(found->records)) continue;
    const auto place = lookup.name;
    if (std::ranges::find(found->records, wanted, &dns::Record::data) == found->records.end())
      co_return missing_at(place, "DNS");
    if (world.watch == nullptr) continue;
    const auto lagging = co_await world.watch->lagging(world.loop, std::move(lookup), wanted);
    if (!lagging) co_return fmt::format("{} TLSA: {}", place, lagging.error().what);
    if (!lagging->empty()) co_return missing_at(place, *lagging);
  }
  co_return std::string();
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
