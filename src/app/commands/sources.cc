#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/cli/control_client.h"
#include "app/commands/commands.h"
#include "values/text/json_fields.h"

namespace tapal::app {

namespace json = boost::json;

namespace {

std::string names_at(const json::object& object, std::string_view name) {
  std::string names;
  for (const auto& one : object.at(name).as_array())
    names += (names.empty() ? "" : ", ") + std::string(one.as_string());
  return names;
}

std::string name_of(const json::object& source) {
  const auto name = text::text_at(source, "name");
  return name.empty() ? "the usual source" : name;
}

std::string family_text(const json::object& source, std::string_view family) {
  const auto address = text::text_at(source, family);
  if (source.at(fmt::format("{}_used", family)).as_bool())
    return address.empty() ? "the system's choice" : address;
  return address.empty() ? "not used" : address + ", not used";
}

void print_source(const json::object& source) {
  fmt::print("{}\n  IPv4: {}\n  IPv6: {}\n",
             name_of(source),
             family_text(source, "ipv4"),
             family_text(source, "ipv6"));
  if (const auto name = text::text_at(source, "ehlo_name"); !name.empty())
    fmt::print("  says EHLO {}\n", name);
  if (const auto why = text::text_at(source, "why"); !why.empty()) fmt::print("  {}\n", why);
  for (const auto& one : source.at("warm_up").as_array()) {
    const auto& day = one.as_object();
    const auto provider = text::text_at(day, "provider");
    fmt::print("  new to {}: {} of {} messages today\n",
               provider.empty() ? "all smaller providers together" : provider,
               json::serialize(day.at("accepted_today")),
               json::serialize(day.at("ceiling")));
  }
  for (const auto& one : source.at("suspended").as_array()) {
    const auto& rest = one.as_object();
    fmt::print("  not used at {} until {}: {}\n",
               text::text_at(rest, "site"),
               text::text_at(rest, "until"),
               text::text_at(rest, "why"));
  }
}

void print_pool(const json::object& pool) {
  const auto name = text::text_at(pool, "name");
  fmt::print("pool {}: {}\n", name.empty() ? "of all other mail" : name, names_at(pool, "sources"));
  for (const auto* claim : {"domains", "users"})
    if (const auto names = names_at(pool, claim); !names.empty())
      fmt::print("  for the {} {}\n", claim, names);
}

int run_sources(const CommonOptions& common) {
  const auto answer = ask_and_tell(common, {{"command", "sources"}});
  if (!answer) return answer.error();
  if (common.output == Output::json) return exit_done;
  const auto& all = answer->at("result").as_object();
  for (const auto& source : all.at("sources").as_array()) print_source(source.as_object());
  for (const auto& pool : all.at("pools").as_array()) print_pool(pool.as_object());
  for (const auto& [mail, key] : {std::pair("mail of our users", "pool"),
                                  std::pair("mail that aliases pass on", "forwarding_pool"),
                                  std::pair("notices", "notices_pool")})
    if (const auto pool = text::text_at(all, key); !pool.empty())
      fmt::print("{}: pool {}\n", mail, pool);
  return exit_done;
}

}  // namespace

void declare_sources(const Command& tapal) {
  tapal
      .add("sources",
           "what mail leaves from: addresses, whether they can be used, what is sent today",
           "sources")
      .runs(&run_sources);
}

}  // namespace tapal::app
