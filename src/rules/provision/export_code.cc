#include "rules/provision/export_code.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "values/dns/name.h"
#include "values/dns/rdata.h"
#include "values/dns/rdata_fields.h"
#include "values/text/ascii.h"
#include "values/text/hex.h"

namespace tapal::provision {
namespace {

// A string in double quotes as JavaScript, YAML and JSON read it.
std::string double_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c < ' ' || c == '\x7f')
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + '"';
}

// The same for HCL, whose templates begin with "${" and "%{".
std::string hcl_quoted(std::string_view text) {
  std::string out;
  for (const char c : double_quoted(text)) {
    if (c == '{' && (out.ends_with('$') || out.ends_with('%'))) out += out.back();
    out += c;
  }
  return out;
}

// What DNSControl's functions take behind the host.
std::string dnscontrol_arguments(dns::Type type, const dns::Data& data) {
  if (const auto* text = std::get_if<dns::Text>(&data)) return double_quoted(text->value);
  if (const auto* exchange = std::get_if<dns::MailExchange>(&data))
    return fmt::format(
        "{}, {}", exchange->preference, double_quoted(dns::absolute(exchange->exchange)));
  if (const auto* alias = std::get_if<dns::NameTarget>(&data))
    return double_quoted(dns::absolute(alias->name));
  if (const auto srv = dns::service_from_data(data); type == dns::Type::srv && srv)
    return fmt::format("{}, {}, {}, {}",
                       srv->priority,
                       srv->weight,
                       srv->port,
                       double_quoted(dns::absolute(srv->target)));
  if (const auto caa = dns::authorization_from_data(data); type == dns::Type::caa && caa)
    return fmt::format("{}, {}{}",
                       double_quoted(caa->tag),
                       double_quoted(caa->value),
                       (caa->flags & 128) != 0 ? ", CAA_CRITICAL" : "");
  if (const auto tlsa = dns::association_from_data(data); type == dns::Type::tlsa && tlsa)
    return fmt::format("{}, {}, {}, {}",
                       tlsa->usage,
                       tlsa->selector,
                       tlsa->matching,
                       double_quoted(text::to_hex(tlsa->bytes)));
  return double_quoted(dns::data_to_text(type, data));
}

// A value below "values:"; octoDNS wants semicolons escaped, and its keys in order.
std::string octodns_value(dns::Type type, const dns::Data& data) {
  const auto escaped = [](std::string_view text) {
    std::string out;
    for (const char c : text) {
      if (c == ';') out += '\\';
      out += c;
    }
    return out;
  };
  constexpr std::string_view indent = "        ";
  if (const auto* text = std::get_if<dns::Text>(&data)) return double_quoted(escaped(text->value));
  if (const auto* exchange = std::get_if<dns::MailExchange>(&data))
    return fmt::format("exchange: {}\n{}preference: {}",
                       double_quoted(dns::absolute(exchange->exchange)),
                       indent,
                       exchange->preference);
  if (const auto srv = dns::service_from_data(data); type == dns::Type::srv && srv)
    return fmt::format("port: {1}\n{0}priority: {2}\n{0}target: {3}\n{0}weight: {4}",
                       indent,
                       srv->port,
                       srv->priority,
                       double_quoted(dns::absolute(srv->target)),
                       srv->weight);
  if (const auto caa = dns::authorization_from_data(data); type == dns::Type::caa && caa)
    return fmt::format("flags: {1}\n{0}tag: {2}\n{0}value: {3}",
                       indent,
                       caa->flags,
                       double_quoted(caa->tag),
                       double_quoted(escaped(caa->value)));
  if (const auto tlsa = dns::association_from_data(data); type == dns::Type::tlsa && tlsa)
    return fmt::format(
        "certificate_association_data: {1}\n{0}certificate_usage: {2}\n"
        "{0}matching_type: {3}\n{0}selector: {4}",
        indent,
        double_quoted(text::to_hex(tlsa->bytes)),
        tlsa->usage,
        tlsa->matching,
        tlsa->selector);
  return double_quoted(dns::data_to_text(type, data));
}

std::string octodns_set(const dns::RecordSet& set) {
  auto text = fmt::format("  - ttl: {}\n    type: {}\n", set.ttl.count(), dns::type_text(set.type));
  if (set.type == dns::Type::cname)
    return text + fmt::format("    value: {}\n", octodns_value(set.type, set.data.front()));
  text += "    values:\n";
  for (const auto& data : set.data)
    text += fmt::format("      - {}\n", octodns_value(set.type, data));
  return text;
}

// "mail.example.com A" as the name of a Terraform resource.
std::string resource_name(std::string_view host, dns::Type type, std::size_t number) {
  auto name = fmt::format("{}_{}", host == "@" ? "apex" : host, dns::type_text(type));
  for (char& c : name) c = text::is_alnum(c) ? text::to_lower(c) : '_';
  if (!text::is_alpha(name.front()) && name.front() != '_') name = "n_" + name;
  return number == 0 ? name : fmt::format("{}_{}", name, number + 1);
}

