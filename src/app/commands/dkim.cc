#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/cli/dns_option.h"
#include "app/cli/message_file.h"
#include "app/commands/commands.h"
#include "app/commands/dkim_keys.h"
#include "app/config/signing_keys.h"
#include "app/mail/dkim_check.h"
#include "app/settings/settings.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"
#include "drivers/system/clock.h"
#include "protocols/mailauth/dkim_sign.h"
#include "values/text/idna.h"

namespace tapal::app {
namespace {

struct DkimKeygenOptions {
  std::string domain;
  std::string selector;           // empty: from the date
  std::string algorithm = "rsa";  // or "ed25519"
  std::int64_t bits = 2048;
};
struct DkimSignOptions {
  std::string domain;
  std::string selector;
  std::string key_file;
  std::string file;
};
struct DkimVerifyOptions {
  std::string dns_server;  // "host:port"; empty: as the settings or the system say
  std::string file;
};

constexpr std::chrono::days signature_life{7};

Result<crypto::PrivateKey> generate(const DkimKeygenOptions& options) {
  if (options.algorithm == "ed25519") return crypto::PrivateKey::generate_ed25519();
  return crypto::PrivateKey::generate_rsa(static_cast<int>(options.bits));
}

Result<std::string> keygen(const CommonOptions& common, const DkimKeygenOptions& options) {
  TAPAL_TRY(const auto domain, text::domain_to_ascii(options.domain));
  const auto selector =
      options.selector.empty() ? selector_of_today(SystemClock().wall_now()) : options.selector;
  TAPAL_TRY(const auto key, generate(options));
  TAPAL_CHECK(write_signing_key(common.config, domain, selector, key));
  return dkim_zone_line(domain, selector, key);
}

Result<std::string> sign(const DkimSignOptions& options) {
  TAPAL_TRY(const auto pem, files::read_file(options.key_file));
  TAPAL_TRY(auto key, crypto::PrivateKey::from_pem(pem));
  TAPAL_TRY(const auto domain, text::domain_to_ascii(options.domain));
  TAPAL_TRY(const auto message, read_message(options.file));
  const auto now = SystemClock().wall_now();
  const mailauth::DkimSigner signer{
      domain, options.selector, std::make_shared<const crypto::PrivateKey>(std::move(key))};
  TAPAL_TRY(const auto field,
            mailauth::dkim_sign_message({signer}, message, {now, now + signature_life}));
  return field + message;
}

Result<std::vector<mailauth::DkimResult>> verify(const CommonOptions& common,
                                                 const DkimVerifyOptions& options) {
  TAPAL_TRY(const auto message, read_message(options.file));
  TAPAL_TRY(auto asked, resolver_options(common, options.dns_server));
  return check_dkim(message, std::move(asked));
}

void print(const mailauth::DkimResult& result) {
  fmt::print("{} domain={} selector={} algorithm={}{}{}\n",
             mailauth::dkim_verdict_text(result.verdict),
             result.domain,
             result.selector,
             result.algorithm,
             result.key_bits > 0 ? fmt::format(" bits={}", result.key_bits) : "",
             result.reason.empty() ? "" : ": " + result.reason);
}

boost::json::object to_json(const mailauth::DkimResult& result) {
  return {{"result", mailauth::dkim_verdict_text(result.verdict)},
          {"domain", result.domain},
          {"selector", result.selector},
          {"algorithm", result.algorithm},
          {"bits", result.key_bits},
          {"reason", result.reason}};
}

int run_dkim_keygen(const CommonOptions& common, const DkimKeygenOptions& options) {
  const auto record = keygen(common, options);
  if (!record) return tell(record.error());
  fmt::print("{}\n", *record);
  return exit_done;
}

int run_dkim_dns(const CommonOptions& common, const std::string& domain) {
  const auto ascii = text::domain_to_ascii(domain);
  if (!ascii) return tell(ascii.error());
  const auto folder = files::load_config_folder({common.config, {}});
  const auto keys = folder.signing_keys.find(*ascii);
  if (keys == folder.signing_keys.end() || keys->second.empty())
    return tell(
        {Code::not_found,
         fmt::format("{} has no DKIM key; `tapal dkim keygen {}` makes one", *ascii, *ascii)});
  for (const auto& key : keys->second) {
    if (key.state.stage == provision::KeyStage::revoked) continue;
    const auto parsed = crypto::PrivateKey::from_pem(key.pem);
    const auto line =
        parsed ? dkim_zone_line(*ascii, key.selector, *parsed) : std::unexpected(parsed.error());
    if (!line) return tell({Code::invalid, key.file + ": " + line.error().what});
    fmt::print("{}\n", *line);
  }
  return exit_done;
}

int run_dkim_sign(const DkimSignOptions& options) {
  const auto signed_message = sign(options);
  if (!signed_message) return tell(signed_message.error());
  fmt::print("{}", *signed_message);
  return exit_done;
}

int run_dkim_verify(const CommonOptions& common, const DkimVerifyOptions& options) {
  const auto results = verify(common, options);
  if (!results) return tell(results.error());
  if (common.output == Output::json) {
    boost::json::array list;
    for (const auto& result : *results) list.push_back(to_json(result));
    print_json({{"signatures", list}});
    return exit_done;
  }
  for (const auto& result : *results) print(result);
  if (results->empty()) fmt::print("none (the message has no DKIM signature)\n");
  return exit_done;
}

}  // namespace

void declare_dkim(const Command& tapal) {
  const auto dkim = tapal.add_group("dkim", "DKIM keys and signatures", "dkim verify message.eml");
  const auto keygen =
      dkim.add("keygen", "make a signing key and print its DNS record", "dkim keygen example.com");
  auto made = std::make_shared<DkimKeygenOptions>();
  keygen.text({"domain", "the domain that signs", true}, made->domain);
  keygen.text({"--selector", "default: tapal and the date"}, made->selector);
  keygen.text({"--algorithm", "rsa (default) or ed25519", false, {}, {"rsa", "ed25519"}},
              made->algorithm);
  keygen.number({"--bits", "of an RSA key; default 2048"}, {1024, 8192}, made->bits);
  keygen.changes([made](const auto& common) { return run_dkim_keygen(common, *made); });

  const auto dns =
      dkim.add("dns", "print the DNS records of a domain's keys", "dkim dns example.com");
  auto domain = std::make_shared<std::string>();
  dns.text({"domain", "the domain that signs", true}, *domain);
  dns.runs([domain](const auto& common) { return run_dkim_dns(common, *domain); });

  const auto sign =
      dkim.add("sign",
               "sign a message file; the signed message goes to standard output",
               "dkim sign --domain example.com --selector s1 --key s1.pem message.eml");
  auto to_sign = std::make_shared<DkimSignOptions>();
  sign.text({"--domain", "d=", true}, to_sign->domain);
  sign.text({"--selector", "s=", true}, to_sign->selector);
  sign.text({"--key", "private key, PEM", true}, to_sign->key_file);
  sign.text({"file", "the message; - is standard input", true}, to_sign->file);
  sign.runs([to_sign](const auto&) { return run_dkim_sign(*to_sign); });

  const auto verify = dkim.add("verify",
                               "check a message's signatures: one line each, in the header's order",
                               "dkim verify --dns-server 127.0.0.1:53 message.eml");
  auto to_verify = std::make_shared<DkimVerifyOptions>();
  verify.text({"--dns-server", dns_server_help}, to_verify->dns_server);
  verify.text({"file", "the message; - is standard input", true}, to_verify->file);
  verify.runs([to_verify](const auto& common) { return run_dkim_verify(common, *to_verify); });

  declare_dkim_keys(dkim);
}

}  // namespace tapal::app
