// argv to commands, by CLI11. Its header is slow to compile: it is included here alone.
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/settings.h"
#include "drivers/files/files.h"

namespace tapal::app {
namespace {

// What the command line says, until it is known which command runs.
struct Chosen {
  std::string config;
  bool json = false;
  std::function<int(const CommonOptions&)> run;

  CommonOptions common() const {
    return {config_folder_path(config), json ? Output::json : Output::text};
  }
};

CLI::App& add(CLI::App& to,
              const std::string& name,
              const std::string& help,
              const std::string& example) {
  auto* command = to.add_subcommand(name, help);
  command->footer("Example:\n  tapal " + example);
  return *command;
}

void add_password(CLI::App& command, const std::shared_ptr<PasswordSource>& source) {
  command.add_option("--password-file",
                     source->file,
                     "read the password from FILE's first line; - is standard input");
}

void add_generate(CLI::App& command, const std::shared_ptr<PasswordSource>& source) {
  command.add_flag_callback(
      "--generate",
      [source] { source->otherwise = PasswordSource::Otherwise::generate; },
      "make a good password and print it");
}

void add_server(CLI::App& app, Chosen& chosen) {
  auto& serve = add(app, "serve", "run the server in the foreground", "serve --config /etc/tapal");
  serve.callback([&chosen] { chosen.run = [](const auto& common) { return run_serve(common); }; });

  auto& demo = add(app, "demo", "watch a message travel, on this machine alone", "demo");
  auto options = std::make_shared<DemoOptions>();
  demo.add_flag("--keep", options->keep, "leave the sandbox running and say how to talk to it");
  demo.callback(
      [&chosen, options] { chosen.run = [options](const auto&) { return run_demo(*options); }; });

  auto& reload =
      add(app, "reload", "make the running server read its configuration again", "reload");
  reload.callback(
      [&chosen] { chosen.run = [](const auto& common) { return run_reload(common); }; });

  auto& version = add(app, "version", "print the version", "version");
  version.callback(
      [&chosen] { chosen.run = [](const auto& common) { return run_version(common); }; });
}

void add_init(CLI::App& app, Chosen& chosen) {
  auto& init = add(app,
                   "init",
                   "make the configuration for a domain",
                   "init example.com --hostname mail.example.com");
  auto options = std::make_shared<InitOptions>();
  init.add_option("domain", options->domain, "the domain that mail is sent from")->required();
  init.add_option("--hostname", options->hostname, "this machine's name; default mail.DOMAIN");
  init.add_option("--user", options->user, "the first user's name; default postmaster");
  init.add_option(
      "--state-folder", options->state_folder, "where the queue is kept; default /var/lib/tapal");
  init.add_option(
      "--password-file", options->password.file, "the first user's password; default: one is made");
  init.callback([&chosen, options] {
    chosen.run = [options](const auto& common) { return run_init(common, *options); };
  });
}

using UserCommand = int (*)(const CommonOptions&, const std::string&, const PasswordSource&);
enum class Generates : std::uint8_t { no, yes };

void add_user_command(
    CLI::App& user, Chosen& chosen, const std::string& name, UserCommand run, Generates generates) {
  const auto help = name == "add"      ? "add a user"
                    : name == "passwd" ? "set a user's password"
                                       : "check a password without a server";
  auto& command =
      add(user, name, help, "user " + name + " ann@example.com --password-file secret.txt");
  auto address = std::make_shared<std::string>();
  auto password = std::make_shared<PasswordSource>();
  command.add_option("address", *address, "the user's whole address")->required();
  add_password(command, password);
  if (generates == Generates::yes) add_generate(command, password);
  command.callback([&chosen, run, address, password] {
    chosen.run = [=](const auto& common) { return run(common, *address, *password); };
  });
}

void add_users(CLI::App& app, Chosen& chosen) {
  auto& user = add(app, "user", "users and their passwords", "user list");
  user.require_subcommand(1);
  add_user_command(user, chosen, "add", &run_user_add, Generates::yes);
  add_user_command(user, chosen, "passwd", &run_user_passwd, Generates::yes);
  add_user_command(user, chosen, "authenticate", &run_user_authenticate, Generates::no);

  auto& del = add(user, "del", "delete a user", "user del ann@example.com");
  auto address = std::make_shared<std::string>();
  del.add_option("address", *address, "the user's whole address")->required();
  del.callback([&chosen, address] {
    chosen.run = [address](const auto& common) { return run_user_del(common, *address); };
  });

  auto& list = add(user, "list", "list users", "user list example.com");
  auto domain = std::make_shared<std::string>();
  list.add_option("domain", *domain, "of this domain only");
  list.callback([&chosen, domain] {
    chosen.run = [domain](const auto& common) { return run_user_list(common, *domain); };
  });
}

void add_dkim_keys(CLI::App& dkim, Chosen& chosen) {
  auto& keygen =
      add(dkim, "keygen", "make a signing key and print its DNS record", "dkim keygen example.com");
  auto made = std::make_shared<DkimKeygenOptions>();
  keygen.add_option("domain", made->domain, "the domain that signs")->required();
  keygen.add_option("--selector", made->selector, "default: tapal and the date");
  keygen.add_option("--algorithm", made->algorithm, "rsa (default) or ed25519")
      ->check(CLI::IsMember({"rsa", "ed25519"}));
  keygen.add_option("--bits", made->bits, "of an RSA key; default 2048")
      ->check(CLI::Range(1024, 8192));
  keygen.callback([&chosen, made] {
    chosen.run = [made](const auto& common) { return run_dkim_keygen(common, *made); };
  });

  auto& dns = add(dkim, "dns", "print the DNS records of a domain's keys", "dkim dns example.com");
  auto domain = std::make_shared<std::string>();
  dns.add_option("domain", *domain, "the domain that signs")->required();
  dns.callback([&chosen, domain] {
    chosen.run = [domain](const auto& common) { return run_dkim_dns(common, *domain); };
  });
}

void add_dkim(CLI::App& app, Chosen& chosen) {
  auto& dkim = add(app, "dkim", "DKIM keys and signatures", "dkim verify message.eml");
  dkim.require_subcommand(1);
  add_dkim_keys(dkim, chosen);

  auto& sign = add(dkim,
                   "sign",
                   "sign a message file; the signed message goes to standard output",
                   "dkim sign --domain example.com --selector s1 --key s1.pem message.eml");
  auto to_sign = std::make_shared<DkimSignOptions>();
  sign.add_option("--domain", to_sign->domain, "d=")->required();
  sign.add_option("--selector", to_sign->selector, "s=")->required();
  sign.add_option("--key", to_sign->key_file, "private key, PEM")->required();
  sign.add_option("file", to_sign->file, "the message; - is standard input")->required();
  sign.callback([&chosen, to_sign] {
    chosen.run = [to_sign](const auto&) { return run_dkim_sign(*to_sign); };
  });

  auto& verify = add(dkim,
                     "verify",
                     "check a message's signatures: one line each, in the header's order",
                     "dkim verify --dns-server 127.0.0.1:53 message.eml");
  auto to_verify = std::make_shared<DkimVerifyOptions>();
  verify.add_option("--dns-server", to_verify->dns_server, "ask this server: ADDRESS:PORT");
  verify.add_option("file", to_verify->file, "the message; - is standard input")->required();
  verify.callback([&chosen, to_verify] {
    chosen.run = [to_verify](const auto& common) { return run_dkim_verify(common, *to_verify); };
  });
}

void add_send(CLI::App& app, Chosen& chosen) {
  auto& send = add(app,
                   "send",
                   "send a test mail and show the talk; the environment variables user, pass, to, "
                   "smtp and subject "
                   "work too",
                   "send --user ann@example.com --password-file secret.txt --to bob@example.net "
                   "--smtp mail.example.com");
  auto options = std::make_shared<SendOptions>();
  auto password_file = std::make_shared<std::string>();
  auto any_certificate = std::make_shared<bool>(false);
  send.add_option("--user", options->user, "log in as; also the sender")->envname("user");
  send.add_option("--pass",
                  options->password,
                  "the password; others can read it in the process list: better in the "
                  "environment or a file")
      ->envname("pass");
  send.add_option("--password-file", *password_file, "read the password from FILE's first line");
  send.add_option("--to", options->to, "recipient")->envname("to");
  send.add_option("--from", options->from, "sender, where it is not the user");
  send.add_option("--smtp", options->smtp, "HOST or HOST:PORT; default port 465")->envname("smtp");
  send.add_option("--subject", options->subject)->envname("subject");
  send.add_option(
      "--ca-file", options->ca_file, "trust these certificates in place of the system's");
  send.add_flag(
      "--insecure", *any_certificate, "take any certificate: for a self-signed one in tests");
  send.callback([&chosen, options, password_file, any_certificate] {
    chosen.run = [=](const CommonOptions& common) {
      if (*any_certificate) options->certificate = SendOptions::Certificate::any;
      if (!password_file->empty()) {
        const auto text = files::read_file(*password_file, 4096);
        if (text) options->password = text->substr(0, text->find_first_of("\r\n"));
      }
      return run_send(common, *options);
    };
  });
}

void add_queue(CLI::App& app, Chosen& chosen) {
  auto& queue = add(app, "queue", "what waits to be delivered", "queue list");
  queue.require_subcommand(1);
  auto& list = add(queue, "list", "list messages, oldest first", "queue list --limit 20");
  auto limit = std::make_shared<std::int64_t>(1000);
  list.add_option("--limit", *limit, "at most this many; default 1000")
      ->check(CLI::NonNegativeNumber);
  list.callback([&chosen, limit] {
    chosen.run = [limit](const auto& common) { return run_queue_list(common, *limit); };
  });

  auto& show = add(queue, "show", "everything about one message", "queue show 01ABCDEFGHJKM");
  auto shown = std::make_shared<std::string>();
  show.add_option("id", *shown, "its queue id")->required();
  show.callback([&chosen, shown] {
    chosen.run = [shown](const auto& common) { return run_queue_show(common, *shown); };
  });

  for (const auto& [order, help] : {std::pair{"retry", "try again now"},
                                    std::pair{"hold", "keep back until released"},
                                    std::pair{"release", "let a held message go on"},
                                    std::pair{"drop", "remove a message; nobody is told"}}) {
    auto& command = add(queue, order, help, fmt::format("queue {} 01ABCDEFGHJKM", order));
    auto id = std::make_shared<std::string>();
    command.add_option("id", *id, "its queue id, or: all")->required();
    command.callback([&chosen, id, name = std::string(order)] {
      chosen.run = [id, name](const auto& common) { return run_queue_order(common, name, *id); };
    });
  }

  auto& why = add(app, "why", "why a message waits, in one paragraph", "why ann@example.com");
  auto what = std::make_shared<std::string>();
  why.add_option("what", *what, "a queue id, or an address of a sender or recipient")->required();
  why.callback([&chosen, what] {
    chosen.run = [what](const auto& common) { return run_why(common, *what); };
  });
}

void add_config(CLI::App& app, Chosen& chosen) {
  auto& config = add(app, "config", "the configuration", "config check");
  config.require_subcommand(1);
  auto& check = add(config,
                    "check",
                    "look for errors in the configuration folder",
                    "config check --config /etc/tapal");
  check.callback(
      [&chosen] { chosen.run = [](const auto& common) { return run_config_check(common); }; });
  auto& reference = add(config, "reference", "print every setting as Markdown", "config reference");
  reference.callback(
      [&chosen] { chosen.run = [](const auto&) { return run_config_reference(); }; });
  auto& sample = add(
      config, "sample", "print a tapal.toml with every setting", "config sample mail.example.com");
  auto hostname = std::make_shared<std::string>("mail.example.com");
  sample.add_option("hostname", *hostname, "this machine's name");
  sample.callback([&chosen, hostname] {
    chosen.run = [hostname](const auto&) { return run_config_sample(*hostname); };
  });
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  CLI::App app("tapal: a mail sending server for your own domain", "tapal");
  app.require_subcommand(1);
  app.fallthrough();
  Chosen chosen;
  app.add_option("--config",
                 chosen.config,
                 "the configuration folder; default $TAPAL_CONFIG, else /etc/tapal");
  app.add_flag("--json", chosen.json, "print data as JSON");
  app.footer(
      "Exit codes: 0 done, 1 failed or the answer is no, 2 wrong usage, 3 no server is running to "
      "ask.");
  add_server(app, chosen);
  add_init(app, chosen);
  add_users(app, chosen);
  add_dkim(app, chosen);
  add_send(app, chosen);
  add_queue(app, chosen);
  add_config(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    const auto unknown = app.remaining(true);
    if (unknown.empty()) return app.exit(error) == 0 ? exit_done : exit_usage;
    fmt::print(stderr,
               "tapal: unknown command \"{}\"\nRun with --help for more information.\n",
               unknown.front());
    return exit_usage;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_done : exit_usage;
  }
  return chosen.run(chosen.common());
}

}  // namespace tapal::app
