// The reading of providers.toml.

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "rules/shaping/providers.h"
#include "values/text/ascii.h"
#include "values/text/duration.h"
#include "values/text/idna.h"
#include "values/text/nearest.h"
#include "values/text/toml.h"

namespace tapal::shipped {
std::string_view providers();
}

namespace tapal::shaping {

using namespace std::string_view_literals;

namespace {

constexpr std::string_view name_of_any = "any";
constexpr std::size_t providers_max = 2000;
constexpr std::size_t names_max = 200;  // of hosts, and of domains, of one provider
constexpr std::size_t replies_max = 200;
constexpr std::size_t note_bytes_max = 1000;
constexpr std::size_t limit_max = 1'000'000;
constexpr std::chrono::seconds time_max = std::chrono::days(7);

constexpr std::array<std::string_view, 12> provider_keys{"mx",
                                                         "domains",
                                                         "connections_per_source",
                                                         "connections_per_site",
                                                         "message_rate_per_source",
                                                         "message_rate_per_site",
                                                         "connection_rate_per_source",
                                                         "connection_rate_per_site",
                                                         "messages_per_connection",
                                                         "recipients_per_transaction",
                                                         "daily_warm_up_start",
                                                         "replies"};
constexpr std::array<std::string_view, 4> reply_keys{"patterns", "action", "time", "note"};

bool needs_time(Reaction reaction) {
  return reaction != Reaction::bounce && reaction != Reaction::note;
}

std::string read_names(const text::TomlEntry& entry, std::vector<std::string>& into) {
  auto names = text::toml_strings(entry);
  if (!names || names->size() > names_max)
    return fmt::format("expected a list of at most {} names, as [\"example.com\"]", names_max);
  for (std::string& name : *names) {
    auto ascii = text::domain_to_ascii(name);
    if (!ascii || ascii->empty())
      return fmt::format("\"{}\" is no domain name", text::printable(name, 100));
    name = text::to_lower(*ascii);
  }
  into = *std::move(names);
  return {};
}

std::string read_count(const text::TomlEntry& entry, std::optional<std::size_t>& into) {
  const auto number = text::toml_integer(entry);
  if (!number || *number < 1 || std::cmp_greater(*number, limit_max))
    return fmt::format("expected a number from 1 to {}", limit_max);
  into = static_cast<std::size_t>(*number);
  return {};
}

std::string read_time(std::string_view text, std::chrono::seconds& into) {
  const auto span = text::parse_duration(text);
  if (!span || *span < std::chrono::seconds(1) || *span > time_max)
    return fmt::format("expected a time from 1s to {}, as \"30m\"", text::duration_text(time_max));
  into = std::chrono::duration_cast<std::chrono::seconds>(*span);
  return {};
}

std::string read_rate(const text::TomlEntry& entry, std::optional<Rate>& into) {
  constexpr std::string_view expected = "expected a count in a time, as \"600/1h\"";
  const auto* text = text::toml_string(entry);
  const auto rate = text == nullptr ? std::nullopt : parse_rate(*text);
  if (!rate) return std::string(expected);
  into = rate;
  return {};
}

std::string read_patterns(const text::TomlEntry& entry, std::vector<std::string>& into) {
  auto patterns = text::toml_strings(entry);
  if (!patterns || patterns->empty()) return "expected a list of patterns, as ['too many']";
  for (const std::string& pattern : *patterns) {
    if (auto problem = text::pattern_problem(pattern); !problem.empty()) return problem;
  }
  into = *std::move(patterns);
  return {};
}

std::string read_reaction(const text::TomlEntry& entry, Reaction& into) {
  const auto* text = text::toml_string(entry);
  const auto* const found = text == nullptr
                                ? reaction_words.end()
                                : std::ranges::find(reaction_words, std::string_view(*text));
  if (found == reaction_words.end())
    return fmt::format("expected \"{}\"", fmt::join(reaction_words, "\", \""));
  into = static_cast<Reaction>(found - reaction_words.begin());
  return {};
}

std::string read_reply_entry(const text::TomlEntry& entry, ReplyRule& rule) {
  const std::string& key = entry.path.back();
  if (key == "patterns") return read_patterns(entry, rule.patterns);
  if (key == "action") return read_reaction(entry, rule.reaction);
  const auto* text = text::toml_string(entry);
  if (key == "time") return read_time(text == nullptr ? std::string_view() : *text, rule.time);
  if (key != "note") return text::unknown_word("key", key, reply_keys);
  if (text == nullptr || text->size() > note_bytes_max)
    return fmt::format("expected a text of at most {} bytes", note_bytes_max);
  rule.note = *text;
  return {};
}

// "connections", "message_rate" or "connection_rate"; nothing when it is another.
std::optional<std::string> read_load_entry(const text::TomlEntry& entry,
                                           std::string_view limit,
                                           LoadLimits& limits) {
  if (limit == "connections") return read_count(entry, limits.connections_max);
  if (limit == "message_rate") return read_rate(entry, limits.messages);
  if (limit == "connection_rate") return read_rate(entry, limits.connections);
  return {};
}

std::string read_provider_entry(const text::TomlEntry& entry, Provider& provider) {
  const std::string& key = entry.path.back();
  SiteLimits& limits = provider.limits;
  if (key == "mx") return read_names(entry, provider.mx_suffixes);
  if (key == "domains") return read_names(entry, provider.domains);
  if (key == "messages_per_connection")
    return read_count(entry, limits.messages_per_connection_max);
  if (key == "recipients_per_transaction")
    return read_count(entry, limits.recipients_per_transaction_max);
  if (key == "daily_warm_up_start") return read_count(entry, provider.daily_warm_up_start);
  const std::string_view word = key;
  for (const auto& [scope, load] :
       {std::pair{"_per_source"sv, &limits.per_source}, {"_per_site"sv, &limits.per_site}}) {
    if (!word.ends_with(scope)) continue;
    if (auto wrong = read_load_entry(entry, word.substr(0, word.size() - scope.size()), *load))
      return *std::move(wrong);
  }
  return text::unknown_word("key", key, provider_keys);
}

}  // namespace

class TableReader {
 public:
  void read(std::string_view toml, std::string_view file_name) {
    file_name_ = file_name;
    for (auto& [name, draft] : drafts_) draft.added = 0;
    const auto text = text::read_toml(toml);
    for (const auto& wrong : text.problems) problem(wrong.place, wrong.what);
    for (const auto& entry : text.entries) {
      if (const auto wrong = read_entry(entry); !wrong.empty())
        problem(entry.place, fmt::format("{}: {}", text::toml_path_text(entry.path), wrong));
    }
  }

