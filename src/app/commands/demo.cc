#include <algorithm>
#include <csignal>
#include <cstdio>
#include <thread>

#include <fmt/format.h>

#include "app/cli/message_file.h"
#include "app/cli/once.h"
#include "app/commands/commands.h"
#include "app/commands/demo_sandbox.h"
#include "app/mail/dkim_check.h"
#include "app/mail/mail_client.h"
#include "drivers/files/files.h"
#include "protocols/mailauth/authentication_results.h"
#include "values/mail/header.h"

namespace tapal::app {
namespace {

struct DemoOptions {
  bool keep = false;
};

constexpr std::chrono::seconds delivery_patience{30};
constexpr std::chrono::milliseconds look_every{5};

void show_line(const std::string& line) {
  fmt::print("  {}\n", line);
  std::fflush(stdout);
}

void stage(int number, std::string_view text) {
  fmt::print("\n{}  {}\n", number, text);
  std::fflush(stdout);
}

// The server that takes a message in.
struct Door {
  std::string host;
  Endpoint server;
  std::filesystem::path certificate;
};

Submission submission_by(Door door, const NewMessage& message, const std::string& password) {
  return {.host = std::move(door.host),
          .server = door.server,
          .tls = delivery::TlsMode::implicit,
          .trusted_ca_file = door.certificate.string(),
          .user = message.from.text(),
          .password = password,
          .from = message.from,
          .to = {message.to},
          .message = compose_message(message),
          .show = show_line};
}

Submission first_submission(const DemoSandbox& sandbox) {
  const NewMessage message{.from = mail::parse_address(demo_sender).value(),
                           .to = mail::parse_address(demo_recipient).value(),
                           .subject = "Grüße, \u0d24\u0d2a\u0d3e\u0d7d, 你好",
                           .text = "A message with an attachment and a subject beyond ASCII.\r\n",
                           .file_name = "postkarte-ü.txt",
                           .file_bytes = std::string(3000, 'x')};
  return submission_by({"mail.sender.example", sandbox.submissions(), sandbox.sender_certificate()},
                       message,
                       sandbox.password());
}

// The second act: somebody writes to an address that nobody ever made.
Submission friends_submission(const DemoSandbox& sandbox) {
  const NewMessage message{.from = mail::parse_address(demo_friend).value(),
                           .to = mail::parse_address(demo_alias).value(),
                           .subject = "to be forwarded",
                           .text = "A message to an address that leads elsewhere.\r\n"};
  return submission_by(
      {"mail.friend.example", sandbox.friend_submissions(), sandbox.friend_certificate()},
      message,
      sandbox.password());
}

// The message from `author` as it lies in the mailbox, with CRLF line ends.
Result<std::string> await_message(const std::filesystem::path& mailbox, std::string_view author) {
  const auto from = fmt::format("From: {}\r\n", author);
  const auto end = std::chrono::steady_clock::now() + delivery_patience;
  while (std::chrono::steady_clock::now() < end) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(mailbox / "new", error)) {
      TAPAL_TRY(const auto bytes, files::read_file(entry.path()));
      auto text = with_crlf(bytes);
      if (text.contains(from)) return text;
    }
    std::this_thread::sleep_for(look_every);
  }
  return fail(Code::timed_out, "the message did not arrive in time");
}

// What the receiving server found, as its Authentication-Results field says: "pass friend.example".
std::string found_by_receiver(std::string_view message, std::string_view method) {
  const auto fields = mail::HeaderFields::parse(message);
  const auto* field = fields ? fields->find("Authentication-Results") : nullptr;
  if (field == nullptr) return "not checked";
  const auto results = mailauth::parse_authentication_results(field->body);
  if (!results) return results.error().what;
  const auto found = std::ranges::find(results->methods, method, &mailauth::AuthMethod::method);
  if (found == results->methods.end()) return "not checked";
  return fmt::format("{}{}{}",
                     found->result,
                     found->properties.empty() ? "" : " " + found->properties.front().value,
                     found->reason.empty() ? "" : ": " + found->reason);
}

struct Found {
  std::string spf;
  std::string dkim;
  std::string dmarc;
  std::string arc;

  static Found in(std::string_view message) {
    return {found_by_receiver(message, "spf"),
            found_by_receiver(message, "dkim"),
            found_by_receiver(message, "dmarc"),
            found_by_receiver(message, "arc")};
  }
};

// What lies above our signature was added on the way in; below it is what was signed.
std::string_view as_sent(std::string_view message) {
  const auto signature = message.find("DKIM-Signature:");
  return signature == std::string_view::npos ? message : message.substr(signature);
}

bool passes(std::string_view verdict) { return verdict.starts_with("pass"); }

struct Proof {
  Found found;
  Found found_forwarded;
  std::string return_path;  // with which the forwarded message came
  std::string tls;
  std::string dkim;
  std::string relay;
  std::string queue_id;
  std::chrono::milliseconds took{0};

