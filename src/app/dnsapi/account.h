// Opening an account at a DNS provider: from the settings, from options of a command, and with
// credentials from a file or the environment.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "app/cli/command.h"
#include "app/cli/once.h"
#include "app/settings/settings.h"
#include "drivers/dnsapi/providers.h"
#include "drivers/net/http_client.h"
#include "drivers/resolver/unbound_resolver.h"
#include "drivers/system/clock.h"
#include "drivers/system/random.h"

namespace tapal::app {

// What the settings say for a name: its zone's own account, else the one for all.
const DnsAccountSettings& dns_account_of(const DnsSettings& settings, std::string_view name);

// From `file` (empty: none), and what is not there from the environment. Code::denied for a file
// that others may read. No Error shows a credential.
Result<dnsapi::Credentials> dns_credentials(const dnsapi::Provider& provider,
                                            const std::string& file);

// Code::invalid: no provider is set, or what is wrong with it. `world` must outlive the account.
Result<std::unique_ptr<DnsAccount>> open_dns_account(const DnsAccountSettings& account,
                                                     const dnsapi::World& world);

// --provider, --credentials-file and --url of a command.
void declare_dns_account(const Command& command, DnsAccountSettings& into);

// For commands: the account for `name`, by options that were given or by the settings, and what it
// reaches the world by, on a loop of its own.
class DnsAccountRun {
 public:
  static Result<std::unique_ptr<DnsAccountRun>> prepare(const CommonOptions& common,
                                                        const DnsAccountSettings& given,
                                                        std::string_view name,
                                                        const std::string& dns_server);

  // Runs use(loop, account), a Task<Result<Value>>, to its end. Blocks.
  template <class Value, class Use>
  Result<Value> run(Use use) {
    return run_once<Result<Value>>(
        [&](NetLoop& loop) { return with_account<Value>(*this, loop, use); });
  }

  const DnsAccountSettings& account() const { return account_; }
  Resolver& resolver() { return *resolver_; }

 private:
  DnsAccountRun() = default;

  template <class Value, class Use>
  static Task<Result<Value>> with_account(DnsAccountRun& self, NetLoop& loop, Use& use) {
    StreamHttpClient http({loop, loop, *self.resolver_, *self.tls_});
    const dnsapi::World world{http, loop, *self.resolver_, self.clock_, self.random_};
    TAPAL_CO_TRY(const auto account, open_dns_account(self.account_, world));
    co_return co_await use(loop, *account);
  }

  DnsAccountSettings account_;
  std::unique_ptr<Resolver> resolver_;
  std::unique_ptr<TlsClient> tls_;
  SystemClock clock_;
  SystemRandom random_;
};

}  // namespace tapal::app
