#include "services/upkeep/certificate_order.h"

#include <algorithm>

#include <fmt/format.h>

#include "ports/look_up.h"
#include "protocols/acme/caa.h"
#include "values/crypto/certificate.h"

namespace tapal::upkeep {
namespace {

using acme::ChallengeKind;
using acme::OrderSession;
using acme::Proof;

constexpr std::chrono::seconds caa_max{20};
constexpr std::chrono::seconds look_again_after{5};
constexpr std::chrono::days proof_life{7};

}  // namespace

Task<Result<http::Response>> send_to_authority(OrderWorld& world, OrderSession::Send wanted) {
  HttpRequest request;
  request.method = std::move(wanted.method);
  request.url = std::move(wanted.url);
  request.headers = std::move(wanted.headers);
  request.headers.push_back({"User-Agent", world.user_agent});
  request.body = std::move(wanted.body);
  request.time_max = authority_time_max;
  request.response_bytes_max = acme::response_bytes_max;
  co_return co_await world.http.send(world.loop, std::move(request));
}

CertificateOrder::CertificateOrder(OrderWorld world,
                                   acme::OrderWish wish,
                                   const crypto::PrivateKey& account_key,
                                   const crypto::PrivateKey& key)
    : world_(std::move(world)),
      kinds_(wish.kinds),
      session_(std::move(wish), account_key, key),
      timer_(world_.loop.make_timer()) {}

void CertificateOrder::stop() {
  stopped_ = true;
  timer_->cancel();
}

Task<OrderEnd> CertificateOrder::run() {
  OrderEnd end{std::unexpected(acme::local_problem("the order was stopped")), {}, {}};
  while (!stopped_) {
    auto action = session_.next_action();
    if (auto* request = std::get_if<OrderSession::Send>(&action)) {
      co_await send(std::move(*request));
    } else if (auto* wanted = std::get_if<OrderSession::Prepare>(&action)) {
      const auto prepared = co_await prepare(std::move(wanted->proofs));
      session_.on_prepared(prepared);
    } else if (const auto* wait = std::get_if<OrderSession::Wait>(&action)) {
      co_await sleep(wait->time);
      session_.on_waited();
    } else if (auto* issued = std::get_if<OrderSession::Issued>(&action)) {
      end.chain_pem = std::move(issued->chain_pem);
      break;
    } else {
      end.chain_pem = std::unexpected(std::get<OrderSession::Failed>(action).problem);
      break;
    }
  }
  co_await withdraw();
  end.account_url = session_.account_url();
  end.renewal_info_url = session_.renewal_info_url();
  co_return end;
}

Task<void> CertificateOrder::sleep(Duration time) {
  if (!stopped_) co_await timer_->wait_until(world_.loop.now() + time);
}

Task<void> CertificateOrder::send(OrderSession::Send wanted) {
  const auto response = co_await send_to_authority(world_, std::move(wanted));
  if (response) {
    session_.on_response(*response, world_.clock.wall_now());
  } else {
    session_.on_unreachable(response.error());
  }
}

Task<Result<void>> CertificateOrder::prepare(std::vector<Proof> proofs) {
  for (const auto& proof : proofs) {
    TAPAL_CO_CHECK(co_await check_caa(proof));
  }
  for (const auto& proof : proofs) {
    TAPAL_CO_CHECK(co_await show(proof));
  }
  co_return co_await wait_for_texts();
}

Task<Result<void>> CertificateOrder::check_caa(const Proof& proof) {
  acme::CaaQuestion question{(proof.is_wildcard ? "*." : "") + proof.name,
                             session_.issuer_names(),
                             session_.account_url(),
                             kinds_};
  acme::CaaCheck check(std::move(question));
  co_await answer_lookups(world_.resolver, world_.loop, check, world_.loop.now() + caa_max);
  if (!check.objection().empty()) co_return fail(Code::denied, check.objection());
  co_return Result<void>();
}

Task<Result<void>> CertificateOrder::show(const Proof& proof) {
  switch (proof.kind) {
    case ChallengeKind::http_01:
      world_.board.show_http(proof.token, proof.key_authorization);
      on_board_.push_back(proof);
      break;
    case ChallengeKind::tls_alpn_01: co_return co_await show_certificate(proof);
    case ChallengeKind::dns_01: co_return co_await show_text(proof);
    case ChallengeKind::dns_persist_01: co_return co_await show_persistent(proof);
  }
  co_return Result<void>();
}

Task<Result<void>> CertificateOrder::show_certificate(const Proof& proof) {
  const auto now = world_.clock.wall_now();
  TAPAL_CO_TRY(const auto key, crypto::PrivateKey::generate_ec_p256());
  const crypto::Validity validity{now - std::chrono::days(1), now + proof_life};
  TAPAL_CO_TRY(auto chain,
               crypto::make_challenge_certificate(proof.name, proof.hash(), key, validity));
  ChallengeBoard::TlsAnswer answer{std::move(chain), key.to_pem()};
  world_.board.show_tls(proof.name, std::move(answer));
  on_board_.push_back(proof);
  co_return Result<void>();
}

Task<Result<void>> CertificateOrder::show_text(const Proof& proof) {
  if (world_.texts == nullptr)
    co_return fail(Code::invalid, "dns-01 needs a DNS account: see the settings of [dns]");
  auto name = proof.record_name();
  const auto found = co_await world_.resolver.resolve(world_.loop, name, dns::Type::txt);
  // Where the name is an alias the text goes to its target: whoever owns that zone may be another.
  if (found && !found->canonical_name.empty()) name = found->canonical_name;
  in_dns_.emplace_back(name, proof.record_value);
  co_return co_await write(*world_.texts, std::move(name), proof.record_value);
}

// Where it is there already nothing is written: its owner may have made it say more.
Task<Result<void>> CertificateOrder::show_persistent(const Proof& proof) {
  const auto found =
      co_await world_.resolver.resolve(world_.loop, proof.record_name(), dns::Type::txt);
  if (found)
    for (const auto& record : found->records)
      if (const auto* text = std::get_if<dns::Text>(&record.data);
          text != nullptr && acme::is_persistent_record(text->value, proof.record_value))
        co_return Result<void>();
  if (world_.lasting_texts != nullptr)
    co_return co_await write(*world_.lasting_texts, proof.record_name(), proof.record_value);
  co_return fail(Code::not_found,
                 fmt::format("dns-persist-01 needs a record that is not there: {}. TXT \"{}\"",
                             proof.record_name(),
                             proof.record_value));
}

Task<Result<void>> CertificateOrder::write(ChallengeTexts& texts,
                                           std::string name,
                                           std::string value) {
  awaited_.emplace_back(name, value);
  const auto added = co_await texts.add(world_.loop, name, std::move(value));
  if (!added)
    co_return fail(
        added.error().code,
        fmt::format("the TXT record of {} cannot be written: {}", name, added.error().what));
  co_return added;
}

Task<Result<void>> CertificateOrder::wait_for_texts() {
  if (world_.watch == nullptr) co_return Result<void>();
  const auto until = world_.loop.now() + world_.watch_patience;
  for (const auto& [name, value] : awaited_) {
    for (;;) {
      dns::Lookup lookup{name, dns::Type::txt};
      dns::Data text = dns::Text{value};
      const auto lagging =
          co_await world_.watch->lagging(world_.loop, std::move(lookup), std::move(text));
      if (lagging && lagging->empty()) break;
      if (stopped_ || world_.loop.now() + look_again_after > until)
        co_return fail(Code::try_later,
                       fmt::format("the TXT record of {} was written, but {}{}",
                                   name,
                                   lagging ? "is not shown by " : "cannot be looked for: ",
                                   lagging ? *lagging : lagging.error().what));
      co_await sleep(look_again_after);
    }
  }
  co_return Result<void>();
}

Task<void> CertificateOrder::withdraw() {
  for (const auto& proof : on_board_) {
    if (proof.kind == ChallengeKind::http_01) world_.board.withdraw_http(proof.token);
    if (proof.kind == ChallengeKind::tls_alpn_01) world_.board.withdraw_tls(proof.name);
  }
  // A text that stays does no harm; the next order leaves it alone.
  for (const auto& [name, value] : in_dns_)
    static_cast<void>(co_await world_.texts->remove(world_.loop, name, value));
}

}  // namespace tapal::upkeep
