#include "rules/provision/look.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/dns/rdata.h"
#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

constexpr std::chrono::seconds usual_ttl{3600};
constexpr std::size_t addresses_of_name_max = 16;

SmtpProbe::Manner manner_of(OwnPort::Door door) {
  return door == OwnPort::Door::submissions ? SmtpProbe::Manner::implicit
                                            : SmtpProbe::Manner::starttls;
}

}  // namespace

std::string_view severity_text(Severity severity) {
  switch (severity) {
    case Severity::ok: return "ok";
    case Severity::info: return "info";
    case Severity::warning: return "warning";
    case Severity::error: return "error";
  }
  return "error";
}

Severity worst_of(std::span<const Finding> findings) {
  auto worst = Severity::ok;
  for (const auto& finding : findings) worst = std::max(worst, finding.severity);
  return worst;
}

void Look::cannot_tell(const std::string& subject, std::string_view question) {
  warn(subject,
       {.seen = fmt::format("nobody could tell now: {}", question),
        .expected = "an answer",
        .fix = "run this again; when it stays so, look at the name servers of the domain"});
}

bool has_failed(const DnsFact& fact) {
  return fact.reply.status == dns::LookupReply::Status::failed;
}

std::vector<std::string> texts_beginning(const DnsFact& fact, std::string_view prefix) {
  std::vector<std::string> found;
  for (auto& text : data_of<dns::Text>(fact))
    if (text::starts_with_ignoring_case(text.value, prefix)) found.push_back(std::move(text.value));
  return found;
}

std::string publish(const Look& look, const dns::Record& record) {
  return fmt::format("publish: {}. {} IN {} {}\nor see `tapal dns plan {}`",
                     record.name,
                     record.ttl.count(),
                     dns::type_text(record.type),
                     dns::data_to_text(record.type, record.data),
                     look.home.domain);
}

std::string publish_text(const Look& look, std::string name, std::string text) {
  return publish(look, {std::move(name), dns::Type::txt, usual_ttl, dns::Text{std::move(text)}});
}

std::optional<std::vector<IpAddress>> addresses_at(Look& look, const std::string& name) {
  const auto* v4 = look.dns(name, dns::Type::a);
  const auto* v6 = look.dns(name, dns::Type::aaaa);
  if (v4 == nullptr || v6 == nullptr) return {};
  auto all = data_of<IpAddress>(*v4);
  const auto more = data_of<IpAddress>(*v6);
  all.insert(all.end(), more.begin(), more.end());
  if (all.size() > addresses_of_name_max) all.resize(addresses_of_name_max);
  return all;
}

std::string OwnService::text() const {
  return fmt::format("port {} at {}", port.port, probe.server.address.text());
}

std::optional<std::vector<OwnService>> own_services(Look& look) {
  const auto addresses = addresses_at(look, look.home.host);
  if (!addresses) return {};
  std::vector<OwnService> services;
  bool is_complete = true;
  for (const auto& address : *addresses)
    for (const auto& port : look.home.ports) {
      SmtpProbe probe{{address, port.port}, {}, look.home.host, manner_of(port.door)};
      const auto* fact = look.smtp(probe);
      is_complete = is_complete && fact != nullptr;
      services.push_back({port, std::move(probe), fact});
    }
  if (!is_complete) return {};
  return services;
}

}  // namespace tapal::provision
