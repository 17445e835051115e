// `tapal dns`: the providers there are, and single record sets at the account of a zone.
#include <memory>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/cli/dns_option.h"
#include "app/commands/commands.h"
#include "app/dnsapi/account.h"
#include "drivers/dnsapi/record_forms.h"
#include "values/dns/name.h"
#include "values/dns/rdata.h"
#include "values/dns/zone_text.h"
#include "values/text/ascii.h"

namespace tapal::app {
namespace {

std::vector<std::string> type_names(const std::vector<dns::Type>& types) {
  std::vector<std::string> names;
  names.reserve(types.size());
  for (const auto type : types) names.push_back(dns::type_text(type));
  return names;
}

void print(const dnsapi::Provider& provider) {
  fmt::print("{}: {}\n", provider.name, provider.title);
  for (const auto& field : provider.fields)
    fmt::print("  {}{}: {} (environment: {})\n",
               field.name,
               field.required ? "" : ", if need be",
               field.help,
               fmt::join(field.environment, ", "));
  fmt::print("  grant: {}\n", provider.scope);
  if (!provider.token_url.empty()) fmt::print("  made at: {}\n", provider.token_url);
  const auto& limits = provider.limits;
  if (!limits.unsupported.empty())
    fmt::print("  has no {} records\n", fmt::join(type_names(limits.unsupported), ", "));
  if (limits.ttl_least.count() > 1) fmt::print("  least TTL: {} s\n", limits.ttl_least.count());
  if (limits.text_bytes_max < DnsAccountLimits().text_bytes_max)
    fmt::print("  TXT: at most {} bytes\n", limits.text_bytes_max);
}

template <class Texts>
boost::json::array array_of(const Texts& texts) {
  return boost::json::array(texts.begin(), texts.end());
}

boost::json::object to_json(const dnsapi::Provider& provider) {
  boost::json::array fields;
  for (const auto& field : provider.fields)
    fields.push_back({{"name", field.name},
                      {"help", field.help},
                      {"required", field.required},
                      {"secret", field.kind == dnsapi::CredentialField::Kind::secret},
                      {"environment", array_of(field.environment)}});
  return {{"name", provider.name},
          {"title", provider.title},
          {"credentials", std::move(fields)},
          {"grant", provider.scope},
          {"made_at", provider.token_url},
          {"url", provider.url},
          {"unsupported", array_of(type_names(provider.limits.unsupported))},
          {"ttl_least", provider.limits.ttl_least.count()},
          {"text_bytes_max", provider.limits.text_bytes_max}};
}

int run_providers(const CommonOptions& common) {
  boost::json::array all;
  for (const auto& provider : dnsapi::dns_providers()) {
    if (common.output == Output::json)
      all.push_back(to_json(provider));
    else
      print(provider);
  }
  if (common.output == Output::json) print_json({{"providers", std::move(all)}});
  return exit_done;
}

enum class Act : std::uint8_t { get, set, remove };

struct SetOptions {
  std::string name;
  std::string type;
  std::vector<std::string> values;
  std::int64_t ttl = 3600;
  DnsAccountSettings account;
  std::string dns_server;
};

// What is wanted of the account, and what came of it.
struct SetChange {
  std::string zone;
  dns::RecordSet before;
  dns::RecordSet now;
};

Result<dns::RecordSet> set_of(const SetOptions& options) {
  dns::RecordSet set;
  set.ttl = std::chrono::seconds(options.ttl);
  TAPAL_TRY(set.name, dns::parse_name(options.name));
  const auto type = dns::type_from_text(text::to_upper(options.type));
  if (!type)
    return fail(Code::invalid,
                text::printable(options.type, 40) + " is no record type, as in A, MX or TXT");
  set.type = *type;
  for (const auto& value : options.values) {
    if (set.type == dns::Type::txt) {
      set.data.emplace_back(dns::Text{value});  // as it is, not as in a master file
      continue;
    }
    TAPAL_TRY(auto data, dnsapi::data_from_content(set.type, value));
    set.data.push_back(std::move(data));
  }
  return set;
}

Task<Result<SetChange>> carry_out(Loop& loop, DnsAccount& account, Act act, dns::RecordSet wanted) {
  SetChange change;
  TAPAL_CO_TRY(change.zone, co_await account.find_zone(loop, wanted.name));
  TAPAL_CO_TRY(change.before, co_await account.read(loop, change.zone, wanted.name, wanted.type));
  change.now = act == Act::get ? change.before : wanted;
  if (act == Act::get) co_return change;
  std::vector<dns::RecordSet> sets{std::move(wanted)};
  TAPAL_CO_CHECK(co_await account.write(loop, change.zone, std::move(sets)));
  co_return change;
}

boost::json::array data_texts(const dns::RecordSet& set) {
  boost::json::array texts;
  for (const auto& data : set.data) texts.emplace_back(dns::data_to_text(set.type, data));
  return texts;
}

void print(std::string_view sign, const dns::RecordSet& set) {
  for (const auto& data : set.data)
    fmt::print("{}{}\n", sign, dns::to_zone_text({set.name, set.type, set.ttl, data}));
}

int run_set(const CommonOptions& common, const SetOptions& options, Act act) {
  auto wanted = set_of(options);
  if (!wanted) {
    tell(wanted.error());
    return exit_usage;
  }
  const auto run =
      DnsAccountRun::prepare(common, options.account, wanted->name, options.dns_server);
  if (!run) return tell(run.error());
  const auto change = (*run)->run<SetChange>([&](NetLoop& loop, DnsAccount& account) {
    return carry_out(loop, account, act, std::move(*wanted));
  });
  if (!change) return tell(change.error());
  if (common.output == Output::json) {
    boost::json::object answer{{"zone", change->zone},
                               {"name", change->now.name},
                               {"type", dns::type_text(change->now.type)},
                               {"ttl", change->now.ttl.count()},
                               {"data", data_texts(change->now)}};
    if (act != Act::get) answer["before"] = data_texts(change->before);
    print_json(answer);
    return exit_done;
  }
  print(act == Act::get ? "" : "- ", change->before);
  if (act != Act::get) print("+ ", change->now);
  return exit_done;
}

void declare_set(const Command& command, Act act) {
  auto options = std::make_shared<SetOptions>();
  command.text({"name", "the whole name", true}, options->name);
  command.text({"type", "A, AAAA, CNAME, MX, TXT, CAA, SRV, TLSA ...", true}, options->type);
  if (act == Act::set) {
    command.texts({"value",
                   "as in a zone file, names complete (\"10 mail.example.com.\"); of TXT the bare "
                   "text. All there shall be: what is not named goes",
                   true},
                  options->values);
    command.number({"--ttl", "seconds"}, {1, 604'800}, options->ttl);
  }
  declare_dns_account(command, options->account);
  command.text({"--dns-server", dns_server_help}, options->dns_server);
  command.runs([options, act](const auto& common) { return run_set(common, *options, act); });
}

}  // namespace

void declare_dns(const Command& tapal) {
  const auto dns =
      tapal.add_group("dns", "the DNS zones of our domains, at their provider", "dns providers");
  const auto providers =
      dns.add("providers", "the DNS providers there are: what each needs and can", "dns providers");
  providers.runs([](const auto& common) { return run_providers(common); });
  declare_set(dns.add("get", "a record set as the provider has it", "dns get example.com MX"),
              Act::get);
  declare_set(dns.add("set",
                      "write a record set at the provider; shows what was there and what is now",
                      "dns set example.com MX \"10 mail.example.com.\""),
              Act::set);
  declare_set(
      dns.add("remove", "remove a record set at the provider", "dns remove old.example.com A"),
      Act::remove);
  declare_dns_plan(dns);
  declare_dns_apply(dns);
}

}  // namespace tapal::app
