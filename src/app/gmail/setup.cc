#include "app/gmail/setup.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/mail/dkim_check.h"
#include "services/intake/admission.h"

namespace tapal::app {
namespace {

using intake::Client;

bool may_send_as(const intake::Domains& domains,
                 const mail::Address& user,
                 const mail::Address& address) {
  return !intake::check_sender(domains, {Client::Standing::user, user.text()}, address);
}

std::vector<mail::Address> users_who_may(const intake::Domains& domains,
                                         const mail::Address& address) {
  std::vector<mail::Address> found;
  for (const auto& domain : domains.directory.domains())
    for (const auto& user : domains.directory.users(domain))
      if (may_send_as(domains, user.address, address)) found.push_back(user.address);
  return found;
}

Result<mail::Address> named_user(const intake::Domains& domains,
                                 const mail::Address& address,
                                 const std::string& login) {
  const auto* user = domains.directory.find_login(login);
  if (user == nullptr) return fail(Code::not_found, fmt::format("there is no user {}", login));
  if (may_send_as(domains, user->address, address)) return user->address;
  return fail(
      Code::invalid,
      fmt::format("{0} may not send as {1}: write may-send-as={1} behind the password of {2} "
                  "in domains/{3}/users",
                  user->address.text(),
                  address.text(),
                  user->address.local,
                  user->address.domain));
}

// An alias of the same name stands before a user: mail goes on where the alias says.
Result<mail::Address> user_for(const intake::Domains& domains, const mail::Address& address) {
  if (const auto* own = domains.directory.find_login(address.text())) return own->address;
  const auto users = users_who_may(domains, address);
  if (users.size() == 1) return users.front();
  if (users.empty())
    return fail(
        Code::not_found,
        fmt::format(
            "no user may send as {0}: `tapal user add {0} --generate` makes one (mail to {0} "
            "still goes where its alias says), or write may-send-as={0} behind the password "
            "of another in domains/{1}/users",
            address.text(),
            address.domain));
  constexpr std::size_t shown_max = 5;
  std::vector<std::string> names;
  for (const auto& user : users)
    if (names.size() < shown_max) names.push_back(user.text());
  return fail(Code::invalid,
              fmt::format("{} users may send as {}: name one with --user, as {}",
                          users.size(),
                          address.text(),
                          fmt::join(names, ", ")));
}

// Gmail offers these two (and 25, which takes no passwords here).
std::vector<SubmissionPort> ports_of(const Settings& settings) {
  std::vector<SubmissionPort> ports;
  if (!settings.listen.submissions.empty())
    ports.push_back({settings.listen.submissions.front().port, SubmissionPort::Tls::implicit});
  if (!settings.listen.submission.empty())
    ports.push_back({settings.listen.submission.front().port, SubmissionPort::Tls::starttls});
  return ports;
}

}  // namespace

Result<GmailPlan> plan_gmail(const intake::Domains& domains,
                             const Settings& settings,
                             const mail::Address& address,
                             const std::string& user) {
  if (!domains.directory.is_own_domain(address.domain))
    return fail(Code::not_found,
                fmt::format("{0} is not a domain of this server; `tapal init {0}` makes it",
                            address.domain));
  const mail::Recipient recipient{.address = address};
  const auto placed = intake::place_recipient(domains, Client{}, intake::Passage(), recipient);
  if (!placed)
    return fail(Code::not_found,
                fmt::format("mail to {} is refused here, and so would be Gmail's confirmation: {}; "
                            "give the address an alias that leads to your mailbox",
                            address.text(),
                            smtp::one_line(placed.error())));
  TAPAL_TRY(auto who,
            user.empty() ? user_for(domains, address) : named_user(domains, address, user));
  return GmailPlan{address, std::move(who), settings.hostname, ports_of(settings)};
}

OriginFinding judge_origin(std::string_view message, const ResolverOptions& resolver) {
  const auto results = check_dkim(message, resolver);
  if (!results) return {Origin::unknown, results.error().what};
  OriginFinding finding{Origin::somebody_else, "it has no signature of google.com"};
  for (const auto& result : *results) {
    if (result.domain != "google.com") continue;
    if (result.verdict == mailauth::DkimVerdict::pass) return {Origin::google, {}};
    const bool may_hold = result.verdict == mailauth::DkimVerdict::temperror;
    finding = {may_hold ? Origin::unknown : Origin::somebody_else,
               fmt::format("its signature of google.com: {} ({})",
                           mailauth::dkim_verdict_text(result.verdict),
                           result.reason)};
  }
  return finding;
}

}  // namespace tapal::app