  Result<ProviderTable> finish() {
    ProviderTable table;
    for (auto& [name, draft] : drafts_) {
      finish_provider(draft);
      if (name == name_of_any) {
        table.any_ = std::move(draft.provider);
        continue;
      }
      const Provider& provider = draft.provider;
      const auto index = table.providers_.size();
      for (const auto& suffix : provider.mx_suffixes)
        claim(table, table.by_suffix_, suffix, index, draft);
      for (const auto& domain : provider.domains)
        claim(table, table.by_domain_, domain, index, draft);
      table.providers_.push_back(std::move(draft.provider));
    }
    if (!problems_.empty())
      return fail(Code::invalid, fmt::format("{}", fmt::join(problems_, "\n")));
    return table;
  }

 private:
  struct Draft {
    Provider provider;
    text::TomlPlace place;  // in the last file that speaks of it
    std::string file_name;
    std::size_t added = 0;  // replies that the file being read has added: they come first
  };
  using Owners = std::map<std::string, std::size_t, std::less<>>;

  void problem(const text::TomlPlace& place, std::string_view what) {
    problems_.push_back(fmt::format("{}:{}: {}", file_name_, place.line, what));
  }
  void problem(const Draft& draft, std::string_view what) {
    problems_.push_back(
        fmt::format("{}:{}: {}: {}", draft.file_name, draft.place.line, draft.provider.name, what));
  }

