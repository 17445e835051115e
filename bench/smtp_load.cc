// Sends messages to a mail server, as many connections at a time as told, and says how it went; or
// opens connections and holds them (--idle). One loop, one thread.
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/traffic/campaign.h"
#include "bench/traffic/idle_crowd.h"
#include "bench/traffic/process.h"
#include "drivers/net/loop.h"
#include "drivers/net/tls.h"

namespace tapal::bench {
namespace {

struct LoadOptions {
  std::string server = "127.0.0.1:25";
  std::string auth;  // USER:PASSWORD-FILE
  std::vector<std::string> to{"user@sink.example"};
  std::uint64_t domains = 1;
  std::string accepted_file;
  std::string header_file;
  bool prints = false;
  std::size_t idle = 0;
  double retry_pause_ms = 20;
  double give_up_seconds = 600;
  double greeting_patience_seconds = 60;
  bool tls_resumed = false;
  std::string trusted_ca_file;
  CampaignOptions campaign;
};

Duration seconds(double count) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(count));
}

Result<void> read_auth(const std::string& text, SenderOptions& into) {
  if (text.empty()) return {};
  const auto colon = text.find(':');
  if (colon == std::string::npos) return fail(Code::invalid, "--auth wants USER:PASSWORD-FILE");
  std::ifstream file(text.substr(colon + 1));
  if (!std::getline(file, into.password))
    return fail(Code::not_found, "no password in " + text.substr(colon + 1));
  into.user = text.substr(0, colon);
  return {};
}

Result<void> read_fields_in_front(const std::string& path, CampaignOptions& into) {
  if (path.empty()) return {};
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Code::not_found, path + " cannot be read");
  into.fields_in_front.assign(std::istreambuf_iterator<char>(file), {});
  if (into.fields_in_front.ends_with("\r\n")) return {};
  return fail(Code::invalid, path + " wants header fields, each with a CRLF at its end");
}

Task<void> send_all(NetLoop& loop, const LoadOptions& options) {
  std::ofstream accepted;
  std::function<void(std::uint64_t)> note;
  if (!options.accepted_file.empty()) {
    accepted.open(options.accepted_file);
    // Whole lines at once: whoever kills us still finds every yes that came before.
    note = [&](std::uint64_t id) { accepted << id << '\n' << std::flush; };
  }
  Campaign campaign(loop, loop, options.campaign, std::move(note));
  const auto result = co_await campaign.run();
  std::cout << fmt::format(
                   R"({{"cpu_seconds":{:.3f},{})", processor_seconds(), result.json().substr(1))
            << '\n'
            << std::flush;
  loop.stop();
}

class IdleRun {
 public:
  IdleRun(NetLoop& loop, const LoadOptions& options)
      : loop_(loop),
        crowd_(loop,
               loop,
               {.server = options.campaign.server,
                .connections = options.idle,
                .give_up_after = options.campaign.give_up_after,
                .sender = options.campaign.sender}) {}

  // Then holds what it has until standard input ends.
  Task<void> open() {
    const auto began = loop_.now();
    co_await crowd_.open();
    const std::chrono::duration<double> took = loop_.now() - began;
    std::cout << fmt::format(R"({{"established":{},"failed":{},"seconds":{:.3f},"trouble":"{}"}})",
                             crowd_.established(),
                             crowd_.failed(),
                             took.count(),
                             printable(crowd_.first_trouble()))
              << '\n'
              << std::flush;
    input_ = std::jthread([this] {
      for (std::string line; std::getline(std::cin, line);) {
      }
      loop_.post([this] { group_.spawn(end()); });
    });
  }

  TaskGroup& group() { return group_; }

 private:
  Task<void> end() {
    std::cout << fmt::format(R"({{"dropped":{}}})", crowd_.dropped()) << '\n' << std::flush;
    co_await crowd_.close();
    loop_.stop();
  }

  NetLoop& loop_;
  TaskGroup group_;
  IdleCrowd crowd_;
  std::jthread input_;
};

