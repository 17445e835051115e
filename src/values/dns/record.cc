#include "values/dns/record.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::dns {
namespace {

constexpr std::array<std::pair<Type, std::string_view>, 15> type_names{{
    {Type::a, "A"},
    {Type::ns, "NS"},
    {Type::cname, "CNAME"},
    {Type::soa, "SOA"},
    {Type::ptr, "PTR"},
    {Type::mx, "MX"},
    {Type::txt, "TXT"},
    {Type::aaaa, "AAAA"},
    {Type::srv, "SRV"},
    {Type::opt, "OPT"},
    {Type::ds, "DS"},
    {Type::rrsig, "RRSIG"},
    {Type::dnskey, "DNSKEY"},
    {Type::tlsa, "TLSA"},
    {Type::caa, "CAA"},
}};

constexpr std::string_view generic_prefix = "TYPE";  // RFC 3597 section 5

}  // namespace

std::string type_text(Type type) {
  for (const auto& [known, name] : type_names) {
    if (known == type) return std::string(name);
  }
  return fmt::format("{}{}", generic_prefix, std::to_underlying(type));
}

std::optional<Type> type_from_text(std::string_view text) {
  for (const auto& [known, name] : type_names) {
    if (text::equals_ignoring_case(text, name)) return known;
  }
  if (!text::starts_with_ignoring_case(text, generic_prefix)) return {};
  const auto number = text::to_number<std::uint16_t>(text.substr(generic_prefix.size()));
  if (!number) return {};
  return Type{*number};
}

}  // namespace tapal::dns
