// Settings of what mail leaves from: [sending], and the tables [sources.NAME] and [pools.NAME].
#include <algorithm>
#include <optional>
#include <ranges>
#include <utility>

#include "app/settings/binding.h"
#include "app/settings/rows.h"
#include "values/text/ascii.h"
#include "values/text/date.h"
#include "values/text/nearest.h"

namespace tapal::app {
namespace {

using namespace binding;
using shaping::Pool;
using shaping::Source;

constexpr std::size_t tables_max = 100;  // of each kind
constexpr std::size_t name_bytes_max = 32;

struct Day {
  using Value = WallTime;
  static constexpr std::string_view kind = "day", expected = "a day such as \"2026-11-22\"";
  static std::optional<Value> read(const TomlScalar& scalar) {
    const auto* text = std::get_if<std::string>(&scalar.value);
    if (!text) return {};
    const auto time = text::parse_rfc3339_date(*text + "T00:00:00Z");
    return time ? std::optional(*time) : std::nullopt;
  }
  static std::string print(Value value) {
    return toml_quoted(text::rfc3339_date(value).substr(0, std::string_view("2026-11-22").size()));
  }
};

struct UserName : Text {
  static constexpr std::string_view kind = "user",
                                    expected = "a user's address such as \"ann@example.org\"";
  static std::optional<Value> read(const TomlScalar& scalar) {
    const auto* text = std::get_if<std::string>(&scalar.value);
    if (!text || !text->contains('@')) return {};
    return text::to_lower(*text);
  }
};

constexpr SettingRow source_table[] = {
    {"sending.pool",
     field<Text, TAPAL_FIELD(delivery.sources.pool)>(),
     {},
     "The pool that mail leaves from which no pool claims for its user or domain.",
     "all sources",
     "\"\""},
    {"sending.forwarding_pool",
     field<Text, TAPAL_FIELD(delivery.sources.forwarding_pool)>(),
     {},
     "The pool that mail leaves from which aliases pass on.",
     "that of `forward.source_ipv4` and `forward.source_ipv6`, else `sending.pool`",
     "\"\""},
    {"sending.notices_pool",
     field<Text, TAPAL_FIELD(delivery.sources.notices_pool)>(),
     {},
     "The pool that notices of the server itself leave from: bounces, delays.",
     "`sending.pool`",
     "\"\""},
    {"sending.reverse_dns_required",
     field<Flag, TAPAL_FIELD(delivery.reverse_dns_required)>(),
     {},
     "Whether mail leaves only from addresses whose reverse DNS leads to a name and back, since "
     "large providers refuse others. Private addresses are not looked at, nor is anything with "
     "`delivery.allow_private_addresses`."},
    {"sending.warm_up",
     field<Flag, TAPAL_FIELD(delivery.sources.warm_up.automatic)>(),
     {},
     "Whether a public address that was not seen here before sends each large provider a few "
     "messages on its first day and more each day, so that it gets a good name. What is over waits "
     "or leaves from an older source."},
};

// The reader puts the table at hand in front.
template <class T>
T& front(std::vector<T>& tables) {
  if (tables.empty()) tables.emplace_back();
  return tables.front();
}
#define TAPAL_SOURCE(field) \
  [](Settings& settings) -> auto& { return front(settings.delivery.sources.sources).field; }
#define TAPAL_POOL(field) \
  [](Settings& settings) -> auto& { return front(settings.delivery.sources.pools).field; }

constexpr SettingRow of_source[] = {
    {"ipv4",
     optional_field<Ip4, TAPAL_SOURCE(ipv4)>(),
     {},
     "The own address that IPv4 connections come from; without it the source does not use IPv4."},
    {"ipv6", optional_field<Ip6, TAPAL_SOURCE(ipv6)>(), {}, "The same for IPv6."},
    {"ehlo_name",
     field<HostName, TAPAL_SOURCE(ehlo_name)>(),
     {},
     "The name said to other servers: the one that reverse DNS has for the addresses. Default: "
     "`delivery.ehlo_name`."},
    {"weight",
     field<Count, TAPAL_SOURCE(weight)>(),
     {1, 1000},
     "Its share of a pool's mail, beside the weights of the others. Default: 1."},
    {"new_since",
     optional_field<Day, TAPAL_SOURCE(new_since)>(),
     {},
     "Since when it sends mail. A day more than 60 days ago: it is known, and warm-up is over. "
     "Default: since tapal first used it."},
};

constexpr SettingRow of_pool[] = {
    {"sources",
     list<Text, TAPAL_POOL(sources)>(),
     {},
     "Names of sources. Needed.",
     "",
     "\"first\", \"second\""},
    {"domains",
     list<HostName, TAPAL_POOL(domains)>(),
     {},
     "Mail with a return path at one of these domains leaves from here.",
     "",
     "\"news.example.org\""},
    {"users",
     list<UserName, TAPAL_POOL(users)>(),
     {},
     "And so does mail that one of these submits, which counts more.",
     "",
     "\"shop@example.org\""},
};

bool is_name(std::string_view name) {
  const auto fits = [](char c) { return text::is_alnum(c) || c == '-' || c == '_'; };
  return !name.empty() && name.size() <= name_bytes_max && std::ranges::all_of(name, fits);
}

template <class Table>
std::vector<std::string_view> names_of(const Table& table) {
  const auto names = std::views::keys(table);
  return {names.begin(), names.end()};
}

// Reads a field of a table as its row says.
std::string read_field(const TomlEntry& entry, std::span<const SettingRow> known, Settings& alone) {
  const std::string_view name = entry.path.back();
  const auto row = std::ranges::find(known, name, &SettingRow::name);
  if (row != known.end()) return row->binding.read(entry, *row, alone);
  std::vector<std::string_view> names;
  for (const auto& one : known) names.push_back(one.name);
  return text::unknown_word("field", name, names);
}

}  // namespace

std::span<const SettingRow> source_rows() { return source_table; }
std::span<const SettingRow> source_fields() { return of_source; }
std::span<const SettingRow> pool_fields() { return of_pool; }

void SourceReader::problem(TomlPlace place, std::string_view name, std::string_view what) {
  problems_.push_back({place, fmt::format("{}: {}", name, what)});
}

bool SourceReader::is_in_table(const TomlEntry& entry) {
  const bool is_empty_table = std::holds_alternative<TomlEmptyTable>(entry.value);
  const auto path = toml_path_text(entry.path);
  const auto& kind = entry.path.front();
  if (entry.path.size() != (is_empty_table ? 2 : 3)) {
    if (entry.path.size() > 1 || !is_empty_table)
      problem(entry.place, path, fmt::format("expected a table for each: [{}.NAME]", kind));
    return false;
  }
  if (is_name(entry.path[1])) return true;
  problem(entry.place, path, "expected a name of at most 32 of a-z, 0-9, - and _");
  return false;
}

void SourceReader::read(const TomlEntry& entry) {
  const auto& first = entry.path.front();
  if (first == "sending" && entry.path.size() == 2) choices_[entry.path[1]] = entry.place;
  if (!takes(entry) || !is_in_table(entry)) return;
  const auto& name = entry.path[1];
  Settings alone;  // the row reads it as if it stood there
  auto& into = alone.delivery.sources;
  std::string wrong;
  if (first == "sources") {
    auto& seen = sources_.try_emplace(name, SeenSource{{.name = name}, entry.place}).first->second;
    if (entry.path.size() < 3) return;
    into.sources = {seen.source};
    wrong = read_field(entry, of_source, alone);
    seen.has_problem |= !wrong.empty();
    seen.source = into.sources.front();
  } else {
    auto& seen = pools_.try_emplace(name, SeenPool{{.name = name}, entry.place}).first->second;
    if (entry.path.size() < 3) return;
    into.pools = {seen.pool};
    wrong = read_field(entry, of_pool, alone);
    seen.has_problem |= !wrong.empty();
    seen.fields[entry.path[2]] = entry.place;
    seen.pool = into.pools.front();
  }
  if (!wrong.empty()) problem(entry.place, toml_path_text(entry.path), wrong);
}

void SourceReader::check(const SeenPool& seen) {
  const auto& [pool, place, fields, has_problem] = seen;
  const auto table = fmt::format("pools.{}", pool.name);
  if (pool.sources.empty() && !has_problem)
    problem(place, table, "a pool needs sources: sources = [\"NAME\"]");
  for (const auto& source : pool.sources)
    if (!sources_.contains(source))
      problem(fields.at("sources"),
              table + ".sources",
              text::unknown_word("source", source, names_of(sources_)));
  const auto claim = [&](std::string_view field, const std::vector<std::string>& all) {
    for (const auto& one : all) {
      const auto [at, is_first] = claims_.try_emplace(fmt::format("{} {}", field, one), pool.name);
      if (!is_first)
        problem(fields.find(field)->second,
                fmt::format("{}.{}", table, field),
                fmt::format("{} is in pool {}, too", one, at->second));
    }
  };
  claim("domains", pool.domains);
  claim("users", pool.users);
}

std::vector<TomlProblem> SourceReader::finish(Settings& settings) {
  auto& into = settings.delivery.sources;
  if (!sources_.empty()) into.sources.clear();
  for (const auto& [name, seen] : sources_) {
    if (!seen.source.ipv4 && !seen.source.ipv6 && !seen.has_problem)
      problem(seen.place, fmt::format("sources.{}", name), "a source needs ipv4, ipv6 or both");
    into.sources.push_back(seen.source);
  }
  for (const auto& [name, seen] : pools_) {
    check(seen);
    into.pools.push_back(seen.pool);
  }
  for (const auto& [kind, count] :
       {std::pair("sources", sources_.size()), std::pair("pools", pools_.size())})
    if (count > tables_max) problem({}, kind, fmt::format("there may be {} of them", tables_max));
  for (const auto& [key, pool] : {std::pair("pool", into.pool),
                                  std::pair("forwarding_pool", into.forwarding_pool),
                                  std::pair("notices_pool", into.notices_pool)})
    if (const auto place = choices_.find(key); !pool.empty() && !pools_.contains(pool))
      problem(place->second,
              fmt::format("sending.{}", key),
              text::unknown_word("pool", pool, names_of(pools_)));
  return std::move(problems_);
}

}  // namespace tapal::app
