// `tapal filter test`: what the configured filters say of a message.
#include <boost/json.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "app/cli/dns_option.h"
#include "app/cli/message_file.h"
#include "app/cli/program_rights.h"
#include "app/commands/commands.h"
#include "app/settings/settings.h"
#include "drivers/net/http_client.h"
#include "drivers/net/tls.h"
#include "drivers/system/clock.h"
#include "drivers/system/log_sinks.h"
#include "drivers/system/program_runner.h"
#include "drivers/system/worker_pool.h"
#include "ports/memory_body.h"
#include "services/judge/make_judges.h"
#include "values/mail/header.h"

namespace tapal::app {
namespace {

struct FilterTestOptions {
  std::string file;
  std::string peer = "127.0.0.1";
  std::string peer_name;
  std::string helo = "localhost";
  std::string sender;
  std::vector<std::string> recipients;
  std::string user;
  std::string spf_domain;
  std::string dns_server;
};

Result<judge::Mail> mail_of(const FilterTestOptions& options) {
  judge::Mail mail;
  const auto peer = IpAddress::from_text(options.peer);
  if (!peer) return fail(Code::invalid, options.peer + " is not an IP address");
  mail.peer = *peer;
  mail.peer_name = options.peer_name;
  mail.helo = options.helo;
  mail.user = options.user;
  mail.spf_domain = options.spf_domain;
  if (!options.sender.empty()) {
    TAPAL_TRY(mail.return_path, mail::parse_address(options.sender));
  }
  for (const auto& recipient : options.recipients) {
    TAPAL_TRY(auto address, mail::parse_address(recipient));
    mail.recipients.push_back(std::move(address));
  }
  TAPAL_TRY(const auto message, read_message(options.file));
  mail.id = QueueId::make(SystemClock().wall_now(), 0);
  const auto end = mail::header_end(message);
  mail.header = message.substr(0, end ? *end - 2 : message.size());
  mail.body = std::make_shared<MemoryBody>(end ? message.substr(*end) : "");
  return mail;
}

// What the judges reach the world by, but for their loop.
struct Outside {
  const judge::Options& filters;
  Resolver& resolver;
  TlsClient& tls;
  Programs& programs;
  Clock& clock;
  Log& log;
};

Task<judge::Verdict> look(NetLoop& loop, Outside outside, judge::Mail mail) {
  StreamHttpClient http({loop, loop, outside.resolver, outside.tls});
  judge::GreylistMemory greylist(outside.filters.greylist);
  const judge::World world{loop,
                           loop,
                           outside.clock,
                           outside.log,
                           outside.resolver,
                           http,
                           outside.programs,
                           greylist,
                           nullptr};
  const auto judges = judge::make_judges(outside.filters, world);
  co_return co_await judges->look_at(std::move(mail));
}

Result<judge::Verdict> judge_mail(const CommonOptions& common,
                                  const FilterTestOptions& options,
                                  const Settings& settings) {
  TAPAL_TRY(auto mail, mail_of(options));
  TAPAL_TRY(auto asked, resolver_options(common, options.dns_server));
  TAPAL_TRY(const auto resolver, UnboundResolver::open(std::move(asked)));
  TAPAL_TRY(const auto tls, ClientContext::make({.trusted_ca_file = settings.tls.trusted_ca_file}));
  SystemClock clock;
  TextLog log(STDERR_FILENO, clock, Level::warning, LineStart::no_time);
  WorkerPool workers(WorkerPoolOptions{.threads = 1, .name = "program"});
  TAPAL_TRY(auto rights, program_rights(settings.programs.user, ::geteuid()));
  ProgramRunner programs(workers, std::move(rights));
  const Outside outside{settings.filters, *resolver, *tls, programs, clock, log};
  return run_once<judge::Verdict>(
      [&](NetLoop& loop) { return look(loop, outside, std::move(mail)); });
}

boost::json::object to_json(const judge::Verdict& verdict) {
  boost::json::array recipients;
  for (const auto& recipient : verdict.mail.recipients) recipients.emplace_back(recipient.text());
  const auto& return_path = verdict.mail.return_path;
  return {{"action", judge::action_text(verdict.action)},
          {"by", verdict.by},
          {"reason", verdict.reason},
          {"reply", verdict.reply.code == 0 ? "" : smtp::one_line(verdict.reply)},
          {"header", verdict.mail.header},
          {"header_changed", verdict.header_changed},
          {"body_changed", verdict.body_changed},
          {"sender", return_path ? return_path->text() : ""},
          {"recipients", std::move(recipients)}};
}

void print_text(const judge::Verdict& verdict) {
  fmt::print("{}\n", judge::action_text(verdict.action));
  if (!verdict.by.empty()) fmt::print("by: {}\n", verdict.by);
  if (!verdict.reason.empty()) fmt::print("reason: {}\n", verdict.reason);
  if (verdict.reply.code != 0) fmt::print("reply: {}\n", smtp::one_line(verdict.reply));
  if (verdict.body_changed) fmt::print("the body is changed\n");
  if (verdict.envelope_changed) fmt::print("sender or recipients are changed\n");
  if (verdict.header_changed) fmt::print("the header becomes:\n{}", verdict.mail.header);
}

int run_filter_test(const CommonOptions& common, const FilterTestOptions& options) {
  const auto settings = load_settings(common.config);
  if (!settings) return tell(settings.error());
  const auto verdict = judge_mail(common, options, *settings);
  if (!verdict) return tell(verdict.error());
  if (common.output == Output::json)
    print_json(to_json(*verdict));
  else
    print_text(*verdict);
  return exit_done;
}

}  // namespace

void declare_filter(const Command& tapal) {
  const auto group = tapal.add_group("filter",
                                     "the filters that judge incoming mail",
                                     "filter test mail.eml --to ann@example.org");
  const auto test = group.add("test",
                              "what the configured filters say of a message",
                              "filter test mail.eml --peer 192.0.2.1 --to ann@example.org");
  auto options = std::make_shared<FilterTestOptions>();
  test.text({"file", "the message; - is standard input", true}, options->file);
  test.text({"--peer", "the client's address"}, options->peer);
  test.text({"--peer-name", "its name by DNS"}, options->peer_name);
  test.text({"--helo", "the name it says"}, options->helo);
  test.text({"--from", "the envelope's sender; default: none, <>"}, options->sender);
  test.texts({"--to", "the envelope's recipients"}, options->recipients);
  test.text({"--user", "who logged in; default: nobody"}, options->user);
  test.text({"--spf-domain", "the domain that SPF vouches for"}, options->spf_domain);
  test.text({"--dns-server", dns_server_help}, options->dns_server);
  test.runs([options](const CommonOptions& common) { return run_filter_test(common, *options); });
}

}  // namespace tapal::app
