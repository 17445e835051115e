#include "services/delivery/carriers.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "rules/shaping/site_name.h"
#include "services/delivery/verdict.h"
#include "values/mail/header.h"
#include "values/mail/trace.h"

namespace tapal::delivery {
namespace {

using mail::Handover;

// What the mail of our own users waits for; no domain has this name.
constexpr std::string_view mailboxes = "our mailboxes";
constexpr std::size_t header_block_bytes = 8UL * 1024;

// As far as it can be read, and is no longer than headers are taken in.
std::string header_of(const Body& body) {
  mail::HeaderReader reader;
  std::string block(header_block_bytes, '\0');
  for (std::uint64_t offset = 0; reader.state() == mail::HeaderReader::State::reading;) {
    const auto count = body.read(offset, block).value_or(0);
    if (count == 0) break;
    reader.on_bytes(std::string_view(block).substr(0, count));
    offset += count;
  }
  return reader.take_header();
}

// Where it ends at an address of ours. What goes on to another host bears no mark of that host's.
bool ends_here(const Attempt& attempt) {
  const auto kind = attempt.envelope.recipients.front().handover.kind;
  return attempt.destination == mailboxes ||
         (kind != Handover::Kind::usual && kind != Handover::Kind::host);
}

// Files the recipients that the message went to before, and takes them out of the attempt.
void end_loops(Attempt& attempt, AttemptReport& report) {
  const auto header = header_of(*attempt.body);
  auto recipients = std::exchange(attempt.envelope.recipients, {});
  const auto indexes = std::exchange(attempt.indexes, {});
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    const auto& address = recipients[i].address;
    if (mail::was_delivered_to(header, address)) {
      report.recipients.push_back(attempted(indexes[i], verdict_of_loop(address)));
    } else {
      attempt.indexes.push_back(indexes[i]);
      attempt.envelope.recipients.push_back(std::move(recipients[i]));
    }
  }
}

}  // namespace

Carriers::Carriers(CarriersWorld world)
    : world_(std::move(world)),
      network_(world_.loop, world_.couriers),
      mailboxes_(world_.loop, world_.mailbox),
      programs_(world_.loop, world_.programs, world_.options.program_time_max),
      web_({world_.loop, world_.clock, world_.http}, world_.options.webhook) {}

queue::Place Carriers::place_of(const mail::Recipient& recipient,
                                queue::Origin::Kind origin) const {
  const auto alone = [](std::string destination) {
    return queue::Place{destination, std::move(destination)};
  };
  const auto& domain = recipient.address.domain;
  if (recipient.handover.kind != Handover::Kind::usual)
    return alone(mail::place_text(recipient.handover));
  const bool forwarded = origin == queue::Origin::Kind::forwarded;
  const auto of_origin = [forwarded](const std::string& name) {
    return forwarded ? shaping::forwarded_site(name) : name;
  };
  if (const auto* route = find_route(world_.options.routes, domain))
    return alone(of_origin(fmt::format("route:{}:{}", route->host, route->port)));
  if (world_.is_local(recipient.address)) return alone(std::string(mailboxes));
  const auto site = world_.sites.known(domain);
  return {of_origin(domain), site ? of_origin(*site) : std::string()};
}

Task<std::optional<std::string>> Carriers::find_site(std::string domain,
                                                     queue::Origin::Kind origin) {
  auto site = co_await world_.sites.find(std::move(domain));
  if (site && origin == queue::Origin::Kind::forwarded) site = shaping::forwarded_site(*site);
  co_return site;
}

Carrier& Carriers::carrier_for(const Attempt& attempt) {
  if (attempt.destination == mailboxes) return mailboxes_;
  switch (attempt.envelope.recipients.front().handover.kind) {
    case Handover::Kind::maildir: return mailboxes_;
    case Handover::Kind::program: return programs_;
    case Handover::Kind::http: return web_;
    case Handover::Kind::usual:
    case Handover::Kind::host:
    case Handover::Kind::lmtp: break;
  }
  return network_;
}

Task<AttemptReport> Carriers::carry(Attempt attempt) {
  auto& carrier = carrier_for(attempt);
  attempt.peers =
      world_.sites.is_one_set_of_hosts(attempt.site) ? attempt.site : attempt.destination;
  AttemptReport looping;
  if (ends_here(attempt)) end_loops(attempt, looping);
  if (attempt.indexes.empty()) co_return looping;
  auto report = co_await carrier.carry(std::move(attempt));
  std::ranges::move(looping.recipients, std::back_inserter(report.recipients));
  co_return report;
}

Task<void> Carriers::stop() {
  co_await programs_.stop();
  co_await network_.stop();
}

}  // namespace tapal::delivery
