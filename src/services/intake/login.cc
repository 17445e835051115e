#include "services/intake/login.h"

#include <array>
#include <utility>

#include "values/text/base64.h"

namespace tapal::intake {
namespace {

using sasl::Mechanism;

constexpr std::array offered{
    Mechanism::scram_sha_256_plus, Mechanism::scram_sha_256, Mechanism::plain, Mechanism::login};

std::string binding(const Stream& stream, ChannelBinding type) {
  return stream.channel_binding(type).value_or("");
}

}  // namespace

std::vector<std::string> login_mechanisms() {
  std::vector<std::string> names;
  names.reserve(offered.size());
  for (const auto mechanism : offered) names.emplace_back(sasl::name_of(mechanism));
  return names;
}

smtp::Reply reply_to(const sasl::Failure& failure) {
  using Reason = sasl::Failure::Reason;
  switch (failure.reason) {
    case Reason::denied: break;
    case Reason::malformed: return smtp::make_reply(501, "5.5.2", failure.text);
    case Reason::unavailable:
      return smtp::make_reply(454, "4.7.0", "passwords cannot be checked now, try again later");
  }
  return smtp::make_reply(
      535, "5.7.8", "wrong user name or password; the user name is the whole address");
}

void Login::on_tls(const Stream& stream) {
  bindings_ = {binding(stream, ChannelBinding::tls_exporter),
               binding(stream, ChannelBinding::tls_server_end_point)};
}

sasl::ServerStep Login::start(std::string_view mechanism,
                              std::optional<std::string> initial_response) {
  const auto known = sasl::mechanism_from_name(mechanism);
  if (!known) return sasl::Failure{sasl::Failure::Reason::malformed, "unknown mechanism", {}};
  sasl::ServerExchangeOptions options;
  options.nonce = text::to_base64(random_.bytes(sasl::nonce_bytes_min));
  options.unknown_user_secret = authenticator_.unknown_user_secret();
  options.bindings = bindings_;
  options.plus_offered = true;
  exchange_.emplace(*known, std::move(options));
  return exchange_->start(std::move(initial_response));
}

sasl::ServerStep Login::respond(std::string_view response) {
  if (!exchange_)
    return sasl::Failure{sasl::Failure::Reason::malformed, "no exchange under way", {}};
  return exchange_->on_response(response);
}

Task<sasl::ServerStep> Login::follow(const Domains& domains, sasl::ServerStep step) {
  const auto& directory = domains.directory;
  while (exchange_) {
    if (auto* check = std::get_if<sasl::CheckPassword>(&step)) {
      const auto verdict = co_await authenticator_.check_password(
          loop_, directory, check->user, std::move(check->password));
      step = exchange_->on_password(verdict);
    } else if (auto* find = std::get_if<sasl::FindScramKeys>(&step)) {
      const auto* user = directory.find_login(find->user);
      step = exchange_->on_scram_keys(user == nullptr ? std::nullopt : user->scram);
    } else {
      break;
    }
  }
  if (!std::holds_alternative<sasl::Challenge>(step)) exchange_.reset();
  if (auto* success = std::get_if<sasl::Success>(&step))
    if (const auto* user = directory.find_login(success->user))
      success->user = user->address.text();
  co_return step;
}

}  // namespace tapal::intake