  bool tls_holds() const { return tls.starts_with("TLSv1.3") || tls.starts_with("TLSv1.2"); }
  bool dkim_holds() const { return dkim.starts_with("pass"); }
  bool ipv6_holds() const { return relay.find("[::1]") != std::string::npos; }
  bool forward_holds() const {
    return passes(found_forwarded.spf) && passes(found_forwarded.dkim) &&
           passes(found_forwarded.dmarc) && passes(found_forwarded.arc);
  }
  bool holds() const {
    return tls_holds() && dkim_holds() && ipv6_holds() && !queue_id.empty() && passes(found.spf) &&
           passes(found.dmarc) && forward_holds();
  }
};

void print_row(std::string_view what, bool holds, std::string_view value) {
  fmt::print("  {:<16} {:<5} {}\n", what, holds ? "yes" : "NO", value);
}

void print_proof(const Proof& proof) {
  fmt::print("\nWhat \"show original\" would say\n");
  print_row("TLS", proof.tls_holds(), proof.tls.empty() ? "none" : proof.tls);
  print_row("SPF", passes(proof.found.spf), proof.found.spf);
  print_row("DKIM", proof.dkim_holds(), proof.dkim);
  print_row("DMARC", passes(proof.found.dmarc), proof.found.dmarc);
  print_row("IPv6", proof.ipv6_holds(), proof.relay);
  print_row("queue id", !proof.queue_id.empty(), proof.queue_id);
  print_row(
      "delivered in", true, fmt::format("{} ms from submission to mailbox", proof.took.count()));
  const auto& forwarded = proof.found_forwarded;
  fmt::print("\nAnd of the message to {}, forwarded\n", demo_alias);
  print_row("SPF", passes(forwarded.spf), forwarded.spf);
  print_row("DKIM", passes(forwarded.dkim), forwarded.dkim);
  print_row("DMARC", passes(forwarded.dmarc), forwarded.dmarc);
  print_row("ARC", passes(forwarded.arc), forwarded.arc);
  print_row("return path", proof.return_path.contains("SRS0="), proof.return_path);
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

Result<void> prove_forward(const DemoSandbox& sandbox, Proof& proof) {
  stage(4,
        fmt::format("{} writes to {}, which leads to {}", demo_friend, demo_alias, demo_recipient));
  auto submission = friends_submission(sandbox);
  auto sent = run_once<Result<Submitted>>(
      [&](NetLoop& loop) { return submit(loop, std::move(submission)); });
  if (!sent) return std::unexpected(std::move(sent).error());
  TAPAL_TRY(const auto message, await_message(sandbox.mailbox(), demo_friend));
  proof.found_forwarded = Found::in(message);
  if (const auto fields = mail::HeaderFields::parse(message))
    proof.return_path = fields->body_of("Return-Path");
  return {};
}

Result<Proof> prove(const DemoSandbox& sandbox) {
  stage(2, "a mail program submits a message over TLS with a password");
  const auto begin = std::chrono::steady_clock::now();
  auto submission = first_submission(sandbox);
  auto sent = run_once<Result<Submitted>>(
      [&](NetLoop& loop) { return submit(loop, std::move(submission)); });
  if (!sent) return std::unexpected(std::move(sent).error());
  TAPAL_TRY(const auto message, await_message(sandbox.mailbox(), demo_sender));
  Proof proof;
  proof.found = Found::in(message);
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
  TAPAL_CHECK(prove_forward(sandbox, proof));
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

int run_demo(const DemoOptions& options) {
  // Blocked in every thread, so that the sandbox is always cleared away.
  sigset_t set{};
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  if (options.keep) pthread_sigmask(SIG_BLOCK, &set, nullptr);

  stage(1, "a DNS server, and a tapal each for sender.example, inbox.example and friend.example");
  auto sandbox = DemoSandbox::start(show_line);
  if (!sandbox) {
    fmt::print(stderr, "tapal: the sandbox does not start: {}\n", sandbox.error().what);
    return exit_failed;
  }
  const auto proof = prove(**sandbox);
  if (!proof) {
    fmt::print(stderr, "tapal: the message did not travel: {}\n", proof.error().what);
    return exit_failed;
  }
  if (!options.keep) sandbox->reset();  // its last events come before the table
  print_proof(*proof);
  if (options.keep) keep_running(**sandbox);
  return proof->holds() ? exit_done : exit_failed;
}

}  // namespace

void declare_demo(const Command& tapal) {
  const auto demo = tapal.add("demo", "watch a message travel, on this machine alone", "demo");
  auto options = std::make_shared<DemoOptions>();
  demo.flag({"--keep", "leave the sandbox running and say how to talk to it"}, options->keep);
  demo.runs([options](const auto&) { return run_demo(*options); });
}

}  // namespace tapal::app
