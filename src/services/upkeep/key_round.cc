#include "services/upkeep/key_round.h"

#include <algorithm>

#include <fmt/format.h>

#include "ports/look_up.h"
#include "protocols/mailauth/dkim_key_record.h"
#include "protocols/mailauth/dkim_sign.h"
#include "protocols/mailauth/dkim_verify.h"
#include "rules/provision/key_sight.h"
#include "values/text/date.h"

namespace tapal::upkeep {
namespace {

using provision::KeySight;
using provision::KeyStage;
using Kind = provision::RotationAction::Kind;

constexpr int rsa_bits = 2048;  // RFC 8301 section 3.2
constexpr std::chrono::hours record_ttl{1};
constexpr std::string_view revoked_text = "v=DKIM1; p=";

std::vector<provision::RotatingKey> states_of(const std::vector<ShelvedKey>& keys) {
  std::vector<provision::RotatingKey> states;
  states.reserve(keys.size());
  for (const auto& key : keys) states.push_back(key.state);
  return states;
}

Result<crypto::PrivateKey> generate(crypto::KeyKind kind) {
  return kind == crypto::KeyKind::ed25519 ? crypto::PrivateKey::generate_ed25519()
                                          : crypto::PrivateKey::generate_rsa(rsa_bits);
}

dns::LookupReply as_reply(const dns::RecordSet& set) {
  dns::LookupReply reply{dns::LookupReply::Status::no_data, {}};
  if (set.data.empty()) return reply;
  reply.status = dns::LookupReply::Status::found;
  for (const auto& data : set.data) reply.records.push_back({set.name, set.type, set.ttl, data});
  return reply;
}

}  // namespace

KeyRound::KeyRound(const KeyKeeperWorld& world, std::string domain, KeyShelf::Keys shelved)
    : world_(world),
      domain_(std::move(domain)),
      account_(world.account ? world.account(domain_) : nullptr),
      shelved_(std::move(shelved.keys)),
      rotation_(states_of(shelved_), world.options.rotation),
      before_(states_of(shelved_)),
      saved_(before_),
      has_states_(shelved.has_states) {}

std::string KeyRound::name_of(const std::string& selector) const {
  return fmt::format("{}._domainkey.{}", selector, domain_);
}

const crypto::PrivateKey* KeyRound::key_of(const std::string& selector) const {
  const auto found = std::ranges::find_if(
      shelved_, [&](const auto& shelved) { return shelved.state.selector == selector; });
  return found == shelved_.end() ? nullptr : found->key.get();
}

// A server that does not answer is one that receivers do not hear either.
std::vector<KeySight> KeyRound::sights_of(const std::string& selector,
                                          const std::vector<AuthorityAnswer>& answers) {
  std::vector<KeySight> sights;
  std::string told;
  for (const auto& [server, reply] : answers) {
    const auto sight = reply ? provision::key_sight(*key_of(selector), *reply) : KeySight::unknown;
    if (sight == KeySight::unknown) continue;
    sights.push_back(sight);
    told += fmt::format("{}{}: {}", told.empty() ? "" : ", ", server, text_of(sight));
  }
  if (!sights.empty() && provision::common_sight(sights) == KeySight::unknown)
    report_.troubles.push_back(
        fmt::format("the servers of {} do not agree yet ({})", name_of(selector), told));
  return sights;
}

Task<KeySight> KeyRound::ask(std::string selector) {
  const auto* key = key_of(selector);
  if (key == nullptr) co_return KeySight::unknown;
  if (world_.ask_authorities) {
    const auto answers = co_await world_.ask_authorities(world_.loop, name_of(selector));
    const auto sights = sights_of(selector, answers);
    if (!sights.empty()) co_return provision::common_sight(sights);
  }
  auto answer = co_await world_.resolver.resolve(world_.loop, name_of(selector), dns::Type::txt);
  co_return provision::key_sight(*key, lookup_reply(std::move(answer)));
}

Task<void> KeyRound::look_at(std::string selector) {
  const auto sight = co_await ask(selector);
  rotation_.on_sight(selector, sight, world_.clock.wall_now());
}

Task<void> KeyRound::look() {
  for (const auto& key : before_) co_await look_at(key.selector);
}

// Without a file of states all keys sign: as long as that is right, none is needed.
Result<void> KeyRound::save() {
  const auto& keys = rotation_.keys();
  const auto is_plain = [](const auto& key) {
    return key.stage == KeyStage::signing && provision::signs(key);
  };
  if (keys == saved_ || (!has_states_ && std::ranges::all_of(keys, is_plain))) return {};
  TAPAL_CHECK(world_.shelf.save(domain_, keys));
  saved_ = keys;
  has_states_ = true;
  return {};
}

Task<Result<void>> KeyRound::turn(KeyKeeper::Order order) {
  using Order = KeyKeeper::Order;
  TAPAL_CO_CHECK(save());
  std::vector<crypto::KeyKind> more;
  if (shelved_.empty()) more.push_back(crypto::KeyKind::rsa);  // the first
  if (world_.options.ed25519) more.push_back(crypto::KeyKind::ed25519);
  if (order == Order::turn || order == Order::stolen) {
    rotation_.begin(order == Order::stolen ? provision::KeyRotation::Reason::stolen
                                           : provision::KeyRotation::Reason::time,
                    more);
  } else if (account_ != nullptr && rotation_.is_due(world_.clock.wall_now())) {
    rotation_.begin(provision::KeyRotation::Reason::time, more);
  }
  // Each action may make another possible; each is tried once a round.
  std::vector<Action> tried;
  for (bool again = true; again;) {
    again = false;
    for (auto& action : rotation_.next(world_.clock.wall_now())) {
      if (std::ranges::find(tried, action) != tried.end()) continue;
      tried.push_back(action);
      again = true;
      if (auto done = co_await act(action); !done)
        report_.troubles.push_back(std::move(done.error().what));
      TAPAL_CO_CHECK(save());
      break;  // what comes next may be something else now
    }
  }
  co_return Result<void>();
}

Result<void> KeyRound::ask_person() {
  if (account_ != nullptr) return {};
  for (const auto& action : rotation_.next(world_.clock.wall_now())) {
    if (action.kind == Kind::publish) {
      TAPAL_CHECK(request_publishing(action.selector));
    } else if (action.kind == Kind::revoke) {
      request_revoking(action.selector);
    }
  }
  return {};
}

Task<Result<void>> KeyRound::act(Action action) {
  switch (action.kind) {
    case Kind::make: co_return co_await make(action.key_kind);
    case Kind::publish: co_return co_await publish(action.selector);
    case Kind::prove: co_return co_await prove(action.selector);
    case Kind::revoke: co_return co_await revoke(action.selector);
    case Kind::remove: break;
  }
  co_return co_await remove(action.selector);
}

// A key whose file is there before there is a file of states would sign at once.
Task<Result<void>> KeyRound::make(crypto::KeyKind kind) {
  TAPAL_CO_CHECK(world_.shelf.save(domain_, rotation_.keys()));
  has_states_ = true;
  auto make_key = [kind] { return generate(kind); };
  auto made = co_await run_on(world_.workers, world_.loop, std::move(make_key));
  if (!made) co_return std::unexpected(std::move(made.error()));
  if (!*made) co_return std::unexpected(std::move(made->error()));
  auto key = std::make_shared<const crypto::PrivateKey>(std::move(**made));
  TAPAL_CO_TRY(const auto selector, world_.shelf.add(domain_, *key));
  rotation_.on_made(selector, kind, world_.clock.wall_now());
  shelved_.push_back({rotation_.keys().back(), std::move(key)});
  co_return Result<void>();
}

Result<void> KeyRound::request_publishing(const std::string& selector) {
  TAPAL_TRY(const auto record, mailauth::DkimKeyRecord::for_key(*key_of(selector)));
  report_.requests.push_back({name_of(selector),
                              record.text(),
                              "to be published, so that receivers can check signatures"});
  return {};
}

void KeyRound::request_revoking(const std::string& selector) {
  report_.requests.push_back(
      {name_of(selector),
       std::string(revoked_text),
       "the key signs no more: this revokes it; removing the record does, too"});
}

// What is at the name is only written over when it is of this key.
Task<Result<void>> KeyRound::write(std::string selector, std::string text) {
  const auto* key = key_of(selector);
  auto zone = co_await account_->find_zone(world_.loop, name_of(selector));
  if (!zone) co_return std::unexpected(std::move(zone.error()));
  auto set = co_await account_->read(world_.loop, *zone, name_of(selector), dns::Type::txt);
  if (!set) co_return std::unexpected(std::move(set.error()));
  const auto sight = provision::key_sight(*key, as_reply(*set));
  const bool is_ending = text.empty() || text == revoked_text;
  if (sight == KeySight::other || (sight == KeySight::revoked && !is_ending))
    co_return fail(
        Code::invalid,
        fmt::format("{} is another's record at the provider and was left as it is; remove it there",
                    name_of(selector)));
  dns::RecordSet wanted{name_of(selector), dns::Type::txt, record_ttl, {}};
  if (!text.empty()) wanted.data.emplace_back(dns::Text{std::move(text)});
  std::vector<dns::RecordSet> sets;
  sets.push_back(std::move(wanted));
  co_return co_await account_->write(world_.loop, *zone, std::move(sets));
}

Task<Result<void>> KeyRound::publish(std::string selector) {
  if (account_ == nullptr) co_return request_publishing(selector);
  TAPAL_CO_TRY(const auto record, mailauth::DkimKeyRecord::for_key(*key_of(selector)));
  auto written = co_await write(selector, record.text());
  if (!written) co_return std::unexpected(std::move(written.error()));
  rotation_.on_published(selector, world_.clock.wall_now());
  co_await look_at(selector);
  co_return Result<void>();
}

// As a receiver would: a message signed with it, and its key from the resolver.
Task<Result<void>> KeyRound::prove(std::string selector) {
  const auto found = std::ranges::find_if(
      shelved_, [&](const auto& shelved) { return shelved.state.selector == selector; });
  const auto now = world_.clock.wall_now();
  const auto header = fmt::format(
      "From: postmaster@{}\r\nDate: {}\r\nSubject: a key\r\n", domain_, text::rfc5322_date(now));
  const std::vector<mailauth::DkimSigner> signers(1, {domain_, selector, found->key});
  TAPAL_CO_TRY(const auto field,
               mailauth::dkim_sign_message(signers, header + "\r\nA key.\r\n", {now, {}}));
  mailauth::SignedMessage message(field + header);
  mailauth::DkimVerifier verifier(message);
  message.on_body("A key.\r\n");
  co_await answer_lookups(world_.resolver, world_.loop, message);
  const auto results = verifier.results(now);
  if (mailauth::overall_verdict(results) == mailauth::DkimVerdict::pass) {
    rotation_.on_proven(selector, now);
    co_return Result<void>();
  }
  co_return fail(Code::try_later,
                 fmt::format("{} does not sign yet: a signature of its own came out as {} ({})",
                             selector,
                             mailauth::dkim_verdict_text(results.front().verdict),
                             results.front().reason));
}

Task<Result<void>> KeyRound::revoke(std::string selector) {
  if (account_ == nullptr) {
    request_revoking(selector);
    co_return Result<void>();
  }
  auto written = co_await write(selector, std::string(revoked_text));
  if (!written) co_return std::unexpected(std::move(written.error()));
  rotation_.on_revoked(selector, world_.clock.wall_now());
  co_return Result<void>();
}

Task<Result<void>> KeyRound::remove(std::string selector) {
  if (account_ != nullptr) {
    auto written = co_await write(selector, {});
    if (!written) co_return std::unexpected(std::move(written.error()));
  } else if (co_await ask(selector) == KeySight::revoked) {
    report_.requests.push_back({name_of(selector), {}, "the key is gone: the record may go, too"});
  }
  TAPAL_CO_CHECK(world_.shelf.remove(domain_, selector));
  rotation_.on_removed(selector);
  co_return Result<void>();
}

KeyReport KeyRound::report() {
  for (const auto& key : rotation_.keys()) {
    const auto old = std::ranges::find(before_, key.selector, &provision::RotatingKey::selector);
    if (old == before_.end() || old->stage != key.stage)
      report_.changes.push_back(fmt::format("{} is {}", key.selector, text_of(key.stage)));
    if (key.stage != KeyStage::signing || key.sight == KeySight::ours ||
        key.sight == KeySight::unknown)
      continue;
    const auto what = key.sight == KeySight::absent ? "is not published"
                      : key.sight == KeySight::revoked
                          ? "is revoked in DNS"
                          : "is published with something else than this key";
    report_.troubles.push_back(
        fmt::format("{} {}; {}. `tapal dkim dns {}` prints the record that belongs there",
                    name_of(key.selector),
                    what,
                    provision::signs(key) ? "receivers take its signatures for none"
                                          : "nothing is signed with it",
                    domain_));
  }
  for (const auto& key : before_)
    if (std::ranges::find(rotation_.keys(), key.selector, &provision::RotatingKey::selector) ==
        rotation_.keys().end())
      report_.changes.push_back(fmt::format("{} is gone", key.selector));
  report_.keys = rotation_.keys();
  report_.is_due = account_ == nullptr && rotation_.is_due(world_.clock.wall_now());
  report_.is_under_way = rotation_.is_under_way();
  return std::move(report_);
}

}  // namespace tapal::upkeep
