#include <fmt/format.h>

#include "app/commands.h"
#include "app/mail_client.h"
#include "app/once.h"
#include "drivers/net/addresses.h"
#include "values/text/ascii.h"

namespace tapal::app {
namespace {

constexpr std::uint16_t submissions_port = 465;  // RFC 8314 section 3.3

struct Server {
  std::string host;
  std::uint16_t port = submissions_port;
};

Result<Server> parse_server(std::string_view text) {
  if (const auto endpoint = Endpoint::from_text(text))
    return Server{endpoint->address.text(), endpoint->port};
  if (const auto address = IpAddress::from_text(text)) return Server{address->text()};
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return Server{std::string(text)};
  const auto port = text::to_number<std::uint16_t>(text.substr(colon + 1));
  if (!port) return fail(Code::invalid, fmt::format("{} is not HOST or HOST:PORT", text));
  return Server{std::string(text.substr(0, colon)), *port};
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
  if (options.certificate == SendOptions::Certificate::any)
    submission.certificate = Submission::Certificate::any;
  submission.trusted_ca_file = options.ca_file;
  submission.user = options.user;
  submission.password = options.password;
  submission.message = compose_message(message);
  submission.from = std::move(from);
  submission.to = {std::move(to)};
  submission.show = [](const std::string& line) { fmt::print(stderr, "{}\n", line); };
  return submission;
}

}  // namespace

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

}  // namespace tapal::app
