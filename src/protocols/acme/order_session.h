// A certificate's way from a list of names to the signed chain (RFC 8555 section 7): what to ask
// next, what must be shown meanwhile, and what came of it. Whoever drives it does as next_action()
// says and tells the outcome; it ends with Issued or Failed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "protocols/acme/challenge.h"
#include "protocols/acme/problem.h"
#include "protocols/acme/resources.h"
#include "values/crypto/key.h"
#include "values/http/message.h"

namespace tapal::acme {

// What makes an authority take us for one of its customers (RFC 8555 section 7.3.4).
struct ExternalAccount {
  std::string id;
  std::string key;  // bytes; secret
};

struct OrderWish {
  std::string directory_url;
  std::vector<std::string> names;  // A-labels, "*." allowed, addresses; 1 to names_max
  std::string profile;             // empty: as the authority likes
  std::string replaces;  // RFC 9773 section 5: the identifier of the old one; may be empty
  std::string contact;   // an address of mail; may be empty
  std::optional<ExternalAccount> external;
  std::vector<ChallengeKind> kinds;  // that can be answered here, the first offered one is taken
  std::string account_url;           // of the account key; empty: not known
  // Among several chains the one that ends with an issuer of this name; empty, or none does: the
  // authority's first.
  std::string preferred_chain;
};

struct OrderLimits {
  std::size_t requests_max = 1'000;
  std::size_t polls_max = 150;            // of all things waited for
  std::size_t troubles_max = 5;           // lost nonces, failures of the network or the authority
  std::chrono::seconds pause_max{60};     // a longer Retry-After ends the order
  std::chrono::seconds pauses_max{1200};  // in all
};

class OrderSession {
 public:
  // The keys must outlive it.
  OrderSession(OrderWish wish,
               const crypto::PrivateKey& account_key,
               const crypto::PrivateKey& certificate_key,
               OrderLimits limits = {});

  struct Send {  // then on_response() or on_unreachable()
    std::string method;
    std::string url;
    std::vector<http::Header> headers;
    std::string body;
  };
  struct Prepare {  // show all of it, then on_prepared(); what is shown is withdrawn at the end
    std::vector<Proof> proofs;
  };
  struct Wait {  // then on_waited()
    std::chrono::seconds time;
  };
  struct Issued {
    std::string chain_pem;  // fits the key and the names
  };
  struct Failed {
    Problem problem;
  };
  using Action = std::variant<Send, Prepare, Wait, Issued, Failed>;
  Action next_action();

  void on_response(const http::Response& response, WallTime now);
  void on_unreachable(const Error& error);
  void on_prepared(const Result<void>& prepared);
  void on_waited() { pause_.reset(); }

  // Known once the authority has told them, also when the order fails later.
  const std::string& account_url() const { return wish_.account_url; }
  const std::vector<std::string>& issuer_names() const { return directory_.issuer_names; }
  const std::string& renewal_info_url() const { return directory_.renewal_info; }

 private:
  enum class Step : std::uint8_t {
    directory,
    account,
    order,
    authorizations,  // each is read
    proofs,          // are to be shown
    answers,         // each challenge is said to be ready
    verdicts,        // each authorization is waited for
    readiness,       // of the order
    finalize,
    issue,  // is waited for
    download,
    alternates,  // other chains are read until one is as preferred
    end,
  };
  struct Target {
    std::string url;
    std::string payload;
  };
  // An authorization that is not valid yet.
  struct Open {
    std::string url;
    std::string name;  // as ordered, "*." in front
    std::string challenge_url;
  };

  Result<Target> target() const;
  Result<std::string> account_payload(std::string_view url) const;
  std::string order_payload() const;
  Result<Send> post(const Target& target);

  void take(const http::Response& response);
  void take_directory(const std::string& body);
  void take_account(const http::Response& response);
  void take_order(const http::Response& response);
  void take_authorization(const std::string& body);
  void take_verdict(const http::Response& response);
  void take_progress(const http::Response& response);
  void take_chain(const http::Response& response);
  std::string chain_problem(const std::string& chain_pem) const;
  void take_problem(Problem problem);
  bool is_mended(const Problem& problem);

  void next_of_list(Step after);
  void after_authorizations();
  void poll_later(const http::Response& response);
  void pause(std::chrono::seconds time);
  void fail_with(Problem problem);
  void fail_with(std::string detail) { fail_with(local_problem(std::move(detail))); }

  OrderWish wish_;
  const crypto::PrivateKey& account_key_;
  const crypto::PrivateKey& certificate_key_;
  OrderLimits limits_;
  Step step_ = Step::directory;
  bool awaits_nonce_ = false;  // the request under way only fetches one
  std::string nonce_;
  WallTime now_;
  Directory directory_;
  std::string order_url_;
  Order order_;
  std::size_t at_ = 0;  // which of the authorizations, or of open_
  std::vector<Open> open_;
  std::vector<Proof> proofs_;
  std::vector<Subproblem> refusals_;
  std::string first_chain_;  // good, but not as preferred; whatever comes then, this is issued
  std::vector<std::string> alternates_;
  std::optional<std::chrono::seconds> pause_;
  std::variant<std::monostate, Issued, Failed> outcome_;
  std::size_t requests_ = 0;
  std::size_t polls_ = 0;
  std::size_t troubles_ = 0;
  std::chrono::seconds paused_{0};
};

}  // namespace tapal::acme
