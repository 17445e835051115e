#include <array>
#include <iostream>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/dkim_check.h"
#include "app/settings.h"
#include "app/signing_keys.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"
#include "drivers/system/clock.h"
#include "protocols/mailauth/dkim_sign.h"
#include "values/text/idna.h"

namespace tapal::app {
namespace {

constexpr std::size_t message_bytes_max = 256UL << 20U;
constexpr std::chrono::days signature_life{7};

int tell(const Error& error) {
  fmt::print(stderr, "tapal: {}\n", error.what);
  return exit_failed;
}

Result<std::string> read_message(const std::string& file) {
  if (file != "-") {
    TAPAL_TRY(const auto bytes, files::read_file(file, message_bytes_max));
    return with_crlf(bytes);
  }
  std::string bytes;
  std::array<char, 65536> piece{};
  while (std::cin.read(piece.data(), piece.size()) || std::cin.gcount() > 0) {
    bytes.append(piece.data(), static_cast<std::size_t>(std::cin.gcount()));
    if (bytes.size() > message_bytes_max) return fail(Code::invalid, "the message is too long");
  }
  return with_crlf(bytes);
}

Result<crypto::PrivateKey> generate(const DkimKeygenOptions& options) {
  if (options.algorithm == "ed25519") return crypto::PrivateKey::generate_ed25519();
  return crypto::PrivateKey::generate_rsa(options.bits);
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

Result<ResolverOptions> resolver_options(const CommonOptions& common,
                                         const std::string& dns_server) {
  ResolverOptions options;
  if (dns_server.empty()) {
    if (const auto settings = load_settings(common.config)) options = settings->resolver;
    return options;
  }
  const auto server = Endpoint::from_text(dns_server);
  if (!server)
    return fail(Code::invalid, dns_server + " is not ADDRESS:PORT, as in 127.0.0.1:53 or [::1]:53");
  options.mode = ResolverOptions::Mode::forward;
  options.servers = {*server};
  options.trust_anchor_file = "";  // the server that was named is believed
  return options;
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

}  // namespace

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
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"signatures", list}}));
    return exit_done;
  }
  for (const auto& result : *results) print(result);
  if (results->empty()) fmt::print("none: the message has no DKIM signature\n");
  return exit_done;
}

}  // namespace tapal::app
