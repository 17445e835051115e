#include "app/settings/check.h"

#include <algorithm>
#include <chrono>
#include <map>

#include <fmt/format.h>

#include "values/crypto/certificate.h"
#include "values/crypto/key.h"
#include "values/text/duration.h"
#include "values/text/idna.h"

namespace tapal::app {
namespace {

class Check {
 public:
  Check(const files::ConfigFolder& folder, const Settings& settings, WallTime now)
      : folder_(folder), settings_(settings), now_(now) {}

  ConfigProblems run() {
    result_.errors = folder_.problems;
    result_.warnings = folder_.notices;
    check_hostname();
    check_listeners();
    check_certificates();
    check_domains();
    check_queue();
    check_limits();
    check_relay();
    check_rotation();
    return std::move(result_);
  }

 private:
  template <class... Arguments>
  void error(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    result_.errors.push_back(fmt::format(text, std::forward<Arguments>(arguments)...));
  }
  template <class... Arguments>
  void warn(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    result_.warnings.push_back(fmt::format(text, std::forward<Arguments>(arguments)...));
  }

  void check_hostname() {
    if (const auto good = text::check_hostname(settings_.hostname); !good)
      return error("hostname {}: {}", settings_.hostname, good.error().what);
    if (!settings_.hostname.contains('.'))
      warn("hostname {}: a name without a domain is refused by many servers; set hostname in {}",
           settings_.hostname,
           settings_file_name);
  }

  void check_listeners() {
    const std::pair<std::string_view, const std::vector<Endpoint>&> listeners[] = {
        {"listen.smtp", settings_.listen.smtp},
        {"listen.submission", settings_.listen.submission},
        {"listen.submissions", settings_.listen.submissions},
        {"listen.http", settings_.listen.http},
        {"listen.https", settings_.listen.https},
    };
    std::map<Endpoint, std::string_view> taken;
    for (const auto& [name, endpoints] : listeners) {
      for (const Endpoint& endpoint : endpoints) {
        const auto [first, is_new] = taken.try_emplace(endpoint, name);
        if (!is_new && endpoint.port != 0)
          error("{} and {} both name {}", first->second, name, endpoint.text());
      }
    }
    if (taken.empty()) warn("no listener is on: nobody can hand in mail");
  }

  bool submission_is_on() const {
    return !settings_.listen.submission.empty() || !settings_.listen.submissions.empty();
  }

  void check_certificates() {
    if (folder_.certificates.empty()) {
      if (submission_is_on())
        error(
            "no certificate: users cannot log in without TLS; put fullchain.pem and privkey.pem "
            "into certs/{}/",
            settings_.hostname);
      return;
    }
    bool hostname_is_covered = false;
    for (const files::Certificate& certificate : folder_.certificates) {
      const auto facts = crypto::read_certificate(certificate.chain_pem);
      if (!facts) continue;  // told by the folder
      hostname_is_covered |= crypto::covers(*facts, settings_.hostname);
      check_validity(certificate, *facts);
    }
    if (!hostname_is_covered) warn("no certificate covers the hostname {}", settings_.hostname);
  }

  void check_validity(const files::Certificate& certificate,
                      const crypto::CertificateFacts& facts) {
    const auto left = facts.validity.not_after - now_;
    if (now_ < facts.validity.not_before) {
      error("{}: not yet valid", certificate.chain_file);
    } else if (left <= std::chrono::seconds(0)) {
      error("{}: expired; renew it", certificate.chain_file);
    } else if (left < std::chrono::days(14)) {
      warn("{}: expires in {} days",
           certificate.chain_file,
           std::chrono::duration_cast<std::chrono::days>(left).count());
    }
    if (facts.self_signed)
      warn("{}: self-signed, mail clients will complain", certificate.chain_file);
    if (!certificate.name.contains('.')) return;  // a folder of another meaning
    if (!crypto::covers(facts, certificate.name))
      warn("{}: the certificate does not cover {}, the name of its folder",
           certificate.chain_file,
           certificate.name);
  }

  void check_domains() {
    const auto domains = folder_.directory.domains();
    if (domains.empty()) warn("no domain is set up; `tapal init DOMAIN` does it");
    for (const std::string& domain : domains) {
      const auto keys = folder_.signing_keys.find(domain);
      if (keys == folder_.signing_keys.end() || keys->second.empty()) {
        warn("{}: no DKIM key, its mail is not signed; `tapal dkim keygen {}` makes one",
             domain,
             domain);
      } else {
        check_keys(domain, keys->second);
      }
    }
  }

  void check_keys(const std::string& domain, const std::vector<files::SigningKey>& keys) {
    bool has_rsa = false;
    for (const files::SigningKey& key : keys) {
      const auto parsed = crypto::PrivateKey::from_pem(key.pem);
      if (!parsed || parsed->kind() != crypto::KeyKind::rsa) continue;
      has_rsa = true;
      if (parsed->bits() < 2048)
        warn("{}: RSA with {} bits; RFC 8301 asks for 2048", key.file, parsed->bits());
    }
    if (!has_rsa) warn("{}: no RSA key for DKIM; many receivers do not know Ed25519 yet", domain);
  }

  void check_queue() {
    const auto& retry = settings_.queue.retry;
    if (retry.delay_notice >= retry.give_up)
      warn("queue.delay_notice is not shorter than queue.give_up: nobody is told of delays");
    if (retry.give_up < std::chrono::days(1))
      warn("queue.give_up is under a day: mail bounces when a server is down for a night");
    if (settings_.delivery.connections_per_destination_max > settings_.delivery.connections_max)
      warn("delivery.connections_per_destination_max is above delivery.connections_max");
  }

  // What is on its way when a key retires must still be checked where it arrives.
  void check_rotation() {
    const auto least = settings_.queue.retry.give_up + settings_.dkim_expiry();
    if (settings_.keys.dkim.rotation.keep_old < least)
      warn(
          "dkim.keep_old is shorter than a message's longest life, {}: what was signed last with "
          "an "
          "old key could arrive when it is gone",
          text::duration_text(least));
    constexpr std::chrono::days srs_least{30};
    const auto srs = settings_.keys.srs_rotate_every;
    if (srs.count() > 0 && srs < srs_least)
      error(
          "srs.rotate_every: 30 days at least, since bounces come to an old key's addresses so "
          "long");
  }

  // Least sizes of RFC 5321 section 4.5.3.1.
  void check_limits() {
    const auto& limits = settings_.limits;
    if (limits.recipients < 100) warn("limits.recipients is under the 100 that RFC 5321 asks for");
    if (limits.message_bytes < 64UL * 1024)
      warn("limits.message_bytes is under the 64 KiB that RFC 5321 asks for");
    if (limits.idle > limits.session) warn("limits.idle is longer than limits.session");
  }

  void check_relay() {
    for (const IpNetwork& network : settings_.relay.trusted_networks) {
      constexpr std::uint8_t v4_bits = 96;
      if (network.prefix_bits == 0 || (network.address.is_v4() && network.prefix_bits == v4_bits)) {
        error("relay.trusted_networks: {} is the whole internet, this would be an open relay",
              network.text());
      } else if (!network.address.is_private()) {
        warn(
            "relay.trusted_networks: {} is not a private network; all who send from it may send "
            "to anyone",
            network.text());
      }
    }
  }

  const files::ConfigFolder& folder_;
  const Settings& settings_;
  WallTime now_;
  ConfigProblems result_;
};

}  // namespace

ConfigProblems config_problems(const files::ConfigFolder& folder,
                               const Settings& settings,
                               WallTime now) {
  return Check(folder, settings, now).run();
}

}  // namespace tapal::app
