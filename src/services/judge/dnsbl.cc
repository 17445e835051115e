#include "services/judge/dnsbl.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "ports/look_up.h"
#include "values/text/ascii.h"
#include "values/text/idna.h"

namespace tapal::judge {
namespace {

constexpr std::size_t explanation_bytes_max = 200;
constexpr int weight_max = 100;
constexpr std::chrono::seconds lists_time_max{20};  // for all lists together

// "2", or "2..11".
std::optional<std::pair<std::uint8_t, std::uint8_t>> read_range(std::string_view text) {
  const std::size_t dots = text.find("..");
  const auto first = text::to_number<std::uint8_t>(text.substr(0, dots));
  const auto last =
      dots == text.npos ? first : text::to_number<std::uint8_t>(text.substr(dots + 2));
  if (!first || !last || *first > *last) return {};
  return std::pair(*first, *last);
}

// One octet from the front of `text`: a number, or ranges in brackets.
std::optional<DnsblCodes::Ranges> take_octet(std::string_view& text) {
  const bool has_brackets = text.starts_with('[');
  const std::size_t end = text.find(has_brackets ? ']' : '.');
  if (has_brackets && end == text.npos) return {};
  const std::string_view octet = text.substr(has_brackets ? 1 : 0, has_brackets ? end - 1 : end);
  text.remove_prefix(std::min(end == text.npos ? end : end + (has_brackets ? 1 : 0), text.size()));
  DnsblCodes::Ranges ranges;
  for (const auto part : text::split(octet, ';')) {
    const auto range = read_range(part);
    if (!range || (!has_brackets && range->first != range->second)) return {};
    ranges.push_back(*range);
  }
  return ranges;
}

std::optional<DnsblCodes> read_codes(std::string_view text) {
  DnsblCodes codes;
  for (int octet = 0; octet < 4; ++octet) {
    if (octet > 0) {
      if (!text.starts_with('.')) return {};
      text.remove_prefix(1);
    }
    auto ranges = take_octet(text);
    if (!ranges) return {};
    codes.octets.push_back(*std::move(ranges));
  }
  if (!text.empty()) return {};
  return codes;
}

std::string octet_text(const DnsblCodes::Ranges& ranges) {
  std::string text;
  for (const auto& [first, last] : ranges) {
    if (!text.empty()) text += ';';
    text += first == last ? std::to_string(first) : fmt::format("{}..{}", first, last);
  }
  const bool is_plain = ranges.size() == 1 && ranges[0].first == ranges[0].second;
  return is_plain ? text : fmt::format("[{}]", text);
}

std::span<const std::uint8_t, 4> v4_octets(const IpAddress& address) {
  return std::span(address.bytes).last<4>();
}

bool is_refusal(const IpAddress& answer) {
  const auto octets = v4_octets(answer);
  return octets[1] == 255 && octets[2] == 255;
}

// The peer in front of a zone: octets, or nibbles, last first (RFC 5782 sections 2.1 and 2.4).
std::string reversed(const IpAddress& address) {
  std::string name;
  if (address.is_v4()) {
    const auto octets = v4_octets(address);
    return fmt::format("{}.{}.{}.{}", octets[3], octets[2], octets[1], octets[0]);
  }
  for (std::size_t i = address.bytes.size(); i > 0; --i) {
    if (!name.empty()) name += '.';
    name += fmt::format("{:x}.{:x}", address.bytes[i - 1] & 0xFU, address.bytes[i - 1] >> 4U);
  }
  return name;
}

// An address that no list has: RFC 5782 section 5 sets aside 127.0.0.1 and ::FFFF:7F00:1.
std::string nobody_reversed(const IpAddress& peer) {
  if (peer.is_v4()) return "1.0.0.127";
  return "1.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0";
}

}  // namespace

bool DnsblCodes::match(const IpAddress& answer) const {
  if (!answer.is_v4()) return false;
  const auto code = v4_octets(answer);
  if (code[0] != 127 || is_refusal(answer)) return false;
  if (octets.empty()) return !(code[1] == 0 && code[2] == 0 && code[3] <= 1);
  for (std::size_t i = 0; i < octets.size(); ++i)
    if (std::ranges::none_of(octets[i], [octet = code[i]](const auto& range) {
          return octet >= range.first && octet <= range.second;
        }))
      return false;
  return true;
}

std::optional<DnsblZone> DnsblZone::from_text(std::string_view text) {
  DnsblZone zone;
  if (const std::size_t star = text.find('*'); star != text.npos) {
    const auto weight = text::to_number<int>(text.substr(star + 1));
    if (!weight || *weight == 0 || *weight > weight_max || *weight < -weight_max) return {};
    zone.weight = *weight;
    text = text.substr(0, star);
  }
  if (const std::size_t equals = text.find('='); equals != text.npos) {
    auto codes = read_codes(text.substr(equals + 1));
    if (!codes) return {};
    zone.codes = *std::move(codes);
    text = text.substr(0, equals);
  }
  auto name = text::domain_to_ascii(text);
  if (!name || !name->contains('.')) return {};
  zone.name = *std::move(name);
  return zone;
}

std::string DnsblZone::text() const {
  std::string text = name;
  for (const auto& ranges : codes.octets) {
    text += &ranges == &codes.octets.front() ? '=' : '.';
    text += octet_text(ranges);
  }
  if (weight != 1) text += fmt::format("*{}", weight);
  return text;
}

DnsblCheck::DnsblCheck(const std::vector<DnsblZone>& zones, const IpAddress& peer)
    : zones_(zones), peer_(peer) {
  if (peer.is_private()) zone_ = zones_.size();
}

std::optional<dns::Lookup> DnsblCheck::next_lookup() {
  if (zone_ >= std::min(zones_.size(), zones_max)) return {};
  const bool is_peer = step_ != Step::everybody;
  return dns::Lookup{
      fmt::format("{}.{}", is_peer ? reversed(peer_) : nobody_reversed(peer_), zones_[zone_].name),
      step_ == Step::explanation ? dns::Type::txt : dns::Type::a};
}

void DnsblCheck::next_zone() {
  ++zone_;
  step_ = Step::peer;
}

void DnsblCheck::on_reply(const dns::LookupReply& reply) {
  const auto& zone = zones_[zone_];
  switch (step_) {
    case Step::peer: return on_address(reply);
    case Step::everybody:
      if (reply.status == dns::LookupReply::Status::found) {
        troubles_.push_back(zone.name + " lists everybody");
        return next_zone();
      }
      listings_.push_back({&zone, code_, {}});
      step_ = Step::explanation;
      return;
    case Step::explanation:
      for (const auto& record : reply.records)
        if (const auto* text = std::get_if<dns::Text>(&record.data)) {
          listings_.back().explanation = text::printable(text->value, explanation_bytes_max);
          break;
        }
      next_zone();
  }
}

void DnsblCheck::on_address(const dns::LookupReply& reply) {
  const auto& zone = zones_[zone_];
  if (reply.status == dns::LookupReply::Status::failed)
    troubles_.push_back(zone.name + " does not answer");
  for (const auto& record : reply.records) {
    const auto* address = std::get_if<IpAddress>(&record.data);
    if (address == nullptr) continue;
    if (zone.codes.match(*address)) {
      code_ = *address;
      step_ = Step::everybody;
      return;
    }
    if (address->is_v4() && v4_octets(*address)[0] == 127 && is_refusal(*address))
      troubles_.push_back(fmt::format("{} refuses our questions ({})", zone.name, address->text()));
  }
  next_zone();
}

int DnsblCheck::score() const {
  int score = 0;
  for (const auto& listing : listings_) score += listing.zone->weight;
  return score;
}

Task<Result<Opinion>> DnsblJudge::look_at(const Mail& mail) {
  DnsblCheck check(zones_, mail.peer);
  const auto end = world_.loop.now() + lists_time_max;
  while (auto lookup = check.next_lookup()) {
    auto answer = co_await world_.resolver.resolve(world_.loop, lookup->name, lookup->type);
    check.on_reply(lookup_reply(std::move(answer)));
    if (world_.loop.now() >= end) break;  // what is known by now has to do
  }
  for (const auto& trouble : check.troubles())
    world_.log.write(Level::warning,
                     "a DNS list cannot be used",
                     {{"queue_id", mail.id.text()}, {"reason", trouble}});
  Opinion opinion;
  opinion.score = check.score();
  std::string explanation;
  for (const auto& [zone, code, text] : check.listings()) {
    if (!opinion.reason.empty()) opinion.reason += ", ";
    opinion.reason += fmt::format("{} ({})", zone->name, code.text());
    if (explanation.empty() && zone->weight > 0)
      explanation = fmt::format(
          "{} is listed by {}{}{}", mail.peer.text(), zone->name, text.empty() ? "" : ": ", text);
  }
  if (check.listings().empty() || check.score() < threshold_) co_return opinion;
  opinion.action = Action::refuse;
  opinion.reply = smtp::make_reply(554, "5.7.1", explanation);
  co_return opinion;
}

}  // namespace tapal::judge
