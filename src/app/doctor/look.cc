#include "app/doctor/look.h"

#include <utility>

#include "app/backup/config_backup.h"
#include "app/cli/dns_option.h"
#include "app/cli/once.h"
#include "app/config/public_suffix_file.h"
#include "app/doctor/upkeep.h"
#include "drivers/net/http_client.h"
#include "drivers/system/program_runner.h"
#include "drivers/system/random.h"
#include "drivers/system/worker_pool.h"

namespace tapal::app {

Result<std::unique_ptr<DoctorLook>> DoctorLook::prepare(const CommonOptions& common,
                                                        const std::string& dns_server) {
  auto settings = load_settings(common.config);
  if (!settings && settings.error().code == Code::not_found) settings = Settings();
  if (!settings) return std::unexpected(std::move(settings).error());
  TAPAL_TRY(auto suffixes, load_public_suffixes());
  std::unique_ptr<DoctorLook> look(new DoctorLook(*std::move(settings), std::move(suffixes)));
  TAPAL_TRY(auto resolving, resolver_options(common, dns_server));
  // A server of one's own, as in a closed network: its zones are asked where it is asked.
  if (!dns_server.empty()) look->authorities_.port = resolving.servers.front().port;
  TAPAL_TRY(look->resolver_, UnboundResolver::open(std::move(resolving)));
  ClientTlsOptions trust;
  trust.trusted_ca_file = look->settings_.tls.trusted_ca_file;
  TAPAL_TRY(look->tls_, ClientContext::make(trust));
  return look;
}

Task<std::vector<provision::Finding>> DoctorLook::look(NetLoop& loop,
                                                       provision::Home home,
                                                       Choice choice) {
  StreamHttpClient http({loop, loop, *resolver_, *tls_});
  WorkerPool workers({.threads = 1, .name = "programs"});
  ProgramRunner programs(workers, git_rights(choice.config));
  SystemRandom random;
  const dnsapi::World accounts{http, loop, *resolver_, clock_, random};
  DoctorUpkeepWorld at_home{loop, programs, settings_.dns, accounts, choice.config};
  auto whole = co_await with_upkeep(std::move(home), std::move(at_home), choice.only);
  provision::Examination examination(std::move(whole), suffixes_, choice.only);
  upkeep::ExaminationWorld world{
      .resolver = *resolver_,
      .http = http,
      .clock = clock_,
      .probes = {.loop = loop, .network = loop, .tls = *tls_, .certificates_of = peer_certificates},
      .authorities = authorities_};
  co_await upkeep::examine(world, examination);
  co_return examination.findings();
}

Result<std::vector<provision::Finding>> DoctorLook::examine(const DoctorPlace& place,
                                                            const std::vector<std::string>& only) {
  auto folder = std::make_shared<const files::ConfigFolder>(
      files::load_config_folder({place.config, settings_.certificates_folder(place.config)}));
  const auto now = clock_.wall_now();
  TAPAL_TRY(auto home, make_home(place, settings_, folder, now));
  home.queue = queue_of_running_server(settings_, now);
  return run_once<std::vector<provision::Finding>>(
      [&](NetLoop& loop) { return look(loop, std::move(home), {place.config, only}); });
}

std::vector<provision::Finding> DoctorLook::examine(provision::Home home,
                                                    const std::vector<std::string>& only) {
  return run_once<std::vector<provision::Finding>>(
      [&](NetLoop& loop) { return look(loop, std::move(home), {{}, only}); });
}

}  // namespace tapal::app
