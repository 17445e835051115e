#include <fmt/format.h>

#include "app/cli/once.h"
#include "app/commands/commands.h"
#include "app/mail/mail_client.h"
#include "drivers/files/files.h"
#include "drivers/net/addresses.h"
#include "values/text/ascii.h"

namespace tapal::app {
namespace {

struct SendOptions {
  std::string user;
  std::string password;
  std::string password_file;
  std::string to;
  std::string from;  // empty: the user
  std::string smtp;  // HOST or HOST:PORT; port 465 is TLS from the first byte, others STARTTLS
  std::string subject;
  std::string ca_file;           // trusted in place of the system's
  bool any_certificate = false;  // for a self-signed one in tests
};

constexpr std::uint16_t submissions_port = 465;  // RFC 8314 section 3.3

struct ServerPlace {
  std::string host;
  std::uint16_t port = submissions_port;
};

Result<ServerPlace> parse_server(std::string_view text) {
  if (const auto endpoint = Endpoint::from_text(text))
    return ServerPlace{endpoint->address.text(), endpoint->port};
  if (const auto address = IpAddress::from_text(text)) return ServerPlace{address->text()};
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return ServerPlace{std::string(text)};
  const auto port = text::to_number<std::uint16_t>(text.substr(colon + 1));
  if (!port) return fail(Code::invalid, fmt::format("{} is not HOST or HOST:PORT", text));
  return ServerPlace{std::string(text.substr(0, colon)), *port};
}

Result<Submission> plan(const SendOptions& options) {
  if (options.user.empty())
    return fail(Code::invalid, "--user (or the environment variable `user`) is missing");
  if (options.password.empty())
    return fail(
        Code::invalid,
        "the password is missing: --pass, --password-file or the environment variable `pass`");
  if (options.to.empty())
    return fail(Code::invalid, "--to (or the environment variable `to`) is missing");
  TAPAL_TRY(auto from, mail::parse_address(options.from.empty() ? options.user : options.from));
  TAPAL_TRY(auto to, mail::parse_address(options.to));
  TAPAL_TRY(const auto server, parse_server(options.smtp.empty() ? from.domain : options.smtp));
  TAPAL_TRY(const auto addresses, addresses_of(server.host));

  const NewMessage message{
      .from = from,
      .to = to,
      .subject = options.subject.empty() ? "A test from tapal" : options.subject,
      .text = "This message was sent by `tapal send`.\r\n"};
  Submission submission{.host = server.host, .server = {addresses.front(), server.port}};
  submission.tls =
      server.port == submissions_port ? delivery::TlsMode::implicit : delivery::TlsMode::required;
  if (options.any_certificate) submission.certificate = Submission::Certificate::any;
  submission.trusted_ca_file = options.ca_file;
  submission.user = options.user;
  submission.password = options.password;
  submission.message = compose_message(message);
  submission.from = std::move(from);
  submission.to = {std::move(to)};
  submission.show = [](const std::string& line) { fmt::print(stderr, "{}\n", line); };
  return submission;
}

int run_send(const CommonOptions& common, const SendOptions& options) {
  auto submission = plan(options);
  if (!submission) {
    fmt::print(stderr, "tapal: {}\n", submission.error().what);
    return exit_usage;
  }
  if (common.output == Output::json) submission->show = [](const std::string&) {};
  const auto sent = run_once<Result<Submitted>>(
      [&submission](NetLoop& loop) { return submit(loop, *std::move(submission)); });
  if (!sent) {
    fmt::print(stderr, "tapal: not sent: {}\n", sent.error().what);
    if (sent.error().what.contains("certificate verify failed"))
      fmt::print(stderr, "--ca-file FILE trusts that certificate, --insecure takes any\n");
    return exit_failed;
  }
  if (common.output == Output::json)
    fmt::print("{{\"sent\":true}}\n");
  else
    fmt::print("sent: {}\n", sent->reply);
  return exit_done;
}

}  // namespace

void declare_send(const Command& tapal) {
  const auto send =
      tapal.add("send",
                "send a test mail and show the talk; the environment variables user, pass, to, "
                "smtp and subject work too",
                "send --user ann@example.com --password-file secret.txt --to bob@example.net "
                "--smtp mail.example.com");
  auto options = std::make_shared<SendOptions>();
  send.text({"--user", "log in as; also the sender", false, "user"}, options->user);
  send.text({"--pass",
             "the password; others can read it in the process list: better in the environment or "
             "a file",
             false,
             "pass"},
            options->password);
  send.text({"--password-file", "read the password from FILE's first line"},
            options->password_file);
  send.text({"--to", "recipient", false, "to"}, options->to);
  send.text({"--from", "sender, where it is not the user"}, options->from);
  send.text({"--smtp", "HOST or HOST:PORT; default port 465", false, "smtp"}, options->smtp);
  send.text({"--subject", "of the message", false, "subject"}, options->subject);
  send.text({"--ca-file", "trust these certificates in place of the system's"}, options->ca_file);
  send.flag({"--insecure", "take any certificate: for a self-signed one in tests"},
            options->any_certificate);
  send.runs([options](const auto& common) {
    if (!options->password_file.empty()) {
      const auto text = files::read_file(options->password_file, 4096);
      if (text) options->password = text->substr(0, text->find_first_of("\r\n"));
    }
    return run_send(common, *options);
  });
}

}  // namespace tapal::app
