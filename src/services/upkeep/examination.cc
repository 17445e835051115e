#include "services/upkeep/examination.h"

#include <utility>
#include <variant>

#include "ports/look_up.h"
#include "values/text/date.h"

namespace tapal::upkeep {
namespace {

using provision::AuthoritiesFact;
using provision::DnsFact;
using provision::PageFact;

constexpr std::size_t page_bytes_max = 128UL * 1024;
constexpr std::chrono::seconds page_time_max{15};

struct Page {
  std::string url;
};
struct Registration {
  std::string domain;
};
struct ToAuthorities {
  dns::Lookup lookup;
};
using Question = std::variant<dns::Lookup, ToAuthorities, provision::SmtpProbe, Page, Registration>;

// All that is wanted now, asked by a few askers side by side.
class Round {
 public:
  Round(const ExaminationWorld& world, provision::Evidence& evidence)
      : world_(world), evidence_(evidence) {
    for (const auto& lookup : evidence.dns.wanted()) open_.emplace_back(lookup);
    for (const auto& lookup : evidence.authorities.wanted())
      open_.emplace_back(ToAuthorities{lookup});
    for (const auto& probe : evidence.smtp.wanted()) open_.emplace_back(probe);
    for (const auto& url : evidence.pages.wanted()) open_.emplace_back(Page{url});
    for (const auto& domain : evidence.registrations.wanted())
      open_.emplace_back(Registration{domain});
  }

  Task<void> run(Instant deadline) {
    const auto askers = std::min(world_.at_once_max, open_.size());
    for (std::size_t i = 0; i < askers; ++i) tasks_.spawn(ask_some(deadline));
    co_await tasks_.join();
  }

 private:
  Task<void> ask_some(Instant deadline) {
    while (!open_.empty()) {
      auto question = std::move(open_.back());
      open_.pop_back();
      const bool is_late =
          world_.probes.loop.now() >= deadline || (world_.is_stopping && world_.is_stopping());
      if (auto* lookup = std::get_if<dns::Lookup>(&question)) {
        co_await ask(std::move(*lookup), is_late);
      } else if (auto* direct = std::get_if<ToAuthorities>(&question)) {
        co_await ask(std::move(*direct), is_late);
      } else if (auto* probe = std::get_if<provision::SmtpProbe>(&question)) {
        co_await ask(std::move(*probe), is_late);
      } else if (auto* page = std::get_if<Page>(&question)) {
        co_await ask(std::move(*page), is_late);
      } else if (auto* registration = std::get_if<Registration>(&question)) {
        co_await ask(std::move(*registration), is_late);
      }
    }
  }

  Task<void> ask(dns::Lookup lookup, bool is_late) {
    DnsFact fact;
    if (!is_late) {
      auto answer = co_await world_.resolver.resolve(world_.probes.loop, lookup.name, lookup.type);
      if (answer) {
        fact.is_secure = answer->security == DnsAnswer::Security::secure;
        fact.canonical_name = answer->canonical_name;
      }
      fact.reply = lookup_reply(std::move(answer));
    }
    evidence_.dns.add(lookup, std::move(fact));
  }

  Task<void> ask(ToAuthorities asked, bool is_late) {
    AuthoritiesFact fact;
    fact.trouble = "there was no time left to look";
    if (!is_late) fact = co_await ask_authorities(asked.lookup);
    evidence_.authorities.add(asked.lookup, std::move(fact));
  }

  Task<AuthoritiesFact> ask_authorities(dns::Lookup lookup) {
    auto& loop = world_.probes.loop;
    ZoneAuthorities authorities(world_.resolver, world_.probes.network, world_.authorities);
    AuthoritiesFact fact;
    auto zone = co_await authorities.find(loop, lookup.name);
    if (!zone) {
      fact.trouble = zone.error().what;
      co_return fact;
    }
    fact.zone = zone->name;
    auto answers = co_await authorities.ask_all(loop, *std::move(zone), lookup);
    for (auto& answer : answers) {
      auto& server = fact.servers.emplace_back();
      server.name = std::move(answer.server);
      if (answer.reply)
        server.records = std::move(answer.reply->records);
      else
        server.trouble = answer.reply.error().what;
    }
    co_return fact;
  }

  Task<void> ask(provision::SmtpProbe probe, bool is_late) {
    provision::SmtpFact fact{.reach = provision::SmtpFact::Reach::silent,
                             .trouble = "there was no time left to look"};
    if (!is_late) fact = co_await probe_smtp(world_.probes, probe);
    evidence_.smtp.add(probe, std::move(fact));
  }

  Task<void> ask(Page page, bool is_late) {
    PageFact fact{.trouble = "there was no time left to look"};
    if (!is_late) fact = co_await fetch(page.url);
    evidence_.pages.add(page.url, std::move(fact));
  }

  Task<PageFact> fetch(std::string url) {
    HttpRequest request;
    request.url = std::move(url);
    request.time_max = page_time_max;
    request.response_bytes_max = page_bytes_max;
    auto response = co_await world_.http.send(world_.probes.loop, std::move(request));
    PageFact fact;
    if (!response) {
      fact.trouble = response.error().what;
      co_return fact;
    }
    fact.status = response->status;
    fact.content_type = response->header("Content-Type");
    if (const auto date = text::parse_rfc5322_date(response->header("Date")))
      fact.clock_ahead = std::chrono::round<std::chrono::seconds>(world_.clock.wall_now() - *date);
    fact.body = std::move(response->body);
    co_return fact;
  }

  Task<void> ask(Registration registration, bool is_late) {
    provision::RegistrationFact fact{.trouble = "there was no time left to look"};
    if (!is_late) {
      RdapWorld registries(world_.http, world_.probes.loop, world_.registries);
      fact = co_await ask_registration(std::move(registries), registration.domain);
    }
    evidence_.registrations.add(registration.domain, std::move(fact));
  }

  const ExaminationWorld& world_;
  provision::Evidence& evidence_;
  std::vector<Question> open_;
  TaskGroup tasks_;
};

}  // namespace

Task<void> examine(ExaminationWorld world, provision::Examination& examination) {
  const auto deadline = world.probes.loop.now() + world.time_max;
  while (examination.run()) {
    Round round(world, examination.evidence());
    co_await round.run(deadline);
  }
}

}  // namespace tapal::upkeep
