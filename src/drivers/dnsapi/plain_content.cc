#include "drivers/dnsapi/plain_content.h"

#include <fmt/format.h>

#include "drivers/dnsapi/record_forms.h"
#include "values/dns/rdata.h"
#include "values/dns/rdata_fields.h"

namespace tapal::dnsapi {
namespace {

std::string name_text(std::string_view name) { return name.empty() ? "." : std::string(name); }

}  // namespace

PlainContent plain_content(dns::Type type, const dns::Data& data, PlainContent::Ranked ranked) {
  if (const auto* text = std::get_if<dns::Text>(&data)) return {text->value};
  if (const auto* target = std::get_if<dns::NameTarget>(&data)) return {name_text(target->name)};
  if (const auto* exchange = std::get_if<dns::MailExchange>(&data))
    return {name_text(exchange->exchange), exchange->preference};
  const auto service =
      type == dns::Type::srv ? dns::service_from_data(data) : fail(Code::invalid, "another type");
  if (!service) return {dns::data_to_text(type, data)};
  const auto place =
      fmt::format("{} {} {}", service->weight, service->port, name_text(service->target));
  if (ranked == PlainContent::Ranked::mx_and_srv) return {place, service->priority};
  return {fmt::format("{} {}", service->priority, place)};
}

Result<dns::Data> data_from_plain(dns::Type type,
                                  const PlainContent& plain,
                                  PlainContent::Ranked ranked) {
  if (type == dns::Type::txt) return dns::Text{text_from_content(plain.content)};
  const bool is_ranked = type == dns::Type::mx ||
                         (type == dns::Type::srv && ranked == PlainContent::Ranked::mx_and_srv);
  if (!is_ranked) return data_from_content(type, plain.content);
  const std::string_view content = plain.content.empty() ? "." : std::string_view(plain.content);
  return data_from_content(type, fmt::format("{} {}", plain.priority, content));
}

}  // namespace tapal::dnsapi
