#include "rules/provision/pasted_header.h"

#include <algorithm>
#include <array>

#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

constexpr std::size_t fields_max = 1'000;
constexpr std::size_t body_bytes_max = 16UL * 1024;
constexpr std::size_t name_bytes_max = 76;

// Rows of Gmail's page that are named like no field of a message.
constexpr std::array<std::string_view, 2> rows_with_spaces{"message id", "created at"};

bool is_field_name(std::string_view name) {
  if (name.empty() || name.size() > name_bytes_max) return false;
  const auto is_good = [](char c) { return text::is_alnum(c) || c == '-' || c == '_'; };
  return std::ranges::all_of(name, is_good) ||
         std::ranges::find(rows_with_spaces, text::to_lower(name)) != rows_with_spaces.end();
}

// "Message ID<TAB><x@y>": in a copied table the colon may be missing.
struct Split {
  std::string_view name;
  std::string_view body;
};
std::optional<Split> split_field(std::string_view line) {
  const auto colon = line.find(':');
  const auto tab = line.find('\t');
  const auto at = std::min(colon, tab);
  if (at == line.npos) return {};
  const auto name = text::trim(line.substr(0, at));
  if (!is_field_name(name)) return {};
  auto body = line.substr(at + 1);
  if (at == tab && colon == line.npos && name.find(' ') == name.npos) return {};
  return Split{name, text::trim(body)};
}

bool is_trace(std::string_view name) {
  return name == "received" || name == "authentication-results" || name == "arc-seal" ||
         name == "return-path" || name == "dkim-signature";
}

constexpr std::string_view ipv6_tag = "IPv6:";  // RFC 5321 section 4.1.3; its 6 is a digit, too

bool is_address_character(char c) {
  return text::is_digit(c) || c == '.' || c == ':' ||
         (text::to_lower(c) >= 'a' && text::to_lower(c) <= 'f');
}

}  // namespace

PastedHeader::PastedHeader(std::string_view text) {
  bool has_trace = false;
  for (auto line : text::split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (text::trim(line).empty()) {
      if (has_trace) break;
      continue;
    }
    if (text::is_blank(line.front()) && !fields_.empty()) {
      auto& body = fields_.back().body;
      if (body.size() + line.size() < body_bytes_max)
        body.append(body.empty() ? "" : " ").append(text::trim(line));
      continue;
    }
    const auto split = split_field(line);
    if (!split) continue;
    if (fields_.size() == fields_max) break;
    fields_.push_back(
        {text::to_lower(split->name), std::string(split->body.substr(0, body_bytes_max))});
    has_trace = has_trace || is_trace(fields_.back().name);
  }
}

const std::string* PastedHeader::find(std::string_view name) const {
  const auto found = std::ranges::find(fields_, name, &Field::name);
  return found == fields_.end() ? nullptr : &found->body;
}

std::vector<std::string_view> PastedHeader::all(std::string_view name) const {
  std::vector<std::string_view> bodies;
  for (const auto& field : fields_)
    if (field.name == name) bodies.push_back(field.body);
  return bodies;
}

std::optional<mailauth::AuthenticationResults> results_of(const PastedHeader& header) {
  const auto* body = header.find("authentication-results");
  if (body == nullptr) return {};
  const auto first = std::string_view(*body).substr(0, body->find(';'));
  const bool is_unnamed = first.find('=') != first.npos;
  auto results = mailauth::parse_authentication_results(is_unnamed ? "outlook; " + *body : *body);
  if (!results) return {};
  return *std::move(results);
}

std::optional<IpAddress> address_in(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    if (text::starts_with_ignoring_case(text.substr(i), ipv6_tag)) {
      i += ipv6_tag.size();
      continue;
    }
    if (!is_address_character(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && is_address_character(text[end])) ++end;
    auto candidate = text.substr(i, end - i);
    while (candidate.ends_with('.')) candidate.remove_suffix(1);  // a sentence may end in it
    const bool stands_alone = i == 0 || !(text::is_alnum(text[i - 1]) || text[i - 1] == '-');
    if (stands_alone)
      if (const auto address = IpAddress::from_text(candidate)) return address;
    i = end;
  }
  return {};
}

// The topmost Received field whose sender is on the open internet: above it are the receiver's own.
std::optional<BorderHop> border_hop(const PastedHeader& header) {
  for (const auto hop : header.all("received")) {
    if (!text::starts_with_ignoring_case(hop, "from ")) continue;
    const auto by = hop.find(" by ");
    const auto address = address_in(hop.substr(0, by));
    if (address && !address->is_private()) return BorderHop{hop, *address};
  }
  return {};
}

}  // namespace tapal::provision
