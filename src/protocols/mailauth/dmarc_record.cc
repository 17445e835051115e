#include "protocols/mailauth/dmarc_record.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "protocols/mailauth/dmarc_uri.h"
#include "values/text/ascii.h"

namespace tapal::mailauth {
namespace {

constexpr std::size_t notes_max = 16;

// One of the words that a tag can have, whatever their case; nothing for another.
template <class Value, std::size_t Count>
std::optional<Value> one_of(std::string_view word,
                            const std::array<std::pair<std::string_view, Value>, Count>& words) {
  for (const auto& [name, value] : words)
    if (text::equals_ignoring_case(word, name)) return value;
  return {};
}

constexpr std::array policy_words = {
    std::pair{std::string_view("none"), DmarcPolicy::none},
    std::pair{std::string_view("quarantine"), DmarcPolicy::quarantine},
    std::pair{std::string_view("reject"), DmarcPolicy::reject},
};
constexpr std::array alignment_words = {
    std::pair{std::string_view("r"), DmarcAlignment::relaxed},
    std::pair{std::string_view("s"), DmarcAlignment::strict},
};
constexpr std::array psd_words = {
    std::pair{std::string_view("u"), DmarcRecord::Psd::unknown},
    std::pair{std::string_view("n"), DmarcRecord::Psd::no},
    std::pair{std::string_view("y"), DmarcRecord::Psd::yes},
};
constexpr std::array yes_or_no = {
    std::pair{std::string_view("y"), true},
    std::pair{std::string_view("n"), false},
};

// dmarc-fo: "0" or "1", "d", "s" in any order, each once at most, "0" and "1" not both.
std::optional<DmarcFailureOptions> parse_failure_options(std::string_view value) {
  DmarcFailureOptions options;
  std::string seen;
  for (const std::string_view part : text::split(value, ':')) {
    const std::string option = text::to_lower(text::trim(part));
    const bool is_known = option.size() == 1 && std::string_view("01ds").contains(option);
    if (!is_known || seen.contains(option)) return {};
    seen += option;
  }
  if (seen.contains('0') && seen.contains('1')) return {};
  options.any_not_aligned = seen.contains('1');
  options.dkim = seen.contains('d');
  options.spf = seen.contains('s');
  return options;
}

// Reads tag after tag into a record.
class Reader {
 public:
  void read(std::string_view spec);
  DmarcRecord finish();

 private:
  struct KnownTag {
    std::string_view name;
    void (*take)(Reader& reader);
  };
  static const std::array<KnownTag, 13> known_tags;

  void note(std::string text) {
    if (record_.notes.size() < notes_max) record_.notes.push_back(std::move(text));
  }
  bool has(std::string_view name) const;
  // Into `field`, or a note: the default stays.
  template <class Field, class Value>
  void take(Field& field, const std::optional<Value>& value) {
    if (value) {
      field = *value;
    } else {
      note(fmt::format("{}={} is not a value it can have: ignored", name_, printable_value()));
    }
  }
  template <class Field>
  void take_policy(Field& field) {
    const auto policy = one_of(value_, policy_words);
    has_wrong_policy_ = has_wrong_policy_ || !policy;
    take(field, policy);
  }
  void take_uris(std::vector<std::string>& field);
  void take_percentage();
  void take_obsolete() { note(fmt::format("{}= means nothing since RFC 9989: ignored", name_)); }
  std::string printable_value() const { return text::printable(value_, 80); }