  std::string read_entry(const text::TomlEntry& entry) {
    const std::string& name = entry.path.front();
    if (entry.path.size() == 1 && !std::holds_alternative<text::TomlEmptyTable>(entry.value))
      return "expected a table of a provider, as [example]";
    if (drafts_.size() >= providers_max && !drafts_.contains(name))
      return fmt::format("more than {} providers", providers_max);
    Draft& draft = drafts_[name];
    if (draft.file_name != file_name_) {
      draft.file_name = file_name_;
      draft.place = entry.place;
    }
    draft.provider.name = name;
    if (entry.path.size() == 1) return {};
    if (entry.path[1] != "replies")
      return entry.path.size() == 2 ? read_provider_entry(entry, draft.provider)
                                    : text::unknown_word("key", entry.path[1], provider_keys);
    if (entry.path.size() != 4)
      return fmt::format("expected a table of a reply, as [{}.replies.example]", name);
    ReplyRule* rule = reply(draft, entry.path[2]);
    if (rule == nullptr) return fmt::format("more than {} replies", replies_max);
    return read_reply_entry(entry, *rule);
  }

  // The draft's reply of that name, made when there is none; null when there are too many.
  static ReplyRule* reply(Draft& draft, std::string_view own_name) {
    auto& replies = draft.provider.replies;
    const auto name = fmt::format("{}/{}", draft.provider.name, own_name);
    const auto found = std::ranges::find(replies, name, &ReplyRule::name);
    if (found != replies.end()) return &*found;
    if (replies.size() >= replies_max) return nullptr;
    ReplyRule made;
    made.name = name;
    const auto place = replies.begin() + static_cast<std::ptrdiff_t>(draft.added++);
    return &*replies.insert(place, std::move(made));
  }

  void finish_provider(Draft& draft) {
    Provider& provider = draft.provider;
    const bool has_hosts = !provider.mx_suffixes.empty() || !provider.domains.empty();
    if (provider.name == name_of_any && has_hosts)
      problem(draft, "it is for all: no mx, no domains");
    if (provider.name != name_of_any && !has_hosts)
      problem(draft, "expected mx = [...] or domains = [...], to know it by");
    std::vector<std::string> patterns;
    for (const ReplyRule& rule : provider.replies) {
      if (rule.patterns.empty()) problem(draft, fmt::format("{}: patterns are missing", rule.name));
      if (needs_time(rule.reaction) && rule.time == std::chrono::seconds(0))
        problem(draft,
                fmt::format(
                    "{}: {} needs a time, as time = \"30m\"", rule.name, text_of(rule.reaction)));
      patterns.push_back(text::any_of(rule.patterns));
    }
    auto compiled = text::PatternSet::compile(patterns);
    if (compiled)
      provider.patterns = *std::move(compiled);
    else
      problem(draft, compiled.error().what);
  }

  void claim(const ProviderTable& table,
             Owners& owners,
             const std::string& name,
             std::size_t index,
             const Draft& draft) {
    const auto [owner, is_new] = owners.emplace(name, index);
    if (!is_new && owner->second != index)
      problem(draft,
              fmt::format("{} belongs to {} already", name, table.providers_[owner->second].name));
  }

  std::string file_name_;
  std::map<std::string, Draft, std::less<>> drafts_;
  std::vector<std::string> problems_;
};

Result<ProviderTable> read_providers(std::string_view toml, std::string_view file_name) {
  TableReader reader;
  reader.read(shipped::providers(), "providers.toml (shipped)");
  reader.read(toml, file_name);
  return reader.finish();
}

std::optional<Rate> parse_rate(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return {};
  const auto count = text::to_number<std::size_t>(text.substr(0, slash));
  Rate rate;
  if (!count || *count < 1 || *count > limit_max) return {};
  if (!read_time(text.substr(slash + 1), rate.in).empty()) return {};
  rate.count = *count;
  return rate;
}

}  // namespace tapal::shaping
