#include "app/certificates/parts.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/certificates/challenge_hook.h"
#include "app/cli/control_client.h"
#include "drivers/files/files.h"
#include "protocols/acme/authorities.h"
#include "values/text/ascii.h"
#include "values/text/base64.h"
#include "values/text/idna.h"
#include "values/text/json_fields.h"

namespace tapal::app {

namespace fs = std::filesystem;
namespace json = boost::json;
using acme::ChallengeKind;

namespace {

constexpr std::size_t key_file_bytes_max = 4096;
constexpr std::size_t hooks_max = 100;
constexpr std::chrono::seconds hook_time_max{60};
constexpr const char* hook_path =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

Result<std::optional<acme::ExternalAccount>> external_account(const AcmeSettings& settings) {
  const auto& file = settings.external_account_key_file;
  if (settings.external_account_id.empty() != file.empty())
    return fail(Code::invalid,
                "acme.external_account_id and acme.external_account_key_file go together");
  if (file.empty()) return std::optional<acme::ExternalAccount>();
  struct stat facts{};
  if (stat(file.c_str(), &facts) == 0 && (facts.st_mode & 0077U) != 0)
    return fail(Code::denied,
                fmt::format("{0}: other users can read this key; chmod 600 {0}", file));
  TAPAL_TRY(const auto text, files::read_file(file, key_file_bytes_max));
  auto trimmed = text::trim(text);
  while (trimmed.ends_with('=')) trimmed.remove_suffix(1);  // some web sites show them
  auto key = text::from_base64_url(trimmed);
  if (!key || key->empty())
    return fail(Code::invalid, fmt::format("{}: not a key in base64url", file));
  return acme::ExternalAccount{settings.external_account_id, *std::move(key)};
}

std::vector<ChallengeKind> possible_kinds(const AcmeSettings& settings,
                                          const CertificateWorld& world,
                                          const ChallengeTexts* texts) {
  auto kinds = settings.challenges;
  std::erase_if(kinds, [&](ChallengeKind kind) {
    return (kind == ChallengeKind::http_01 && !world.listens_http) ||
           (kind == ChallengeKind::tls_alpn_01 && !world.listens_https) ||
           (kind == ChallengeKind::dns_01 && texts == nullptr);
  });
  return kinds;
}

// reload.d/ in the order of its names: each is given the folder's name and its two files.
std::vector<ProgramRun> hooks_for(const fs::path& folder,
                                  const fs::path& certificates,
                                  const std::string& name) {
  std::vector<fs::path> programs;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (!at->path().filename().string().starts_with('.') && programs.size() < hooks_max &&
        access(at->path().c_str(), X_OK) == 0)
      programs.push_back(fs::absolute(at->path()));
  std::ranges::sort(programs);
  std::vector<ProgramRun> runs;
  for (const auto& program : programs) {
    ProgramRun run;
    const auto place = fs::absolute(certificates / name);
    run.arguments = {program.string(),
                     name,
                     (place / "fullchain.pem").string(),
                     (place / "privkey.pem").string()};
    run.environment = {hook_path};
    run.time_max = hook_time_max;
    runs.push_back(std::move(run));
  }
  return runs;
}

// As a person or a program wrote them.
Result<upkeep::CertificateWish> wish_of(const json::object& request) {
  upkeep::CertificateWish wish;
  const auto* names = text::array_at(request, "names");
  if (names == nullptr || names->empty() || names->size() > acme::names_max)
    return fail(Code::invalid, fmt::format("a certificate has 1 to {} names", acme::names_max));
  for (const auto& name : *names) {
    const auto* text = name.if_string();
    if (text == nullptr) return fail(Code::invalid, "a name that is no text");
    const std::string_view whole(text->data(), text->size());
    if (const auto address = IpAddress::from_text(whole)) {
      wish.names.push_back(address->text());
      continue;
    }
    const bool is_wildcard = whole.starts_with("*.");
    TAPAL_TRY(const auto host, text::domain_to_ascii(whole.substr(is_wildcard ? 2 : 0)));
    wish.names.push_back((is_wildcard ? "*." : "") + host);
  }
  if (const auto directory = text::text_at(request, "directory"); !directory.empty())
    wish.directory_url = acme::directory_url_of(directory);
  wish.profile = text::text_at(request, "profile");
  wish.preferred_chain = text::text_at(request, "chain");
  return wish;
}

}  // namespace

files::CertificateFolder certificate_folder(const fs::path& config, const Settings& settings) {
  return {settings.certificates_folder(config), config / "acme"};
}

Result<std::unique_ptr<CertificateParts>> CertificateParts::make(const fs::path& config,
                                                                 const Settings& settings,
                                                                 CertificateWorld world) {
  TAPAL_TRY(auto external, external_account(settings.acme));
  ClientTlsOptions trust;
  trust.trusted_ca_file = settings.acme.trusted_ca_file.empty() ? settings.tls.trusted_ca_file
                                                                : settings.acme.trusted_ca_file;
  TAPAL_TRY(auto tls, ClientContext::make(trust));
  std::unique_ptr<CertificateParts> parts(
      new CertificateParts(config, settings, world, std::move(tls)));
  const HookFolders folders{config, settings.state_folder};
  TAPAL_TRY(parts->texts_, make_challenge_hook(settings.challenge_hook, folders, world.programs));
  if (parts->accounts_.any()) {
    parts->lasting_texts_ = std::make_unique<AccountsTexts>(parts->accounts_);
    if (!parts->texts_) parts->texts_ = std::make_unique<AccountsTexts>(parts->accounts_);
  }
  if (parts->texts_)
    parts->noted_texts_ =
        std::make_unique<upkeep::NotedTexts>(*parts->texts_, parts->shown_, world.workers);
  upkeep::KeeperOptions options{.directory_url = acme::directory_url_of(settings.acme.directory),
                                .contact = settings.acme.contact,
                                .profile = settings.acme.profile,
                                .external = std::move(external),
                                .names = settings.acme.names,
                                .kinds = possible_kinds(settings.acme, world, parts->texts_.get())};
  upkeep::OrderWorld order{
      world.loop, world.clock, parts->http_, world.resolver, world.board, "tapal/" TAPAL_VERSION};
  order.texts = parts->noted_texts_.get();
  order.lasting_texts = parts->lasting_texts_.get();
  order.watch = &parts->watch_;
  const auto hooks = [folder = config / "reload.d",
                      certificates = settings.certificates_folder(config)](
                         const std::string& name) { return hooks_for(folder, certificates, name); };
  const auto account = [&accounts = parts->accounts_](std::string_view name) {
    return accounts.of(name);
  };
  upkeep::KeeperWorld keeper{std::move(order),
                             world.log,
                             world.workers,
                             world.programs,
                             parts->files_,
                             std::move(world.take_in),
                             hooks,
                             parts->tidying(world.loop, world.log),
                             std::move(world.tell),
                             &parts->warned_,
                             account};
  parts->keeper_ =
      std::make_unique<upkeep::CertificateKeeper>(std::move(keeper), std::move(options));
  return parts;
}

CertificateParts::CertificateParts(const fs::path& config,
                                   const Settings& settings,
                                   const CertificateWorld& world,
                                   std::unique_ptr<ClientContext> tls)
    : tls_(std::move(tls)),
      accounts_(settings.dns,
                {world.http, world.loop, world.resolver, world.clock, world.random},
                world.log),
      shown_(fs::path(settings.state_folder) / "challenges-in-dns"),
      warned_(fs::path(settings.state_folder) / "certificates-warned-of"),
      http_({world.loop, world.loop, world.resolver, *tls_}),
      files_(certificate_folder(config, settings)),
      authorities_(world.resolver, world.loop),
      watch_(authorities_) {}

std::function<Task<void>()> CertificateParts::tidying(NetLoop& loop, Log& log) {
  if (!noted_texts_) return {};
  return [this, &loop, &log] { return tidy(loop, log); };
}

Task<void> CertificateParts::tidy(NetLoop& loop, Log& log) {
  const auto removed = co_await noted_texts_->remove_left(loop);
  if (!removed)
    log.write(Level::warning,
              "challenges of an earlier run may be in DNS",
              {{"reason", removed.error().what}});
  else if (*removed > 0)
    log.write(Level::info,
              "challenges of an earlier run are taken away",
              {{"records", std::to_string(*removed)}});
}

Task<Result<std::string>> answer_cert(upkeep::CertificateKeeper& keeper, std::string request) {
  const auto object = json::parse(request).as_object();
  const auto command = text::text_at(object, "command");
  const auto name = text::text_at(object, "name");
  std::string done;
  if (command == "cert renew") {
    const auto key = text::text_at(object, "key") == "fresh" ? upkeep::KeyChoice::fresh
                                                             : upkeep::KeyChoice::announced;
    TAPAL_CO_TRY(done, co_await keeper.renew(name, key));
  } else if (command == "cert revoke") {
    const auto reason = acme::revocation_reason_from(text::text_at(object, "reason"));
    if (!reason) co_return fail(Code::invalid, "there is no such reason");
    TAPAL_CO_TRY(done, co_await keeper.revoke(name, *reason));
  } else if (command == "cert account-key") {
    auto directory = acme::directory_url_of(text::text_at(object, "directory"));
    TAPAL_CO_TRY(done, co_await keeper.change_account_key(std::move(directory)));
  } else {
    TAPAL_CO_TRY(auto wish, wish_of(object));
    TAPAL_CO_TRY(done, co_await keeper.issue(std::move(wish)));
  }
  co_return json::serialize(json::value(done));
}

}  // namespace tapal::app
