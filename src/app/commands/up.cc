// `tapal up`: its options, and the phases in their order.
#include "app/up/up.h"

#include <array>

#include <fmt/format.h>

#include "app/backup/committed_command.h"
#include "app/commands/commands.h"
#include "drivers/dnsapi/providers.h"
#include "drivers/files/files.h"
#include "drivers/files/folder_lock.h"
#include "values/text/idna.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;

constexpr std::array up_phases{
    Phase<Up>{"look around", &up_look},
    Phase<Up>{"identity: names and keys", &up_identity},
    Phase<Up>{"DNS records", &up_dns},
    Phase<Up>{"reverse DNS", &up_reverse_names},
    Phase<Up>{"certificate", &up_certificate},
    Phase<Up>{"the service", &up_service},
    Phase<Up>{"the first user", &up_first_user},
    Phase<Up>{"addresses", &up_aliases},
    Phase<Up>{"the doctor's look", &up_doctor},
    Phase<Up>{"proof", &up_proof},
    Phase<Up>{"backup", &up_backup},
};

// Where a plan is worked out for a machine that has no configuration yet.
class ScratchConfig {
 public:
  ScratchConfig() {
    auto path = (fs::temp_directory_path() / "tapal-plan-XXXXXX").string();
    if (mkdtemp(path.data()) != nullptr) path_ = path;
  }
  ~ScratchConfig() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  ScratchConfig(const ScratchConfig&) = delete;
  ScratchConfig& operator=(const ScratchConfig&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string user_name(const UpOptions& options) {
  if (!options.user.empty()) return options.user;
  const auto at = options.forward.find('@');
  return at == std::string::npos ? "postmaster" : options.forward.substr(0, at);
}

Result<void> read_hoster(Up& up) {
  if (up.options.hoster.empty()) return {};
  if (const auto* named = provision::find_hoster(up.options.hoster)) {
    up.hoster = named;
    return {};
  }
  std::string known;
  for (const auto& hoster : provision::hosters()) known += fmt::format("{}, ", hoster.name);
  return fail(Code::invalid,
              fmt::format("--hoster {}: known are {}and other", up.options.hoster, known));
}

Result<void> check_dns(const UpOptions& options) {
  if (!options.dns_provider.empty() && dnsapi::find_dns_provider(options.dns_provider) == nullptr)
    return fail(
        Code::invalid,
        fmt::format("--dns {}: `tapal dns providers` lists what is known", options.dns_provider));
  if (options.dns_credentials_file.empty()) return {};
  const auto token = files::read_file(options.dns_credentials_file);
  return token ? Result<void>() : std::unexpected(token.error());
}

Result<void> check_relay(const UpOptions& options) {
  const bool has_password = !options.relay_password_file.empty();
  if (options.relay_user.empty() == has_password)
    return fail(Code::invalid, "--relay-user and --relay-password-file need each other");
  if (options.relay.empty() && has_password)
    return fail(Code::invalid, "--relay-user is of no use without --relay");
  if (!has_password) return {};
  const auto password = files::read_file(options.relay_password_file);
  return password ? Result<void>() : std::unexpected(password.error());
}

Result<void> read_options(Up& up) {
  TAPAL_TRY(up.domain, text::domain_to_ascii(up.options.domain));
  TAPAL_TRY(up.hostname,
            text::domain_to_ascii(up.options.hostname.empty() ? "mail." + up.domain
                                                              : up.options.hostname));
  TAPAL_CHECK(text::check_hostname(up.hostname));
  TAPAL_CHECK(read_hoster(up));
  TAPAL_CHECK(check_dns(up.options));
  TAPAL_CHECK(check_relay(up.options));
  TAPAL_TRY(up.user, mail::parse_address(fmt::format("{}@{}", user_name(up.options), up.domain)));
  if (!up.options.forward.empty()) {
    TAPAL_TRY(auto forward, mail::parse_address(up.options.forward));
    if (forward.domain == up.domain)
      return fail(Code::invalid, "--forward names an address of the domain itself: a loop");
    up.forward.push_back(std::move(forward));
  }
  return {};
}

std::string_view ending(const Up& up) {
  if (up.report.is_left_to_do()) return "Done, but for what is marked \"you\" or \"!\" above.";
  return up.options.plan ? "This was the plan: nothing was changed. With --yes it is carried out."
                         : "Done: mail works.";
}

int finish(const Up& up, const Result<void>& done) {
  if (!done) {
    tell({done.error().code, done.error().what + "\nRun the same command again to go on here."});
    return exit_failed;
  }
  if (up.common.output == Output::text) fmt::print("\n{}\n", ending(up));
  return exit_done;
}

int run(Up& up) {
  if (const auto read = read_options(up); !read) return tell(read.error());
  return finish(up, run_phases(up_phases, up));
}

fs::path state_folder(const CommonOptions& common, const UpOptions& options) {
  if (!options.state_folder.empty()) return options.state_folder;
  const auto settings = load_settings(common.config);
  return settings ? settings->state_folder : Settings().state_folder;
}

int run_up(const CommonOptions& common, const UpOptions& options) {
  const bool is_new = !fs::exists(common.config / settings_file_name);
  if (options.plan && is_new) {
    const ScratchConfig scratch;
    if (scratch.path().empty())
      return tell({Code::denied, "no folder could be made in the place for temporary files"});
    const CommonOptions planned{scratch.path(), common.output};
    PhaseReport report(common.output, {});
    report.tells_of(common.config, scratch.path());
    auto setup = options;
    setup.state_folder = (scratch.path() / "state").string();
    Up up{.common = planned, .options = setup, .report = report, .on_scratch = true};
    return run(up);
  }
  const auto lock = files::FolderLock::take(common.config, "sets this server up");
  if (!lock) return tell(lock.error());
  const auto state = state_folder(common, options);
  if (!options.plan)
    if (const auto made = files::create_folder(state, 0700); !made) return tell(made.error());
  PhaseReport report(common.output, options.plan ? fs::path() : state / "up.log");
  Up up{.common = common, .options = options, .report = report};
  return run(up);
}

}  // namespace

void declare_up(const Command& tapal) {
  const auto up =
      tapal.add("up",
                "from an empty server to proven delivery: looks, sets up, proves; run it "
                "again at any time",
                "up example.com --dns cloudflare --token-file cf.token --forward "
                "me@gmail.com --yes");
  auto options = std::make_shared<UpOptions>();
  up.text({"domain", "the domain that mail is sent from", true}, options->domain);
  up.text({"--hostname", "this machine's name; default mail.DOMAIN"}, options->hostname);
  up.text({"--user", "the first user's name; default: that of --forward, else postmaster"},
          options->user);
  up.text({"--forward", "where all mail to the domain goes, as me@gmail.com"}, options->forward);
  up.texts({"--address", "an address that mail leaves from; default: the machine's public ones"},
           options->addresses);
  up.text({"--dns", "the DNS provider (`tapal dns providers`); without one you enter the records"},
          options->dns_provider);
  up.text({"--token-file", "its credentials; or the environment"}, options->dns_credentials_file);
  up.text({"--dns-url", "its API's address, where that is your own"}, options->dns_url);
  up.text({"--hoster", "who rents the machine out, for reverse DNS; default: found out"},
          options->hoster);
  up.text({"--hoster-token-file", "credentials there; or the environment"},
          options->hoster_token_file);
  up.text({"--hoster-url", "its API's address, for tests"}, options->hoster_url);
  up.text({"--relay", "where port 25 is closed: HOST:PORT of a server that passes mail on"},
          options->relay);
  up.text({"--relay-user", "who logs in there"}, options->relay_user);
  up.text({"--relay-password-file", "a file that holds the password and nothing else"},
          options->relay_password_file);
  up.text({"--acme-directory", "whose certificates: a name or URL; default letsencrypt"},
          options->acme_directory);
  up.text({"--state-folder", "where the queue is kept; default /var/lib/tapal"},
          options->state_folder);
  up.flag({"--plan", "show what would be done, and change nothing"}, options->plan);
  up.flag({"--yes", "write the DNS records that are shown"}, options->yes);
  up.flag({"--take-mx", "replace an MX and a host's addresses that lead elsewhere"},
          options->take_mx);
  up.flag({"--fix-ipv6", "switch IPv6 on in the machine's files: shown, and with --yes written"},
          options->fix_ipv6);
  up.text({"--root", "where the machine's files are, for tests"}, options->root);
  auto wait = std::make_shared<std::int64_t>(options->patience.count());
  up.number({"--wait", "seconds for DNS to show what was written or entered; default 600"},
            {1, 86'400},
            *wait);
  up.runs([options, wait](const auto& common) {
    options->patience = std::chrono::seconds(*wait);
    if (options->plan) return run_up(common, *options);
    return run_and_commit(
        common, "tapal up", [&](const auto& all) { return run_up(all, *options); });
  });
}

}  // namespace tapal::app