// The arguments that say what a record of this type is.
std::string cloudflare_arguments(dns::Type type, const dns::Data& data) {
  if (const auto* exchange = std::get_if<dns::MailExchange>(&data))
    return fmt::format("  content  = {}\n  priority = {}\n",
                       hcl_quoted(exchange->exchange.empty() ? "." : exchange->exchange),
                       exchange->preference);
  if (const auto srv = dns::service_from_data(data); type == dns::Type::srv && srv)
    return fmt::format(
        "  priority = {0}\n  data = {{\n    priority = {0}\n    weight   = {1}\n"
        "    port     = {2}\n    target   = {3}\n  }}\n",
        srv->priority,
        srv->weight,
        srv->port,
        hcl_quoted(srv->target.empty() ? "." : srv->target));
  if (const auto caa = dns::authorization_from_data(data); type == dns::Type::caa && caa)
    return fmt::format("  data = {{\n    flags = {}\n    tag   = {}\n    value = {}\n  }}\n",
                       caa->flags,
                       hcl_quoted(caa->tag),
                       hcl_quoted(caa->value));
  if (const auto tlsa = dns::association_from_data(data); type == dns::Type::tlsa && tlsa)
    return fmt::format(
        "  data = {{\n    usage         = {}\n    selector      = {}\n"
        "    matching_type = {}\n    certificate   = {}\n  }}\n",
        tlsa->usage,
        tlsa->selector,
        tlsa->matching,
        hcl_quoted(text::to_hex(tlsa->bytes)));
  const auto* alias = std::get_if<dns::NameTarget>(&data);
  const auto content = alias != nullptr ? alias->name : dns::data_to_text(type, data);
  const bool may_be_proxied = alias != nullptr || type == dns::Type::a || type == dns::Type::aaaa;
  return fmt::format(
      "  content  = {}\n{}", hcl_quoted(content), may_be_proxied ? "  proxied  = false\n" : "");
}

}  // namespace

std::string as_dnscontrol(std::string_view zone, std::span<const ExportedSet> sets) {
  auto text = fmt::format("D_EXTEND({},\n", double_quoted(zone));
  for (const auto& [set, comment] : sets) {
    text += fmt::format("  // {}\n", text::printable(comment, 300));
    for (const auto& data : set.data)
      text += fmt::format("  {}({}, {}, TTL({})),\n",
                          dns::type_text(set.type),
                          double_quoted(host_in_zone(set.name, zone)),
                          dnscontrol_arguments(set.type, data),
                          set.ttl.count());
  }
  return text + "END);\n";
}

std::string as_octodns(std::string_view zone, std::span<const ExportedSet> sets) {
  std::map<std::string, std::string> by_host;
  for (const auto& [set, comment] : sets) {
    auto host = host_in_zone(set.name, zone);
    by_host[host == "@" ? "" : host] += octodns_set(set);
  }
  std::string text = "---\n";
  for (const auto& [host, body] : by_host)
    text += fmt::format("{}:\n{}", double_quoted(host), body);
  return text;
}

std::string as_terraform_cloudflare(std::string_view zone, std::span<const ExportedSet> sets) {
  std::string text = "variable \"zone_id\" {\n  type = string\n}\n";
  for (const auto& [set, comment] : sets)
    for (std::size_t i = 0; i < set.data.size(); ++i)
      text += fmt::format(
          "\n# {}\nresource \"cloudflare_dns_record\" \"{}\" {{\n"
          "  zone_id  = var.zone_id\n  name     = {}\n  type     = \"{}\"\n"
          "  ttl      = {}\n{}}}\n",
          text::printable(comment, 300),
          resource_name(host_in_zone(set.name, zone), set.type, i),
          hcl_quoted(set.name),
          dns::type_text(set.type),
          set.ttl.count(),
          cloudflare_arguments(set.type, set.data[i]));
  return text;
}

std::string as_terraform(std::string_view zone, std::span<const ExportedSet> sets) {
  std::string text =
      "# For the record sets of any provider, as in\n"
      "#   resource \"aws_route53_record\" \"mail\" {\n"
      "#     for_each = local.mail_records\n"
      "#     name     = each.value.name\n"
      "#     type     = each.value.type\n"
      "#     ttl      = each.value.ttl\n"
      "#     records  = each.value.records\n"
      "#     zone_id  = ...\n"
      "#   }\n"
      "locals {\n  mail_records = {\n";
  for (const auto& [set, comment] : sets) {
    text += fmt::format(
        "    # {}\n    {} = {{\n      name    = {}\n      type    = \"{}\"\n"
        "      ttl     = {}\n      records = [\n",
        text::printable(comment, 300),
        resource_name(host_in_zone(set.name, zone), set.type, 0),
        hcl_quoted(set.name),
        dns::type_text(set.type),
        set.ttl.count());
    for (const auto& data : set.data)
      text += fmt::format("        {},\n", hcl_quoted(dns::data_to_text(set.type, data)));
    text += "      ]\n    }\n";
  }
  return text + "  }\n}\n";
}

}  // namespace tapal::provision
