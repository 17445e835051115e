#include "protocols/acme/order_session.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "protocols/acme/signed_request.h"
#include "values/crypto/certificate.h"
#include "values/text/ascii.h"

// What the session asks is in order_requests.cc; here is what it makes of the answers.
namespace tapal::acme {
namespace {

constexpr std::chrono::seconds trouble_pause{5};
constexpr std::chrono::seconds poll_pause_min{1};
constexpr std::chrono::seconds poll_pause_max{10};  // where the authority asks for none

bool is_good(int status) { return status >= 200 && status < 300; }

// Where the trouble may pass by itself.
bool may_pass(const Problem& problem) {
  return problem.status >= 500 || problem.status == 429 || problem.type == "rateLimited";
}

// An empty name is anybody's.
bool ends_with_issuer(const std::string& chain_pem, const std::string& name) {
  const auto chain = crypto::read_chain(chain_pem);
  return name.empty() || (chain && chain->back().issuer.contains(name));
}

}  // namespace

OrderSession::OrderSession(OrderWish wish,
                           const crypto::PrivateKey& account_key,
                           const crypto::PrivateKey& certificate_key,
                           OrderLimits limits)
    : wish_(std::move(wish)),
      account_key_(account_key),
      certificate_key_(certificate_key),
      limits_(limits) {}

void OrderSession::fail_with(Problem problem) {
  step_ = Step::end;
  if (first_chain_.empty())
    outcome_ = Failed{std::move(problem)};
  else
    outcome_ = Issued{first_chain_};
}

void OrderSession::on_unreachable(const Error& error) {
  if (++troubles_ > limits_.troubles_max || error.code == Code::denied ||
      error.code == Code::invalid)
    return fail_with(error.what);
  awaits_nonce_ = false;
  pause(trouble_pause);
}

void OrderSession::on_prepared(const Result<void>& prepared) {
  if (!prepared) return fail_with(prepared.error().what);
  at_ = 0;
  step_ = Step::answers;
}

void OrderSession::on_response(const http::Response& response, WallTime now) {
  now_ = now;
  if (const auto nonce = response.header("Replay-Nonce"); !nonce.empty() && nonce.size() < 1'000)
    nonce_ = nonce;
  if (!is_good(response.status)) return take_problem(read_problem(response, now));
  if (!std::exchange(awaits_nonce_, false)) return take(response);
  if (nonce_.empty()) fail_with("the authority gives no Replay-Nonce");
}

void OrderSession::take(const http::Response& response) {
  switch (step_) {
    case Step::directory: return take_directory(response.body);
    case Step::account: return take_account(response);
    case Step::order: return take_order(response);
    case Step::authorizations: return take_authorization(response.body);
    case Step::answers: return next_of_list(Step::verdicts);
    case Step::verdicts: return take_verdict(response);
    case Step::readiness:
    case Step::finalize:
    case Step::issue: return take_progress(response);
    case Step::download:
    case Step::alternates: return take_chain(response);
    case Step::proofs:
    case Step::end: break;
  }
}

void OrderSession::take_directory(const std::string& body) {
  auto directory = read_directory(body);
  if (!directory)
    return fail_with(fmt::format("{} is no directory of a certificate authority: {}",
                                 wish_.directory_url,
                                 directory.error().what));
  directory_ = *std::move(directory);
  if (!wish_.profile.empty() && !directory_.profiles.contains(wish_.profile)) {
    std::vector<std::string> names;
    names.reserve(directory_.profiles.size());
    for (const auto& [name, about] : directory_.profiles) names.push_back(name);
    return fail_with(
        fmt::format("the authority has no profile \"{}\"; it has: {}",
                    wish_.profile,
                    names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
  }
  if (directory_.external_account_required && !wish_.external && wish_.account_url.empty()) {
    auto problem = local_problem("the authority gives accounts to its customers alone");
    problem.type = "externalAccountRequired";
    return fail_with(std::move(problem));
  }
  if (directory_.renewal_info.empty()) wish_.replaces.clear();
  step_ = wish_.account_url.empty() ? Step::account : Step::order;
}

void OrderSession::take_account(const http::Response& response) {
  wish_.account_url = response.header("Location");
  if (wish_.account_url.empty())
    return fail_with("the authority does not say where the account is");
  step_ = Step::order;
}

void OrderSession::take_order(const http::Response& response) {
  auto order = read_order(response.body);
  order_url_ = response.header("Location");
  if (!order) return fail_with(order.error().what);
  if (order_url_.empty()) return fail_with("the authority does not say where the order is");
  order_ = *std::move(order);
  at_ = 0;
  step_ = order_.status == Status::ready ? Step::finalize : Step::authorizations;
}

void OrderSession::take_authorization(const std::string& body) {
  const auto read = read_authorization(body);
  if (!read) return fail_with(read.error().what);
  const auto ordered = (read->is_wildcard ? "*." : "") + read->name;
  // Else whoever plays the authority could have any record of ours written.
  if (std::ranges::find(wish_.names, ordered) == wish_.names.end())
    return fail_with(fmt::format("the authority asks about {}, which was not ordered",
                                 text::printable(ordered, 300)));
  if (read->status == Status::valid) return after_authorizations();
  if (read->status != Status::pending)
    return fail_with(fmt::format("the authority has closed its question about {}", ordered));

  const auto chosen = choose_challenge(*read, wish_.kinds);
  if (!chosen) return fail_with(chosen.error().what);
  auto proof = make_proof(*read, *chosen, {account_key_, wish_.account_url});
  if (!proof) return fail_with(proof.error().what);
  proofs_.push_back(*std::move(proof));
  open_.push_back({order_.authorizations[at_], ordered, chosen->url});
  after_authorizations();
}

void OrderSession::after_authorizations() {
  if (++at_ < order_.authorizations.size()) return;
  at_ = 0;
  step_ = open_.empty() ? Step::readiness : Step::proofs;
}

void OrderSession::next_of_list(Step after) {
  if (++at_ < open_.size()) return;
  at_ = 0;
  step_ = after;
}

void OrderSession::take_verdict(const http::Response& response) {
  const auto read = read_authorization(response.body);
  if (!read) return fail_with(read.error().what);
  if (read->status == Status::pending || read->status == Status::processing)
    return poll_later(response);
  if (read->status != Status::valid) {
    Subproblem refusal{"", "the authority does not say why", open_[at_].name};
    for (const auto& challenge : read->challenges)
      if (challenge.error)
        refusal = {challenge.error->type, challenge.error->detail, open_[at_].name};
    refusals_.push_back(std::move(refusal));
  }
  next_of_list(Step::readiness);
  if (step_ != Step::readiness || refusals_.empty()) return;
  auto problem = local_problem("the authority is not convinced");
  problem.type = "compound";
  problem.subproblems = refusals_;
  fail_with(std::move(problem));
}

// The order while it becomes ready, and then valid.
void OrderSession::take_progress(const http::Response& response) {
  auto order = read_order(response.body);
  if (!order) return fail_with(order.error().what);
  order_ = *std::move(order);
  switch (order_.status) {
    case Status::valid:
      if (order_.certificate.empty()) return fail_with("a valid order without a certificate");
      step_ = Step::download;
      return;
    case Status::ready:
      if (step_ == Step::readiness) {
        step_ = Step::finalize;
        return;
      }
      break;
    case Status::invalid:
      return fail_with(order_.error ? *order_.error
                                    : local_problem("the authority gave the order up"));
    case Status::pending:
    case Status::processing: break;
    case Status::other: return fail_with("an order in a state that is none");
  }
  if (step_ == Step::finalize) step_ = Step::issue;
  poll_later(response);
}

void OrderSession::take_chain(const http::Response& response) {
  const bool is_first = step_ == Step::download;
  const auto trouble = chain_problem(response.body);
  if (is_first && !trouble.empty()) return fail_with("what the authority issued" + trouble);
  if (trouble.empty() && ends_with_issuer(response.body, wish_.preferred_chain)) {
    step_ = Step::end;
    outcome_ = Issued{response.body};
    return;
  }
  if (is_first) {
    first_chain_ = response.body;
    alternates_ = alternate_addresses(response);
    at_ = 0;
    step_ = Step::alternates;
  } else {
    ++at_;
  }
  if (at_ == alternates_.size()) fail_with("no chain is as preferred");
}

// What is wrong with it, to follow its name; empty: nothing.
std::string OrderSession::chain_problem(const std::string& chain_pem) const {
  const auto chain = crypto::read_chain(chain_pem);
  if (!chain) return ": " + chain.error().what;
  if (!crypto::certificate_fits(chain_pem, certificate_key_)) return " is for another key";
  for (const auto& name : wish_.names)
    if (std::ranges::find(chain->front().names, name) == chain->front().names.end())
      return " is not for " + name;
  if (chain->front().validity.not_after <= now_)
    return " is over already: is this machine's clock right?";
  return {};
}

// Whether the step can be tried again at once.
bool OrderSession::is_mended(const Problem& problem) {
  if (problem.type == "badNonce") {
    // The response has brought a better one, else it is fetched.
    return ++troubles_ <= limits_.troubles_max * 4;
  }
  if (problem.type == "accountDoesNotExist" && step_ != Step::account &&
      !std::exchange(wish_.account_url, {}).empty()) {
    step_ = Step::account;
    return ++troubles_ <= limits_.troubles_max;
  }
  // RFC 9773 section 5: a renewal that is not taken as one may still be an order.
  return step_ == Step::order && problem.status < 500 && problem.type != "rateLimited" &&
         !std::exchange(wish_.replaces, {}).empty();
}

void OrderSession::take_problem(Problem problem) {
  awaits_nonce_ = false;
  if (is_mended(problem)) return;
  const auto asked = problem.retry_after.value_or(trouble_pause);
  if (may_pass(problem) && asked <= limits_.pause_max && ++troubles_ <= limits_.troubles_max)
    return pause(std::max(asked, poll_pause_min));
  fail_with(std::move(problem));
}

void OrderSession::poll_later(const http::Response& response) {
  const auto slower = std::chrono::seconds(1 + (polls_ / 5));
  const auto asked = retry_after(response, now_).value_or(std::min(slower, poll_pause_max));
  if (++polls_ > limits_.polls_max)
    return fail_with("the authority has not made up its mind in all this time");
  pause(std::clamp(asked, poll_pause_min, limits_.pause_max));
}

void OrderSession::pause(std::chrono::seconds time) {
  paused_ += time;
  if (paused_ > limits_.pauses_max)
    return fail_with("the authority has not made up its mind in all this time");
  pause_ = time;
}

}  // namespace tapal::acme