  DmarcRecord record_;
  std::string_view name_;  // of the tag being read
  std::string_view value_;
  std::array<bool, 13> seen_{};  // as known_tags
  std::optional<bool> testing_;
  bool is_zero_percent_ = false;
  bool has_wrong_policy_ = false;
};

const std::array<Reader::KnownTag, 13> Reader::known_tags = {{
    {"p", [](Reader& r) { r.take_policy(r.record_.policy); }},
    {"sp", [](Reader& r) { r.take_policy(r.record_.subdomain_policy); }},
    {"np", [](Reader& r) { r.take_policy(r.record_.nonexistent_policy); }},
    {"adkim",
     [](Reader& r) { r.take(r.record_.dkim_alignment, one_of(r.value_, alignment_words)); }},
    {"aspf", [](Reader& r) { r.take(r.record_.spf_alignment, one_of(r.value_, alignment_words)); }},
    {"fo", [](Reader& r) { r.take(r.record_.failure_options, parse_failure_options(r.value_)); }},
    {"rua", [](Reader& r) { r.take_uris(r.record_.aggregate_reports_to); }},
    {"ruf", [](Reader& r) { r.take_uris(r.record_.failure_reports_to); }},
    {"psd", [](Reader& r) { r.take(r.record_.psd, one_of(r.value_, psd_words)); }},
    {"t", [](Reader& r) { r.take(r.testing_, one_of(r.value_, yes_or_no)); }},
    {"pct", [](Reader& r) { r.take_percentage(); }},
    {"rf", [](Reader& r) { r.take_obsolete(); }},
    {"ri", [](Reader& r) { r.take_obsolete(); }},
}};

bool Reader::has(std::string_view name) const {
  const auto found = std::ranges::find(known_tags, name, &KnownTag::name);
  return seen_.at(static_cast<std::size_t>(found - known_tags.begin()));
}

void Reader::read(std::string_view spec) {
  const std::size_t equals = spec.find('=');
  const std::string_view name = text::trim(spec.substr(0, equals));
  if (equals == std::string_view::npos || name.empty()) {
    note(fmt::format("\"{}\" is no tag: ignored", text::printable(text::trim(spec), 80)));
    return;
  }
  const auto known = std::ranges::find_if(known_tags, [name](const KnownTag& tag) {
    return text::equals_ignoring_case(tag.name, name);
  });
  if (known == known_tags.end()) return;  // to be ignored, RFC 9989 section 4.7
  name_ = known->name;
  value_ = text::trim(spec.substr(equals + 1));
  bool& seen = seen_.at(static_cast<std::size_t>(known - known_tags.begin()));
  if (seen) {
    note(fmt::format("{}= is there twice: the first one counts", name_));
    return;
  }
  seen = true;
  known->take(*this);
}

void Reader::take_uris(std::vector<std::string>& field) {
  DmarcUris uris = parse_dmarc_uris(value_);
  field = std::move(uris.good);
  for (const std::string_view bad : uris.bad)
    note(fmt::format("{}= has \"{}\", which is no URI: ignored", name_, text::printable(bad, 80)));
  if (uris.has_size)
    note(fmt::format("{}= limits the size of reports: ignored since RFC 9989", name_));
}

// RFC 9989 appendix A.6: only 0 and 100 ever meant the same everywhere.
void Reader::take_percentage() {
  const auto percentage = text::to_number<unsigned>(value_);
  is_zero_percent_ = percentage == 0U;
  if (is_zero_percent_) {
    note("pct=0 is read as t=y");
  } else if (percentage != 100U) {
    note(fmt::format("pct={} means nothing since RFC 9989: ignored", printable_value()));
  }
}

DmarcRecord Reader::finish() {
  record_.testing = testing_.value_or(is_zero_percent_);
  record_.only_rfc7489 = !has("np") && !has("psd") && !has("t");
  if (!has("p") || has_wrong_policy_) {
    record_.policy = DmarcPolicy::none;
    record_.subdomain_policy.reset();
    record_.nonexistent_policy.reset();
    record_.applies = !record_.aggregate_reports_to.empty();
    record_.notes.insert(
        record_.notes.begin(),
        fmt::format("{}: {} (RFC 9989 section 4.10.1)",
                    has_wrong_policy_ ? "p=, sp= or np= has no policy's name" : "p= is missing",
                    record_.applies ? "read as p=none" : "without rua= the record means nothing"));
  }
  return std::move(record_);
}

// dmarc-version: nothing before "v"; "DMARC1" in capitals.
bool is_version(std::string_view spec) {
  const std::size_t equals = spec.find('=');
  return equals != std::string_view::npos && !spec.empty() && text::to_lower(spec.front()) == 'v' &&
         text::trim(spec.substr(1, equals - 1)).empty() &&
         text::trim(spec.substr(equals + 1)) == "DMARC1";
}

}  // namespace

std::string_view dmarc_policy_text(DmarcPolicy policy) {
  return policy_words.at(static_cast<std::size_t>(policy)).first;
}

Result<DmarcRecord> DmarcRecord::parse(std::string_view text) {
  const std::string_view version = text.substr(0, text.find(';'));
  if (!is_version(version)) return fail(Code::invalid, "it does not begin with \"v=DMARC1\"");
  if (text.size() > dmarc_record_bytes_max) {
    return fail(Code::invalid,
                fmt::format("a DMARC record of more than {} bytes", dmarc_record_bytes_max));
  }
  Reader reader;
  for (std::size_t begin = version.size() + 1; begin < text.size();) {
    const std::size_t end = std::min(text.find(';', begin), text.size());
    const std::string_view spec = text.substr(begin, end - begin);
    if (!text::trim(spec).empty()) reader.read(spec);
    begin = end + 1;
  }
  return reader.finish();
}

}  // namespace tapal::mailauth
