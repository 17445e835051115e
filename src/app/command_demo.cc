#include <csignal>
#include <cstdio>
#include <thread>

#include <fmt/format.h>

#include "app/commands.h"
#include "app/demo_sandbox.h"
#include "app/dkim_check.h"
#include "app/mail_client.h"
#include "app/once.h"
#include "drivers/files/files.h"

namespace tapal::app {
namespace {

constexpr std::chrono::seconds delivery_patience{30};
constexpr std::chrono::milliseconds look_every{5};

void show(const std::string& line) {
  fmt::print("  {}\n", line);
  std::fflush(stdout);
}

void stage(int number, std::string_view text) {
  fmt::print("\n{}  {}\n", number, text);
  std::fflush(stdout);
}

Submission submission_of(const DemoSandbox& sandbox) {
  const auto from = mail::parse_address(demo_sender).value();
  const auto to = mail::parse_address(demo_recipient).value();
  const NewMessage message{.from = from,
                           .to = to,
                           .subject = "Grüße, \u0d24\u0d2a\u0d3e\u0d7d, 你好",
                           .text = "A message with an attachment and a subject beyond ASCII.\r\n",
                           .file_name = "postkarte-ü.txt",
                           .file_bytes = std::string(3000, 'x')};
  return {.host = "mail.sender.example",
          .server = sandbox.submissions(),
          .tls = delivery::TlsMode::implicit,
          .trusted_ca_file = sandbox.sender_certificate().string(),
          .user = std::string(demo_sender),
          .password = sandbox.password(),
          .from = from,
          .to = {to},
          .message = compose_message(message),
          .show = show};
}

// The message as it lies in the mailbox, with CRLF line ends.
Result<std::string> await_message(const std::filesystem::path& mailbox) {
  const auto end = std::chrono::steady_clock::now() + delivery_patience;
  while (std::chrono::steady_clock::now() < end) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(mailbox / "new", error)) {
      TAPAL_TRY(const auto text, files::read_file(entry.path()));
      return with_crlf(text);
    }
    std::this_thread::sleep_for(look_every);
  }
  return fail(Code::timed_out, "the message did not arrive in time");
}

// What lies above our signature was added on the way in; below it is what was signed.
std::string_view as_sent(std::string_view message) {
  const auto signature = message.find("DKIM-Signature:");
  return signature == std::string_view::npos ? message : message.substr(signature);
}

struct Proof {
  std::string tls;
  std::string dkim;
  std::string relay;
  std::string queue_id;
  std::chrono::milliseconds took{0};

  bool tls_holds() const { return tls.starts_with("TLSv1.3") || tls.starts_with("TLSv1.2"); }
  bool dkim_holds() const { return dkim.starts_with("pass"); }
  bool ipv6_holds() const { return relay.find("[::1]") != std::string::npos; }
  bool holds() const { return tls_holds() && dkim_holds() && ipv6_holds() && !queue_id.empty(); }
};

void print_row(std::string_view what, bool holds, std::string_view value) {
  fmt::print("  {:<16} {:<5} {}\n", what, holds ? "yes" : "NO", value);
}

void print_proof(const Proof& proof) {
  fmt::print("\nWhat \"show original\" would say\n");
  print_row("TLS", proof.tls_holds(), proof.tls.empty() ? "none" : proof.tls);
  print_row("DKIM", proof.dkim_holds(), proof.dkim);
  print_row("IPv6", proof.ipv6_holds(), proof.relay);
  print_row("queue id", !proof.queue_id.empty(), proof.queue_id);
  print_row(
      "delivered in", true, fmt::format("{} ms from submission to mailbox", proof.took.count()));
  fmt::print("\n{}\n", proof.holds() ? "All of it holds." : "Not all of it holds.");
}

Result<std::string> dkim_result(const DemoSandbox& sandbox, std::string_view message) {
  ResolverOptions options;
  options.mode = ResolverOptions::Mode::forward;
  options.servers = {sandbox.dns()};
  options.trust_anchor_file = "";
  TAPAL_TRY(const auto results, check_dkim(as_sent(message), std::move(options)));
  if (results.empty()) return std::string("none");
  const auto& first = results.front();
  return fmt::format("{} {} {} {} bits{}",
                     mailauth::dkim_verdict_text(first.verdict),
                     first.domain,
                     first.algorithm,
                     first.key_bits,
                     first.reason.empty() ? "" : ": " + first.reason);
}

Result<Proof> prove(const DemoSandbox& sandbox) {
  stage(2, "a mail program submits a message over TLS with a password");
  const auto begin = std::chrono::steady_clock::now();
  auto submission = submission_of(sandbox);
  auto sent = run_once<Result<Submitted>>(
      [&](NetLoop& loop) { return submit(loop, std::move(submission)); });
  if (!sent) return std::unexpected(std::move(sent).error());
  TAPAL_TRY(const auto message, await_message(sandbox.mailbox()));
  Proof proof;
  proof.took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  stage(3, "the message lies in the mailbox; its signature is checked against DNS");
  TAPAL_TRY(proof.dkim, dkim_result(sandbox, message));
  // The log line of the delivery may come a moment after the message.
  for (auto left = delivery_patience; left.count() > 0 && proof.queue_id.empty();
       left -= std::chrono::seconds(1)) {
    proof.queue_id = sandbox.sender_log().last("message delivered", "queue_id");
    if (proof.queue_id.empty()) std::this_thread::sleep_for(look_every);
  }
  proof.tls = sandbox.sender_log().last("message delivered", "tls");
  proof.relay = sandbox.sender_log().last("message delivered", "relay");
  return proof;
}

void keep_running(const DemoSandbox& sandbox) {
  fmt::print(
      "\nThe sandbox keeps running; Ctrl-C ends it and removes {}.\n"
      "  submit (TLS):       {}\n  submit (STARTTLS):  {}\n  the receiving side: {}\n  DNS:        "
      "        {}\n"
      "  user {} password {}\n\n"
      "  pass={} tapal send --insecure --user {} --to {} --smtp '{}'\n"
      "  tapal --config {} queue list\n",
      sandbox.folder().string(),
      sandbox.submissions().text(),
      sandbox.submission().text(),
      sandbox.inbox().text(),
      sandbox.dns().text(),
      demo_sender,
      sandbox.password(),
      sandbox.password(),
      demo_sender,
      demo_recipient,
      sandbox.submissions().text(),
      (sandbox.folder() / "sender.example" / "config").string());
  std::fflush(stdout);
  sigset_t set{};
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  int number = 0;
  sigwait(&set, &number);
}

}  // namespace

int run_demo(const DemoOptions& options) {
  // Blocked in every thread, so that the sandbox is always cleared away.
  sigset_t set{};
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  if (options.keep) pthread_sigmask(SIG_BLOCK, &set, nullptr);

  stage(1, "a DNS server, a sending tapal for sender.example, a receiving one for inbox.example");
  const auto sandbox = DemoSandbox::start(show);
  if (!sandbox) {
    fmt::print(stderr, "tapal: the sandbox does not start: {}\n", sandbox.error().what);
    return exit_failed;
  }
  const auto proof = prove(**sandbox);
  if (!proof) {
    fmt::print(stderr, "tapal: the message did not travel: {}\n", proof.error().what);
    return exit_failed;
  }
  print_proof(*proof);
  if (options.keep) keep_running(**sandbox);
  return proof->holds() ? exit_done : exit_failed;
}

}  // namespace tapal::app
