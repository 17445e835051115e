#include <cstdint>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/cli/dns_option.h"
#include "app/cli/message_file.h"
#include "app/commands/commands.h"
#include "drivers/files/files.h"
#include "drivers/system/clock.h"
#include "protocols/mailauth/arc_results.h"
#include "protocols/mailauth/arc_seal.h"
#include "protocols/mailauth/arc_verify.h"
#include "values/mail/header.h"
#include "values/text/ascii.h"
#include "values/text/idna.h"

namespace tapal::app {
namespace {

struct ArcVerifyOptions {
  std::string dns_server;
  std::string file;
};
struct ArcSealOptions {
  std::string domain;
  std::string selector;
  std::string key_file;
  std::string authserv_id;
  std::string headers;             // empty: the usual ones
  std::int64_t time_seconds = -1;  // since 1970; negative: now
  std::string dns_server;
  std::string file;
};

struct Message {
  std::string text;
  std::size_t header_bytes = 0;

  std::string_view header() const { return std::string_view(text).substr(0, header_bytes); }
  std::string_view body() const { return std::string_view(text).substr(header_bytes); }
};

Result<Message> read(const std::string& file) {
  TAPAL_TRY(auto text, read_message(file));
  const auto end = mail::header_end(text).value_or(text.size());
  return Message{std::move(text), end};
}

Result<mailauth::ArcResult> verify(const CommonOptions& common,
                                   const std::string& dns_server,
                                   const Message& message) {
  mailauth::SignedMessage signed_message(message.header());
  const mailauth::ArcVerifier verifier(signed_message);
  signed_message.on_body(message.body());
  TAPAL_CHECK(answer_from_dns(common, dns_server, signed_message));
  return verifier.result(SystemClock().wall_now());
}

boost::json::object to_json(const mailauth::ArcResult& result) {
  boost::json::array sets;
  for (const auto& hop : result.hops) {
    sets.push_back({{"instance", hop.instance},
                    {"domain", hop.domain},
                    {"selector", hop.selector},
                    {"cv", mailauth::arc_status_text(hop.chain)},
                    {"results", hop.results}});
  }
  return {{"result", mailauth::arc_status_text(result.status)},
          {"reason", result.reason},
          {"oldest_pass", result.oldest_pass},
          {"sets", std::move(sets)}};
}

int run_arc_verify(const CommonOptions& common, const ArcVerifyOptions& options) {
  const auto message = read(options.file);
  if (!message) return tell(message.error());
  const auto result = verify(common, options.dns_server, *message);
  if (!result) return tell(result.error());
  if (common.output == Output::json) {
    print_json(to_json(*result));
    return exit_done;
  }
  fmt::print("{}\n", mailauth::arc_status_text(result->status));
  if (!result->reason.empty()) fmt::print("reason: {}\n", result->reason);
  if (result->oldest_pass > 0) fmt::print("oldest-pass={}\n", result->oldest_pass);
  for (const auto& hop : result->hops) {
    fmt::print("i={} domain={} selector={} cv={} results: {}\n",
               hop.instance,
               hop.domain,
               hop.selector,
               mailauth::arc_status_text(hop.chain),
               hop.results);
  }
  return exit_done;
}

std::vector<std::string> field_names(const std::string& list) {
  std::vector<std::string> names;
  if (list.empty()) return names;
  for (const auto name : text::split(list, ':')) names.emplace_back(name);
  return names;
}

Result<std::string> seal(const CommonOptions& common, const ArcSealOptions& options) {
  TAPAL_TRY(const auto pem, files::read_file(options.key_file));
  TAPAL_TRY(auto key, crypto::PrivateKey::from_pem(pem));
  TAPAL_TRY(const auto domain, text::domain_to_ascii(options.domain));
  TAPAL_TRY(const auto message, read(options.file));
  const auto fields = mailauth::split_header_block(message.header());
  auto own = mailauth::own_results(fields, options.authserv_id);
  if (!own) {
    return fail(Code::not_found,
                fmt::format("the message has no Authentication-Results of {}: there is nothing to "
                            "seal; is --authserv-id right?",
                            text::printable(options.authserv_id, 80)));
  }
  TAPAL_TRY(const auto verified, verify(common, options.dns_server, message));
  const mailauth::DkimSigner signer{
      domain, options.selector, std::make_shared<const crypto::PrivateKey>(std::move(key))};
  mailauth::DkimBodyHasher hasher;
  hasher.update(message.body());
  const mailauth::ArcSealing sealing{
      .chain = mailauth::chain_at_arrival(*own, verified.status),
      .results = std::move(own->payload),
      .signed_fields = field_names(options.headers),
      .now = options.time_seconds < 0 ? SystemClock().wall_now()
                                      : WallTime(std::chrono::seconds(options.time_seconds))};
  TAPAL_TRY(auto set, mailauth::arc_seal(signer, message.header(), hasher.finish(), sealing));
  return set + message.text;
}

int run_arc_seal(const CommonOptions& common, const ArcSealOptions& options) {
  const auto sealed = seal(common, options);
  if (!sealed) return tell(sealed.error());
  fmt::print("{}", *sealed);
  return exit_done;
}

}  // namespace

void declare_arc(const Command& tapal) {
  const auto arc = tapal.add_group("arc", "ARC chains of forwarded mail", "arc verify message.eml");
  const auto verify = arc.add("verify",
                              "check a message's ARC chain: none, pass or fail, then why",
                              "arc verify --dns-server 127.0.0.1:53 message.eml");
  auto to_verify = std::make_shared<ArcVerifyOptions>();
  verify.text({"--dns-server", dns_server_help}, to_verify->dns_server);
  verify.text({"file", "the message; - is standard input", true}, to_verify->file);
  verify.runs([to_verify](const auto& common) { return run_arc_verify(common, *to_verify); });

  const auto seal = arc.add(
      "seal",
      "add an ARC set of the message's own Authentication-Results; the message goes to standard "
      "output",
      "arc seal --domain example.com --selector s1 --key s1.pem --authserv-id mx.example.com "
      "message.eml");
  auto to_seal = std::make_shared<ArcSealOptions>();
  seal.text({"--domain", "d=", true}, to_seal->domain);
  seal.text({"--selector", "s=", true}, to_seal->selector);
  seal.text({"--key", "private key, PEM", true}, to_seal->key_file);
  seal.text({"--authserv-id", "whose Authentication-Results fields are sealed", true},
            to_seal->authserv_id);
  seal.text({"--headers", "h=, names with \":\" between them; default: the usual ones"},
            to_seal->headers);
  seal.number({"--time", "t=, seconds since 1970; default: now"}, {}, to_seal->time_seconds);
  seal.text({"--dns-server", dns_server_help}, to_seal->dns_server);
  seal.text({"file", "the message; - is standard input", true}, to_seal->file);
  seal.runs([to_seal](const auto& common) { return run_arc_seal(common, *to_seal); });
}

}  // namespace tapal::app
