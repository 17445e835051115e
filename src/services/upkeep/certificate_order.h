// The shell around an order of protocols/acme: sends what it wants sent, shows its proofs on ports
// 80 and 443 or in DNS, waits as it says. What was shown is withdrawn at the end.
#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ports/certificate_files.h"
#include "ports/challenge_board.h"
#include "ports/challenge_texts.h"
#include "ports/clock.h"
#include "ports/http_client.h"
#include "ports/loop.h"
#include "ports/resolver.h"
#include "protocols/acme/order_session.h"
#include "values/dns/lookup.h"

namespace tapal::upkeep {

inline constexpr std::chrono::seconds authority_time_max{30};  // for one request to it

// Whether every server that answers for a name shows a record there.
struct RecordWatch {
  virtual ~RecordWatch() = default;
  // Who does not show it yet, in words for people; empty: all do.
  virtual Task<Result<std::string>> lagging(Loop& loop, dns::Lookup lookup, dns::Data data) = 0;
};

// References must outlive the order.
struct OrderWorld {
  Loop& loop;
  Clock& clock;
  HttpClient& http;
  Resolver& resolver;
  ChallengeBoard& board;
  std::string user_agent = "tapal";
  ChallengeTexts* texts = nullptr;          // null: there is no DNS we can write to
  ChallengeTexts* lasting_texts = nullptr;  // for those that stay; null: a person writes them
  RecordWatch* watch = nullptr;             // null: what was written is believed to be shown
  std::chrono::seconds watch_patience{600};
};

// One request of a core, as it wants it.
Task<Result<http::Response>> send_to_authority(OrderWorld& world, acme::OrderSession::Send wanted);

struct OrderEnd {
  std::expected<std::string, acme::Problem> chain_pem;
  std::string account_url;
  std::string renewal_info_url;  // empty: the authority has no such thing
};

class CertificateOrder {
 public:
  // The keys must outlive it.
  CertificateOrder(OrderWorld world,
                   acme::OrderWish wish,
                   const crypto::PrivateKey& account_key,
                   const crypto::PrivateKey& key);

  Task<OrderEnd> run();  // once
  void stop();           // run() ends soon, with a problem that says so

 private:
  using Shown = std::vector<std::pair<std::string, std::string>>;  // name and value

  Task<void> send(acme::OrderSession::Send request);
  Task<Result<void>> prepare(std::vector<acme::Proof> proofs);
  Task<Result<void>> check_caa(const acme::Proof& proof);
  Task<Result<void>> show(const acme::Proof& proof);
  Task<Result<void>> show_certificate(const acme::Proof& proof);
  Task<Result<void>> show_text(const acme::Proof& proof);
  Task<Result<void>> show_persistent(const acme::Proof& proof);
  Task<Result<void>> write(ChallengeTexts& texts, std::string name, std::string value);
  Task<Result<void>> wait_for_texts();
  Task<void> withdraw();
  Task<void> sleep(Duration time);

  OrderWorld world_;
  std::vector<acme::ChallengeKind> kinds_;
  acme::OrderSession session_;
  std::unique_ptr<Timer> timer_;
  bool stopped_ = false;
  std::vector<acme::Proof> on_board_;
  Shown in_dns_;   // and withdrawn at the end
  Shown awaited_;  // those, and what stays
};

}  // namespace tapal::upkeep
