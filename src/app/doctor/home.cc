#include "app/doctor/home.h"

#include <algorithm>
#include <array>
#include <system_error>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/cli/control_client.h"
#include "app/dns/mail_identity.h"
#include "app/doctor/files.h"
#include "app/doctor/upkeep.h"
#include "drivers/files/files.h"
#include "protocols/mailauth/dkim_key_record.h"
#include "rules/alias/aliases_edit.h"
#include "values/crypto/key.h"
#include "values/text/ascii.h"
#include "values/text/date.h"
#include "values/text/json_fields.h"

namespace tapal::app {
namespace {

namespace json = boost::json;
using provision::Delivery;
using provision::Home;
using provision::OwnPort;

constexpr std::chrono::seconds server_patience{5};
constexpr std::size_t forwards_max = 1'000;

void set_egress(Home& home, const DoctorPlace& place, const Settings& settings) {
  const auto& sending = settings.delivery;
  home.on_test_network = sending.allow_private_addresses;
  home.egress = place.addresses.empty() ? egress_addresses(settings) : place.addresses;
  home.egress_is_bound = place.addresses.empty() && !delivery::source_addresses(sending).empty();
}

void add_ports(Home& home, const std::vector<Endpoint>& endpoints, OwnPort::Door door) {
  for (const auto& endpoint : endpoints) {
    const OwnPort port{door, endpoint.port};
    if (endpoint.port != 0 && std::ranges::find(home.ports, port) == home.ports.end())
      home.ports.push_back(port);
  }
}

// "tapal20261122" tells its day; of other names the file does.
std::optional<WallTime> made_at(const files::SigningKey& key) {
  constexpr std::size_t digits = 8;
  if (key.selector.size() >= digits) {
    const auto day = std::string_view(key.selector).substr(key.selector.size() - digits);
    const auto date = text::parse_rfc3339_date(
        fmt::format("{}-{}-{}T00:00:00Z", day.substr(0, 4), day.substr(4, 2), day.substr(6, 2)));
    if (date) return *date;
  }
  return changed_at(key.file);
}

void add_keys(Home& home, const files::ConfigFolder& folder) {
  const auto keys = folder.signing_keys.find(home.domain);
  if (keys == folder.signing_keys.end()) return;
  for (const auto& key : keys->second) {
    if (key.state.stage != provision::KeyStage::signing) continue;
    const auto parsed = crypto::PrivateKey::from_pem(key.pem);
    if (!parsed) continue;  // the folder's problems tell that
    const auto record = mailauth::DkimKeyRecord::for_key(*parsed);
    if (!record) continue;
    home.signing_keys.push_back(
        {key.selector, record->text(), parsed->bits(), made_at(key), !provision::signs(key.state)});
  }
}

void add_certificates(Home& home, const files::ConfigFolder& folder) {
  for (const auto& one : folder.certificates)
    if (auto facts = crypto::read_certificate(one.chain_pem))
      home.certificates.push_back({one.name, *std::move(facts)});
}

Delivery delivery_of(const files::ConfigFolder& folder, const std::string& text) {
  using Status = alias::Resolution::Status;
  const auto address = mail::parse_address(text);
  if (!address) return {Delivery::Way::refused, address.error().what};
  const auto found = folder.aliases.resolve(*address);
  std::vector<std::string> ends;
  ends.reserve(found.targets.size());
  for (const auto& target : found.targets)
    ends.push_back(target.address.local.empty() ? target.handover.target : target.address.text());
  switch (found.status) {
    case Status::found: return {Delivery::Way::delivered, fmt::format("{}", fmt::join(ends, ", "))};
    case Status::elsewhere: return {Delivery::Way::elsewhere, "its domain's MX is elsewhere"};
    case Status::endless: return {Delivery::Way::endless, found.text};
    case Status::rejected: return {Delivery::Way::refused, "an alias rejects it"};
    case Status::unknown:
      return {Delivery::Way::refused, found.text.empty() ? "nobody has this address" : found.text};
    case Status::not_ours: return {Delivery::Way::refused, "its domain is none of this server"};
  }
  return {Delivery::Way::refused, {}};
}

void add_forwards(Home& home, const std::filesystem::path& config) {
  const auto text = files::read_file(files::aliases_file(config, home.domain));
  if (!text) return;
  for (const auto& alias : alias::list_aliases(*text))
    for (const auto& target : alias.targets) {
      const auto address = mail::parse_address(target);
      if (!address || home.forwards.size() == forwards_max) continue;
      const bool is_own =
          std::ranges::find(home.own_domains, address->domain) != home.own_domains.end();
      if (!is_own)
        home.forwards.push_back(
            {fmt::format("{}@{}", alias.name, home.domain), address->text(), address->domain});
    }
}

void add_disks(Home& home, const Settings& settings) {
  std::error_code error;
  const auto space = std::filesystem::space(settings.state_folder, error);
  if (!error) home.disks.push_back({settings.state_folder, space.available, space.capacity});
}

}  // namespace

Result<Home> make_home(const DoctorPlace& place,
                       const Settings& settings,
                       const std::shared_ptr<const files::ConfigFolder>& folder,
                       WallTime now) {
  const auto* own = folder->directory.settings(place.domain);
  if (own == nullptr)
    return fail(Code::not_found,
                fmt::format("{0} is not a domain of this server; `tapal init {0}` makes it one",
                            place.domain));
  Home home;
  home.domain = place.domain;
  home.host = settings.delivery.ehlo_name.empty() ? settings.hostname : settings.delivery.ehlo_name;
  home.now = now;
  home.role = own->role;
  home.own_domains = folder->directory.domains();
  home.delivery_port = settings.delivery.port;
  home.trusted_networks = settings.relay.trusted_networks;
  if (const auto relay = settings.delivery.routes.find("*");
      relay != settings.delivery.routes.end())
    home.smarthost = relay->second.host;
  home.outside = settings.doctor.outside;
  set_egress(home, place, settings);
  add_ports(home, settings.listen.smtp, OwnPort::Door::relay);
  add_ports(home, settings.listen.submission, OwnPort::Door::submission);
  add_ports(home, settings.listen.submissions, OwnPort::Door::submissions);
  add_keys(home, *folder);
  add_certificates(home, *folder);
  add_forwards(home, place.config);
  add_disks(home, settings);
  const auto users = folder->directory.users(place.domain);
  if (!users.empty()) home.first_user = users.front().address.text();
  home.renewals = renewal_plans(place.config, settings);
  home.loose_files = find_loose_files(place.config, settings);
  home.where_goes = [folder](const std::string& address) { return delivery_of(*folder, address); };
  return home;
}

std::optional<provision::QueueFacts> queue_of_running_server(const Settings& settings,
                                                             WallTime now) {
  const auto ask = [&](std::string request) -> std::optional<json::object> {
    const auto answer = ask_server(settings.control_socket(), std::move(request), server_patience);
    if (!answer) return {};
    boost::system::error_code error;
    const auto parsed = json::parse(*answer, error, {}, {.allow_invalid_utf8 = true});
    if (error || !parsed.is_object()) return {};
    return parsed.get_object();
  };
  const auto status = ask(R"({"command":"status"})");
  if (!status || !status->contains("messages")) return {};
  const auto number = [&](std::string_view name) {
    return json::value_to<std::size_t>(status->at(name));
  };
  provision::QueueFacts facts{
      number("messages"), number("recipients_waiting"), number("recipients_held"), {}};
  const auto oldest = ask(R"({"command":"queue list","limit":1})");
  if (!oldest || !oldest->contains("messages") || oldest->at("messages").as_array().empty())
    return facts;
  const auto& message = oldest->at("messages").as_array().front().as_object();
  if (const auto arrived = text::parse_rfc3339_date(text::text_at(message, "arrived")))
    facts.oldest = std::chrono::floor<std::chrono::seconds>(now - *arrived);
  return facts;
}

}  // namespace tapal::app
