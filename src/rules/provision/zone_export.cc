#include "rules/provision/zone_export.h"

#include <algorithm>

#include <fmt/format.h>

#include "rules/provision/export_code.h"
#include "values/dns/name.h"
#include "values/dns/rdata.h"
#include "values/dns/rdata_fields.h"
#include "values/dns/zone_text.h"
#include "values/text/ascii.h"
#include "values/text/hex.h"

namespace tapal::provision {
namespace {

bool is_written(const dns::RecordSet& set) {
  return set.type != dns::Type::soa && set.type != dns::Type::ns;
}

std::string zone_lines(const dns::RecordSet& set) {
  std::string lines;
  for (const auto& data : set.data)
    lines += dns::to_zone_text({set.name, set.type, set.ttl, data}) + "\n";
  return lines;
}

std::string one_line(std::string_view comment) { return text::printable(comment, 300); }

std::string as_bind(std::span<const ExportedSet> sets) {
  std::string text;
  for (const auto& [set, comment] : sets)
    text += fmt::format("; {}\n{}", one_line(comment), zone_lines(set));
  return text;
}

// https://developers.cloudflare.com/dns/manage-dns-records/how-to/import-and-export/
std::string as_cloudflare(std::span<const ExportedSet> sets) {
  std::string text;
  for (const auto& [set, comment] : sets) {
    const bool may_be_proxied =
        set.type == dns::Type::a || set.type == dns::Type::aaaa || set.type == dns::Type::cname;
    for (const auto line : text::split(zone_lines(set), '\n'))
      if (!line.empty())
        text += fmt::format("{}{}\n", line, may_be_proxied ? " ; cf_tags=cf-proxied:false" : "");
  }
  return text;
}

std::string as_table(std::string_view zone, std::span<const ExportedSet> sets) {
  std::string text;
  for (const auto& [set, comment] : sets)
    for (const auto& data : set.data) {
      text += one_line(comment) + "\n";
      for (const auto& [field, value] : form_fields(set, data, zone))
        text += fmt::format("  {:<10} {}\n", field, value);
      text += "\n";
    }
  return text;
}

std::string in_format(ExportFormat format,
                      std::string_view zone,
                      std::span<const ExportedSet> sets) {
  switch (format) {
    case ExportFormat::bind: return as_bind(sets);
    case ExportFormat::cloudflare: return as_cloudflare(sets);
    case ExportFormat::dnscontrol: return as_dnscontrol(zone, sets);
    case ExportFormat::octodns: return as_octodns(zone, sets);
    case ExportFormat::terraform_cloudflare: return as_terraform_cloudflare(zone, sets);
    case ExportFormat::terraform: return as_terraform(zone, sets);
    case ExportFormat::table: return as_table(zone, sets);
  }
  return {};
}

std::string_view comment_mark(ExportFormat format) {
  switch (format) {
    case ExportFormat::bind:
    case ExportFormat::cloudflare: return "; ";
    case ExportFormat::dnscontrol: return "// ";
    case ExportFormat::table: return "";
    default: return "# ";
  }
}

}  // namespace

const std::vector<std::string>& export_format_names() {
  static const std::vector<std::string> names{
      "bind", "cloudflare", "dnscontrol", "octodns", "terraform-cloudflare", "terraform", "table"};
  return names;
}

std::optional<ExportFormat> export_format(std::string_view name) {
  const auto& names = export_format_names();
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return {};
  return static_cast<ExportFormat>(found - names.begin());
}

std::string export_records(ExportFormat format,
                           std::string_view zone,
                           std::span<const ExportedSet> sets) {
  std::vector<ExportedSet> inside;
  std::string outside;
  for (const auto& one : sets) {
    if (!is_written(one.set) || one.set.data.empty()) continue;
    if (dns::is_subdomain_of(one.set.name, zone)) {
      inside.push_back(one);
      continue;
    }
    for (const auto line : text::split(zone_lines(one.set), '\n'))
      if (!line.empty())
        outside += fmt::format("{}in another zone: {}\n", comment_mark(format), line);
  }
  return in_format(format, zone, inside) + outside;
}

std::string host_in_zone(std::string_view name, std::string_view zone) {
  if (name == zone) return "@";
  if (!dns::is_subdomain_of(name, zone) || zone.empty()) return std::string(name);
  return std::string(name.substr(0, name.size() - zone.size() - 1));
}

FormFields form_fields(const dns::RecordSet& set, const dns::Data& data, std::string_view zone) {
  FormFields fields{{"Type", dns::type_text(set.type)}, {"Host", host_in_zone(set.name, zone)}};
  const auto add = [&fields](std::string name, auto value) {
    fields.emplace_back(std::move(name), fmt::format("{}", value));
  };
  const auto target = [](const std::string& name) { return name.empty() ? "." : name; };
  if (const auto* text = std::get_if<dns::Text>(&data)) {
    add("Value", text->value);
  } else if (const auto* exchange = std::get_if<dns::MailExchange>(&data)) {
    add("Value", target(exchange->exchange));
    add("Priority", exchange->preference);
  } else if (const auto* alias = std::get_if<dns::NameTarget>(&data)) {
    add("Value", target(alias->name));
  } else if (const auto srv = dns::service_from_data(data); set.type == dns::Type::srv && srv) {
    add("Priority", srv->priority);
    add("Weight", srv->weight);
    add("Port", srv->port);
    add("Target", target(srv->target));
  } else if (const auto caa = dns::authorization_from_data(data);
             set.type == dns::Type::caa && caa) {
    add("Flags", caa->flags);
    add("Tag", caa->tag);
    add("Value", caa->value);
  } else if (const auto tlsa = dns::association_from_data(data);
             set.type == dns::Type::tlsa && tlsa) {
    add("Usage", tlsa->usage);
    add("Selector", tlsa->selector);
    add("Matching", tlsa->matching);
    add("Data", text::to_hex(tlsa->bytes));
  } else {
    add("Value", dns::data_to_text(set.type, data));
  }
  add("TTL", set.ttl.count());
  return fields;
}

}  // namespace tapal::provision
