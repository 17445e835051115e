// A mail server that takes every message and keeps none: counts them, finds their stamps and says
// what it has seen when a line on standard input asks. One loop, one thread beside it for that
// input.
#include <fstream>
#include <iostream>
#include <iterator>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/traffic/process.h"
#include "bench/traffic/sink_server.h"
#include "bench/traffic/sink_session.h"
#include "bench/traffic/tally.h"
#include "drivers/net/listener.h"
#include "drivers/net/loop.h"
#include "drivers/net/tls.h"

namespace tapal::bench {
namespace {

constexpr std::size_t missing_listed_max = 1000;

struct SinkOptions {
  std::string listen = "127.0.0.1:2525";
  std::string certificate;
  std::string key;
  bool without_chunking = false;
  bool defers = false;
};

std::string contents(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw CLI::FileError(path, CLI::ExitCodes::FileError);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Sink {
 public:
  Sink(const SinkOptions& options, std::unique_ptr<ServerContext> tls) : tls_(std::move(tls)) {
    policy_.starttls_offered = tls_ != nullptr;
    policy_.chunking_offered = !options.without_chunking;
    policy_.defers = options.defers;
    policy_.on_message = [this] { answer_awaited(); };
  }

  Result<void> listen(const std::string& where) {
    const auto at = Endpoint::from_text(where);
    if (!at) return fail(Code::invalid, where + " is no address with a port");
    TAPAL_TRY(auto socket, ListenSocket::tcp(*at));
    say(fmt::format("listening on {}", socket.local().text()));
    std::vector<AcceptTarget> targets;
    targets.push_back({&loop_, [this](auto stream) { sessions_.spawn(take(std::move(stream))); }});
    listener_ = std::make_unique<Listener>(loop_, std::move(socket), std::move(targets));
    return {};
  }

  void run() {
    std::jthread reader([this] { read_orders(); });
    loop_.run();
  }

 private:
  static void say(const std::string& line) { std::cout << line << '\n' << std::flush; }

  Task<void> take(std::unique_ptr<Stream> stream) {
    const auto entry = open_.insert(open_.end(), stream.get());
    const SinkServer sink{loop_, policy_, tls_.get(), tally_};
    co_await serve(sink, *stream);
    stream->close();
    open_.erase(entry);
  }

  void read_orders() {
    for (std::string line; std::getline(std::cin, line);) loop_.post([this, line] { obey(line); });
    loop_.post([this] { end(); });
  }

  void obey(const std::string& line) {
    const auto space = line.find(' ');
    const auto order = line.substr(0, space);
    const auto rest = space == std::string::npos ? "" : line.substr(space + 1);
    if (order == "report") {
      report();
    } else if (order == "last") {
      say(tally_.last_header() + ".\r");
    } else if (order == "reset") {
      tally_ = {};
      awaited_ = 0;
      say("reset");
    } else if (order == "defer") {
      policy_.defers = rest == "on";
      say(line);
    } else if (order == "await") {
      awaited_ = std::strtoull(rest.c_str(), nullptr, 10);
      answer_awaited();
    } else if (order == "missing") {
      list_missing(std::strtoull(rest.c_str(), nullptr, 10));
    } else {
      say("orders: report, last, reset, defer on|off, await N, missing N; the end of input ends");
    }
  }

  void answer_awaited() {
    if (awaited_ == 0 || tally_.distinct() < awaited_) return;
    awaited_ = 0;
    report();
  }

  void report() {
    say(fmt::format(R"({{"cpu_seconds":{:.3f},{})", processor_seconds(), tally_.json().substr(1)));
  }

  void list_missing(std::uint64_t end) {
    say(fmt::format("[{}]", fmt::join(tally_.ledger().missing(end, missing_listed_max), ",")));
  }

  void end() {
    report();
    listener_->close();
    for (auto* stream : open_) stream->close();
    loop_.stop();
  }

  NetLoop loop_{"sink"};
  std::unique_ptr<ServerContext> tls_;
  SinkPolicy policy_;
  Tally tally_;
  std::unique_ptr<Listener> listener_;
  std::list<Stream*> open_;
  TaskGroup sessions_;
  std::uint64_t awaited_ = 0;  // messages; 0: nobody waits
};

int run(const SinkOptions& options) {
  raise_descriptor_limit();
  std::unique_ptr<ServerContext> tls;
  if (!options.certificate.empty()) {
    const std::vector<ServedCertificate> served{
        {{}, contents(options.certificate), contents(options.key), options.certificate}};
    auto made = ServerContext::make(served, {.tickets = std::make_shared<TicketKeys>()});
    if (!made) return std::cerr << made.error().what << '\n', 1;
    tls = *std::move(made);
  }
  Sink sink(options, std::move(tls));
  if (const auto listening = sink.listen(options.listen); !listening)
    return std::cerr << listening.error().what << '\n', 1;
  sink.run();
  return 0;
}

}  // namespace
}  // namespace tapal::bench

int main(int argc, char** argv) {
  CLI::App app(
      "Takes all mail, keeps none, counts. Orders on standard input, a line each: report, last "
      "(the header that came last, then a line with a dot), reset, defer on|off, await N "
      "(reports when N different messages have come), missing N (of the first N, those that have "
      "not come); the end of input ends it, with a report.");
  tapal::bench::SinkOptions options;
  app.add_option(
      "--listen", options.listen, "address:port; port 0 picks a free one, which is printed");
  auto* certificate = app.add_option(
      "--tls-certificate", options.certificate, "offer STARTTLS with this chain (PEM)");
  auto* key = app.add_option("--tls-key", options.key, "and its key (PEM)");
  certificate->needs(key);
  key->needs(certificate);
  app.add_flag("--without-chunking", options.without_chunking, "do not offer BDAT");
  app.add_flag("--defer", options.defers, "answer 451 to every recipient, until \"defer off\"");
  CLI11_PARSE(app, argc, argv);
  return tapal::bench::run(options);
}
