#include <algorithm>
#include <array>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/certificates/lone_order.h"
#include "app/certificates/parts.h"
#include "app/cli/control_client.h"
#include "app/commands/commands.h"
#include "drivers/system/clock.h"
#include "values/text/date.h"
#include "values/text/hex.h"

namespace tapal::app {

namespace json = boost::json;

namespace {

struct IssueOptions {
  std::vector<std::string> names;
  std::string directory;
  std::string profile;
  std::string chain;
};

struct RenewOptions {
  std::string name;
  bool new_key = false;
};

struct RevokeOptions {
  std::string name;
  std::string reason = "key-compromise";
};

struct Listed {
  KeptCertificate kept;
  Result<crypto::CertificateFacts> facts;
  std::optional<upkeep::CertificateNote> note;  // nothing: another program's
};

Result<std::vector<Listed>> list_all(const CommonOptions& common) {
  TAPAL_TRY(const auto settings, load_settings(common.config));
  auto folder = certificate_folder(common.config, settings);
  TAPAL_TRY(auto kept, folder.list());
  const auto wanted = upkeep::folder_name(settings.acme.names);
  std::vector<Listed> all;
  for (auto& one : kept) {
    const bool is_there = !one.chain_pem.empty();
    if (!is_there && one.name != wanted) continue;  // an order that nobody wants any more
    Listed listed{std::move(one), fail(Code::not_found, "no certificate yet"), {}};
    if (is_there) listed.facts = crypto::read_certificate(listed.kept.chain_pem);
    if (auto note = upkeep::read_certificate_note(listed.kept.note)) listed.note = *std::move(note);
    all.push_back(std::move(listed));
  }
  return all;
}

std::string hex(const crypto::Digest& digest) { return text::to_hex(crypto::bytes_of(digest)); }

// The TLSA data of a key that is not in use yet (RFC 6698: 3 1 1); empty where there is none.
std::string next_key_digest(const CommonOptions& common, const std::string& name) {
  const auto settings = load_settings(common.config);
  if (!settings) return {};
  const auto pem = certificate_folder(common.config, *settings).next_key(name);
  const auto key = pem ? crypto::PrivateKey::from_pem(*pem)
                       : Result<crypto::PrivateKey>(std::unexpected(pem.error()));
  return key ? hex(crypto::sha256(key->public_key_der())) : std::string();
}

json::object to_json(const Listed& one) {
  json::object object{{"name", one.kept.name}, {"renewed_by_tapal", one.note.has_value()}};
  if (one.note && one.note->failure)
    object["failure"] = {{"what", one.note->failure->what},
                         {"when", text::rfc3339_date(one.note->failure->when)},
                         {"next_try", text::rfc3339_date(one.note->failure->next_try)}};
  if (!one.facts) {
    object["error"] = one.facts.error().what;
    return object;
  }
  const auto& facts = *one.facts;
  object["names"] = json::array(facts.names.begin(), facts.names.end());
  object["issuer"] = facts.issuer;
  object["self_signed"] = facts.self_signed;
  object["from"] = text::rfc3339_date(facts.validity.not_before);
  object["until"] = text::rfc3339_date(facts.validity.not_after);
  object["sha256"] = hex(facts.sha256);
  object["key_sha256"] = hex(facts.key_sha256);
  if (!one.note) return object;
  object["authority"] = one.note->directory_url;
  object["renewal"] = text::rfc3339_date(upkeep::renewal_due(*one.note, facts));
  return object;
}

void print_facts(const Listed& one, const crypto::CertificateFacts& facts, WallTime now) {
  const auto left = std::chrono::floor<std::chrono::days>(facts.validity.not_after - now);
  const auto care = one.note
                        ? "renewed on " + text::rfc3339_day(upkeep::renewal_due(*one.note, facts))
                    : facts.self_signed ? std::string("self-signed")
                                        : std::string("another program renews it");
  fmt::print("{:<24} {:>4} days  {:<26} {}\n",
             one.kept.name,
             left.count(),
             care,
             fmt::join(facts.names, ", "));
}

void print_row(const Listed& one, WallTime now) {
  if (one.facts)
    print_facts(one, *one.facts, now);
  else
    fmt::print("{:<24} {}\n", one.kept.name, one.facts.error().what);
  if (one.note && one.note->failure)
    fmt::print("{:<24} the last order failed: {}\n{:<24} the next try is on {}\n",
               "",
               one.note->failure->what,
               "",
               text::rfc3339_date(one.note->failure->next_try));
}

void print_whole(const Listed& one, const std::string& next_key) {
  const auto object = to_json(one);
  for (const auto& [key, value] : object) {
    if (key == "failure") continue;
    const auto text = value.is_string() ? std::string(value.get_string()) : json::serialize(value);
    fmt::print("{:<18} {}\n", std::string_view(key), text);
  }
  if (!next_key.empty()) fmt::print("{:<18} {}\n", "next_key_sha256", next_key);
  if (one.note && one.note->failure)
    fmt::print("{:<18} {} (next try {})\n",
               "failure",
               one.note->failure->what,
               text::rfc3339_date(one.note->failure->next_try));
}

int run_cert_list(const CommonOptions& common) {
  const auto all = list_all(common);
  if (!all) return tell(all.error());
  if (common.output == Output::json) {
    json::array list;
    for (const auto& one : *all) list.push_back(to_json(one));
    print_json({{"certificates", std::move(list)}});
    return exit_done;
  }
  for (const auto& one : *all) print_row(one, SystemClock().wall_now());
  if (all->empty()) fmt::print("There is no certificate; `tapal cert issue NAME` gets one.\n");
  return exit_done;
}

int run_show(const CommonOptions& common, const std::string& name) {
  const auto all = list_all(common);
  if (!all) return tell(all.error());
  const auto found =
      std::ranges::find_if(*all, [&name](const auto& one) { return one.kept.name == name; });
  if (found == all->end())
    return tell({Code::not_found, fmt::format("there is no certificate in certs/{}", name)});
  const auto next_key = next_key_digest(common, name);
  if (common.output == Output::json) {
    auto object = to_json(*found);
    object["next_key_sha256"] = next_key;
    print_json(object);
  } else {
    print_whole(*found, next_key);
  }
  return exit_done;
}

int run_order(const CommonOptions& common, const json::object& request) {
  const auto folder = order_certificate(common, request);
  if (folder) return run_show(common, *folder);
  if (common.output == Output::json) print_json({{"error", folder.error().what}});
  return tell(folder.error());
}

int run_issue(const CommonOptions& common, const IssueOptions& options) {
  return run_order(common,
                   {{"command", "cert issue"},
                    {"names", json::array(options.names.begin(), options.names.end())},
                    {"directory", options.directory},
                    {"profile", options.profile},
                    {"chain", options.chain}});
}

int run_account_key(const CommonOptions& common, const std::string& directory) {
  const auto account =
      order_certificate(common, {{"command", "cert account-key"}, {"directory", directory}});
  if (common.output == Output::json)
    print_json(account ? json::object{{"account", *account}}
                       : json::object{{"error", account.error().what}});
  if (!account) return tell(account.error());
  if (common.output != Output::json) fmt::print("The account {} has a new key.\n", *account);
  return exit_done;
}

// For keys that others may have.
void declare_trouble(const Command& cert) {
  const auto revoke = cert.add("revoke",
                               "tell its authority that a certificate is good no more, and get "
                               "another with a new key",
                               "cert revoke mail.example.org");
  auto revoked = std::make_shared<RevokeOptions>();
  revoke.text({"name", "its folder in certs/", true}, revoked->name);
  revoke.text({"--reason",
               "why: key-compromise (default), superseded, affiliation-changed or "
               "unspecified",
               false,
               {},
               {"key-compromise", "superseded", "affiliation-changed", "unspecified"}},
              revoked->reason);
  revoke.runs([revoked](const auto& common) {
    return run_order(
        common, {{"command", "cert revoke"}, {"name", revoked->name}, {"reason", revoked->reason}});
  });
  const auto account = cert.add(
      "account-key", "give the account at a certificate authority a new key", "cert account-key");
  auto directory = std::make_shared<std::string>();
  account.text({"--directory", "the authority; default: acme.directory"}, *directory);
  account.runs([directory](const auto& common) { return run_account_key(common, *directory); });
}

}  // namespace

void declare_cert(const Command& tapal) {
  const auto cert = tapal.add_group("cert", "certificates and their renewal", "cert list");
  const auto issue =
      cert.add("issue",
               "get a certificate for these names, and renew it from then on; ordering means "
               "agreeing to the authority's terms",
               "cert issue mail.example.org mta-sts.example.org");
  auto wanted = std::make_shared<IssueOptions>();
  issue.texts({"names", "host names, *.domain for all below it; the first names the folder", true},
              wanted->names);
  issue.text({"--directory", "a certificate authority; default: acme.directory"},
             wanted->directory);
  issue.text({"--profile", "of the authority; default: acme.profile"}, wanted->profile);
  issue.text({"--chain",
              "a part of the last issuer's name, where the authority offers several chains; "
              "renewals keep to it"},
             wanted->chain);
  issue.changes([wanted](const auto& common) { return run_issue(common, *wanted); });

  const auto renew = cert.add(
      "renew", "renew a certificate now, whether it is due or not", "cert renew mail.example.org");
  auto renewed = std::make_shared<RenewOptions>();
  renew.text({"name", "its folder in certs/", true}, renewed->name);
  renew.flag({"--new-key", "with a key made now, instead of the one that was announced"},
             renewed->new_key);
  renew.changes([renewed](const auto& common) {
    return run_order(common,
                     {{"command", "cert renew"},
                      {"name", renewed->name},
                      {"key", renewed->new_key ? "fresh" : "announced"}});
  });
  declare_trouble(cert);

  cert.add("list", "every certificate: how long it lasts, who renews it", "cert list")
      .runs(&run_cert_list);
  const auto show = cert.add("show", "all about one certificate", "cert show mail.example.org");
  auto shown = std::make_shared<std::string>();
  show.text({"name", "its folder in certs/", true}, *shown);
  show.runs([shown](const auto& common) { return run_show(common, *shown); });
}

}  // namespace tapal::app