Result<void> run(LoadOptions options) {
  raise_descriptor_limit();
  auto& campaign = options.campaign;
  const auto server = Endpoint::from_text(options.server);
  if (!server) return fail(Code::invalid, options.server + " is no address with a port");
  campaign.server = *server;
  campaign.give_up_after = seconds(options.give_up_seconds);
  campaign.sender.greeting_patience = seconds(options.greeting_patience_seconds);
  campaign.retry_pause = seconds(options.retry_pause_ms / 1000);
  for (auto& to : options.to) campaign.to.push_back({std::move(to), options.domains});
  TAPAL_CHECK(read_auth(options.auth, campaign.sender));
  TAPAL_CHECK(read_fields_in_front(options.header_file, campaign));
  if (options.prints) {
    const auto message = message_of(campaign);
    std::cout << message.bytes().substr(0, message.size());
    return {};
  }
  std::unique_ptr<ClientContext> tls;
  if (campaign.sender.tls != TlsUse::none) {
    TAPAL_TRY(tls, ClientContext::make({.trusted_ca_file = options.trusted_ca_file}));
    campaign.sender.tls_client = tls.get();
    if (options.tls_resumed) campaign.sender.tls_session_key = "load";
  }
  NetLoop loop("load");
  if (options.idle > 0) {
    IdleRun idle(loop, options);
    idle.group().spawn(idle.open());
    loop.run();
  } else {
    TaskGroup group;
    group.spawn(send_all(loop, options));
    loop.run();
  }
  return {};
}

void declare(CLI::App& app, LoadOptions& options) {
  auto& campaign = options.campaign;
  const std::map<std::string, TlsUse> tls{
      {"none", TlsUse::none}, {"starttls", TlsUse::starttls}, {"implicit", TlsUse::implicit}};
  app.add_option("--server", options.server, "address:port");
  app.add_option("--connections", campaign.connections, "connections at a time")
      ->check(CLI::Range(1, 100'000));
  app.add_option("--messages", campaign.messages, "messages in all");
  app.add_option("--size", campaign.message_bytes, "bytes of a message, header included")
      ->check(CLI::Range(0, 1 << 30));
  app.add_option("--messages-per-connection",
                 campaign.messages_per_connection,
                 "1: a new session each; 0: as many as there are");
  app.add_option("--tls", campaign.sender.tls, "none, starttls or implicit")
      ->transform(CLI::CheckedTransformer(tls));
  app.add_flag("--tls-resume", options.tls_resumed, "resume TLS sessions on new connections");
  app.add_option(
      "--tls-ca",
      options.trusted_ca_file,
      "certificates (PEM) to verify with, in place of the system's many; a failure is no "
      "matter");
  app.add_option("--auth", options.auth, "USER:PASSWORD-FILE, for AUTH PLAIN");
  app.add_option("--from", campaign.from, "the sender's address");
  app.add_option(
      "--to",
      options.to,
      "a recipient's address; %d: its domain's number, %m: the message's; may be repeated");
  app.add_option("--domains", options.domains, "how many numbers %d takes")
      ->check(CLI::Range(1, 100'000'000));
  app.add_option("--rate", campaign.rate, "messages/s, whatever the answers (open loop)");
  app.add_option("--first-id", campaign.first_id, "the number of the first message");
  app.add_option("--retry-pause", options.retry_pause_ms, "milliseconds after a 4xx");
  app.add_option("--greeting-patience",
                 options.greeting_patience_seconds,
                 "seconds for a new connection's greeting; then another is made");
  app.add_option("--give-up", options.give_up_seconds, "end after so many seconds");
  app.add_option(
      "--accepted-file", options.accepted_file, "write the numbers of accepted messages");
  app.add_option("--header-file",
                 options.header_file,
                 "header fields (with CRLF) to put in front of each message, beside its size");
  app.add_flag("--print", options.prints, "print a message, to be signed, and send none");
  app.add_option("--idle", options.idle, "open so many connections, say EHLO, hold them");
}

}  // namespace
}  // namespace tapal::bench

int main(int argc, char** argv) {
  CLI::App app("Sends messages to a mail server and prints a line of JSON about it.");
  tapal::bench::LoadOptions options;
  tapal::bench::declare(app, options);
  CLI11_PARSE(app, argc, argv);
  const auto done = tapal::bench::run(std::move(options));
  if (done) return 0;
  std::cerr << "smtp_load: " << done.error().what << '\n';
  return 1;
}
