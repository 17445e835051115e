// Keys that TLSA records pin (RFC 7671 section 8.1): whether a key is shown to senders, and showing
// it.
#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "services/upkeep/certificate_keeper.h"
#include "services/upkeep/on_worker.h"
#include "values/crypto/hash.h"
#include "values/dns/rdata_fields.h"

namespace tapal::upkeep {
namespace {

constexpr std::uint8_t domain_issued = 3;  // DANE-EE: the server's own key (RFC 6698 section 2.1.1)
constexpr std::uint8_t service_constraint = 1;  // PKIX-EE

// Whether these pin servers' own keys alone: by one that pins an authority any key of its will do.
bool pin_keys_alone(std::span<const dns::Data> records) {
  bool any = false;
  for (const auto& data : records) {
    const auto association = dns::association_from_data(data);
    if (!association) continue;
    any = true;
    if (association->usage != domain_issued && association->usage != service_constraint)
      return false;
  }
  return any;
}

std::vector<dns::Data> data_of(const std::vector<dns::Record>& records) {
  std::vector<dns::Data> data;
  data.reserve(records.size());
  for (const auto& record : records) data.push_back(record.data);
  return data;
}

dns::Data pin_of(const crypto::Digest& digest) {
  return dns::to_data(dns::Association{domain_issued, 1, 1, std::string(crypto::bytes_of(digest))});
}

dns::Data pin_of(const crypto::PrivateKey& key) {
  return pin_of(crypto::sha256(key.public_key_der()));
}

bool contains(std::span<const dns::Data> records, const dns::Data& one) {
  return std::ranges::find(records, one) != records.end();
}

std::string missing_at(std::string_view name, std::string_view servers) {
  return fmt::format(
      "{} TLSA: no record of it at {}; `tapal dns apply` publishes it", name, servers);
}

std::string place_of(const std::string& host) { return "_25._tcp." + host; }

bool is_host(std::string_view name) {
  return !name.starts_with("*.") && !IpAddress::from_text(name);
}

}  // namespace

// Where a TLSA record of the key is missing; empty: nowhere.
Task<std::string> CertificateKeeper::unpinned(const std::vector<std::string>& names,
                                              const crypto::PrivateKey& key) {
  auto& world = world_.order;
  const auto wanted = pin_of(key);
  for (const auto& name : names) {
    if (!is_host(name)) continue;
    dns::Lookup lookup{place_of(name), dns::Type::tlsa};
    const auto found = co_await world.resolver.resolve(world.loop, lookup.name, lookup.type);
    if (!found) co_return fmt::format("{} TLSA: {}", lookup.name, found.error().what);
    const auto seen = data_of(found->records);
    if (!pin_keys_alone(seen)) continue;
    const auto place = lookup.name;
    if (!contains(seen, wanted)) co_return missing_at(place, "DNS");
    if (world.watch == nullptr) continue;
    const auto lagging = co_await world.watch->lagging(world.loop, std::move(lookup), wanted);
    if (!lagging) co_return fmt::format("{} TLSA: {}", place, lagging.error().what);
    if (!lagging->empty()) co_return missing_at(place, *lagging);
  }
  co_return std::string();
}

// The key in use and the one after it, for all who will meet them.
Task<void> CertificateKeeper::show_keys(std::string folder,
                                        const crypto::CertificateFacts& facts,
                                        std::vector<dns::Data> gone) {
  if (!world_.account) co_return;
  Pins pins{{pin_of(facts.key_sha256)}, std::move(gone)};
  const auto read = [&] { return world_.files.next_key(folder); };
  const auto pem = co_await on_worker(world_.workers, world_.order.loop, read);
  if (pem) {
    if (const auto next = crypto::PrivateKey::from_pem(*pem)) pins.shown.push_back(pin_of(*next));
  }
  co_await pin(facts.names, pins);
}

// Of keys that nobody meets any more once the new certificate is served.
std::vector<dns::Data> CertificateKeeper::past_pins(const Target& target,
                                                    const Keys& keys,
                                                    const crypto::CertificateFacts& facts) {
  std::vector<dns::Data> past;
  if (target.old && target.old->key_sha256 != facts.key_sha256)
    past.push_back(pin_of(target.old->key_sha256));
  if (const auto dropped = crypto::PrivateKey::from_pem(keys.dropped_pem))
    past.push_back(pin_of(*dropped));
  return past;
}

Task<void> CertificateKeeper::pin(const std::vector<std::string>& names, const Pins& pins) {
  for (const auto& name : names) {
    auto* account = is_host(name) ? world_.account(name) : nullptr;
    if (account == nullptr) continue;
    const auto changed = co_await pin_at(*account, place_of(name), pins);
    if (!changed)
      world_.log.write(Level::warning,
                       "TLSA records are not up to date",
                       {{"name", name}, {"reason", changed.error().what}});
    else if (*changed)
      world_.log.write(Level::info, "TLSA records have changed", {{"name", name}});
  }
}

// Whether there was anything to change. A name that pins no keys is left without.
Task<Result<bool>> CertificateKeeper::pin_at(DnsAccount& account,
                                             std::string place,
                                             const Pins& pins) {
  auto& loop = world_.order.loop;
  const auto is_right = [&pins](std::span<const dns::Data> records) {
    const auto is_there = [&](const dns::Data& pin) { return contains(records, pin); };
    return std::ranges::all_of(pins.shown, is_there) && std::ranges::none_of(pins.gone, is_there);
  };
  const auto found = co_await world_.order.resolver.resolve(loop, place, dns::Type::tlsa);
  if (!found) co_return std::unexpected(found.error());
  if (const auto seen = data_of(found->records); !pin_keys_alone(seen) || is_right(seen))
    co_return false;
  TAPAL_CO_TRY(auto zone, co_await account.find_zone(loop, place));
  TAPAL_CO_TRY(auto set, co_await account.read(loop, zone, place, dns::Type::tlsa));
  if (!pin_keys_alone(set.data) || is_right(set.data)) co_return false;
  std::erase_if(set.data, [&pins](const auto& pin) { return contains(pins.gone, pin); });
  for (const auto& pin : pins.shown)
    if (!contains(set.data, pin)) set.data.push_back(pin);
  std::vector<dns::RecordSet> sets{std::move(set)};
  TAPAL_CO_CHECK(co_await account.write(loop, std::move(zone), std::move(sets)));
  co_return true;
}

}  // namespace tapal::upkeep
