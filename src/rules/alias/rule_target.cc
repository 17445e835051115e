#include "rules/alias/rule_target.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/ip_address.h"
#include "rules/alias/alias_line.h"
#include "values/mail/grammar.h"
#include "values/text/ascii.h"
#include "values/text/idna.h"

namespace tapal::alias {
namespace {

using mail::Handover;

std::unexpected<Error> wrong(std::string_view text, std::string_view what) {
  return fail(Code::invalid, fmt::format("\"{}\" {}", text::printable(text, 80), what));
}

// A host name in A-labels or an address literal in brackets, and a port: "mx.example.net:2525".
// Nothing when it is none.
std::optional<std::string> read_place(std::string_view text) {
  std::string_view port;
  const std::size_t colon = text.rfind(':');
  if (colon != text.npos && !text.ends_with(']')) {
    port = text.substr(colon);
    const auto number = text::to_number<std::uint16_t>(port.substr(1));
    if (!number || *number == 0) return {};
    text = text.substr(0, colon);
  }
  if (text.starts_with('[')) {
    if (!text.ends_with(']')) return {};
    const auto address = IpAddress::from_text(text.substr(1, text.size() - 2));
    if (!address) return {};
    return fmt::format("[{}]{}", address->text(), port);
  }
  if (const auto address = IpAddress::from_text(text); address && !text.contains(':'))
    return fmt::format("{}{}", address->text(), port);
  const auto name = text::domain_to_ascii(text);
  if (!name) return {};
  return *name + std::string(port);
}

bool is_absolute_path(std::string_view text) {
  return text.starts_with('/') && !mail::has_control(text);
}

bool is_lmtp_place(std::string_view text) {
  constexpr std::string_view unix_socket = "unix:";
  if (text.starts_with(unix_socket)) return is_absolute_path(text.substr(unix_socket.size()));
  const auto place = read_place(text);
  return place && place->find_last_of(':') != place->npos && !place->ends_with(']');
}

bool is_http_url(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text::starts_with_ignoring_case(text, scheme)) continue;
    const std::string_view rest = text.substr(scheme.size());
    const bool has_host = !rest.empty() && !std::string_view("/?#:").contains(rest.front());
    return has_host && text::is_ascii(text) && !mail::has_control(text) && !text.contains(' ');
  }
  return false;
}

// ":word:" with one word behind it, and what that must be. No error repeats the word, nor a
// program's arguments: they may be secret.
struct Directive {
  std::string_view name;
  Handover::Kind kind;
  bool (*is_good)(std::string_view);
  std::string_view expected;
};
constexpr std::array directives{
    Directive{":maildir:", Handover::Kind::maildir, is_absolute_path, "an absolute path"},
    Directive{":lmtp:", Handover::Kind::lmtp, is_lmtp_place, "unix:/path or host:port"},
    Directive{":http:", Handover::Kind::http, is_http_url, "a URL: https://host/path"},
};

Result<std::string> read_one_word(std::string_view text, std::string_view expected) {
  TAPAL_TRY(auto words, split_words(text));
  if (words.size() != 1 || words[0].empty() || words[0].size() > handover_bytes_max)
    return fail(Code::invalid,
                fmt::format("expected {} and nothing more; quote one with spaces or commas in it",
                            expected));
  return std::move(words[0]);
}

Result<RuleTarget> read_program(std::string_view text) {
  TAPAL_TRY(auto words, split_words(text.substr(1)));
  if (words.empty() || !is_absolute_path(words[0]))
    return fail(Code::invalid, "a program is named by its absolute path: | /path/program argument");
  if (words.size() > program_arguments_max)
    return fail(Code::invalid,
                fmt::format("a program has more than {} arguments", program_arguments_max));
  return RuleTarget{
      RuleTarget::Kind::handed, {}, {Handover::Kind::program, {}, std::move(words)}, {}};
}

Result<RuleTarget> read_rejection(std::string_view text) {
  if (text.size() > reject_text_bytes_max || !text::is_ascii(text) || mail::has_control(text))
    return wrong(text,
                 fmt::format("cannot be said in a reply: it has at most {} characters, all ASCII",
                             reject_text_bytes_max));
  return RuleTarget{RuleTarget::Kind::reject, {}, {}, std::string(text)};
}

Result<RuleTarget> read_directive(std::string_view text) {
  const std::size_t end = text.find(':', 1);
  const std::string name = text::to_lower(text.substr(0, end == text.npos ? end : end + 1));
  const std::string_view rest = text::trim(text.substr(name.size()));
  if (name == ":reject:") return read_rejection(rest);
  if (name == ":keep:") {
    if (!rest.empty()) return wrong(text, "has something behind :keep:; a comma parts targets");
    return RuleTarget{.kind = RuleTarget::Kind::keep};
  }
  if (name == ":include:") {
    TAPAL_TRY(auto file, read_one_word(rest, "the name of a file"));
    return RuleTarget{RuleTarget::Kind::include, {}, {}, std::move(file)};
  }
  const auto* const found = std::ranges::find(directives, name, &Directive::name);
  if (found == directives.end())
    return wrong(text, "is none of :keep:, :maildir:, :lmtp:, :http:, :include: and :reject:");
  TAPAL_TRY(auto word, read_one_word(rest, found->expected));
  if (!found->is_good(word))
    return fail(Code::invalid, fmt::format("what follows {} is not {}", name, found->expected));
  return RuleTarget{RuleTarget::Kind::handed, {}, {found->kind, std::move(word), {}}, {}};
}

// Takes "via host" off the end; usual when it is not there.
Result<Handover> take_via(std::string_view& text) {
  constexpr std::string_view via = "via";
  const std::size_t host = text.find_last_of(" \t");
  if (host == text.npos) return Handover{};
  const std::string_view before = text::trim(text.substr(0, host));
  if (!before.ends_with(via) || before.size() == via.size()) return Handover{};
  if (!text::is_white_space(before[before.size() - via.size() - 1])) return Handover{};
  const std::string_view name = text.substr(host + 1);
  auto place = read_place(name);
  if (!place) return wrong(name, "is no host after \"via\": name one, or name:port");
  text = text::trim(before.substr(0, before.size() - via.size()));
  return Handover{Handover::Kind::host, *std::move(place), {}};
}

// The number of a group at text[at], "\1"; nothing when there is none.
std::optional<std::size_t> group_at(std::string_view text, std::size_t at) {
  if (text[at] != '\\' || at + 1 == text.size() || !text::is_digit(text[at + 1])) return {};
  return static_cast<std::size_t>(text[at + 1] - '0');
}

std::string filled(std::string_view local_form,
                   std::string_view local,
                   const std::vector<std::string>& captures) {
  if (local_form == "*") return std::string(local);
  std::string text;
  for (std::size_t i = 0; i < local_form.size(); ++i) {
    if (const auto group = group_at(local_form, i)) {
      if (*group < captures.size()) text += captures[*group];
      ++i;
    } else {
      text += local_form[i];
    }
  }
  return text;
}

// A local part and a domain, where the local part names groups or is "*".
Result<RuleTarget> read_mapped(std::string_view text, const TargetPlace& place) {
  const std::size_t at = text.rfind('@');
  const std::string_view local = text.substr(0, at);
  const std::string_view domain = at == text.npos ? place.domain : text.substr(at + 1);
  for (std::size_t i = 0; i < local.size(); ++i) {
    const auto group = group_at(local, i);
    if (group && (!place.has_pattern || *group > place.captures))
      return fail(Code::invalid,
                  fmt::format("\\{} is a group that the alias does not have", *group));
  }
  // Groups are tried with one character in each: the rest must be what an address may have.
  const std::vector<std::string> sample(place.captures + 1, "x");
  TAPAL_TRY(auto address,
            mail::parse_address(fmt::format("{}@{}", filled(local, "x", sample), domain)));
  address.local = local;
  return RuleTarget{RuleTarget::Kind::mapped, std::move(address), {}, {}};
}

bool is_mapped(std::string_view text) {
  const std::string_view local = text.substr(0, text.rfind('@'));
  if (local == "*") return true;
  if (text.starts_with('"')) return false;
  for (std::size_t i = 0; i < local.size(); ++i)
    if (group_at(local, i)) return true;
  return false;
}

Result<RuleTarget> read_address(std::string_view text, const TargetPlace& place) {
  TAPAL_TRY(auto handover, take_via(text));
  auto target = [&]() -> Result<RuleTarget> {
    if (is_mapped(text)) return read_mapped(text, place);
    const bool has_domain = text.rfind('@') != text.npos && !text.ends_with('"');
    TAPAL_TRY(auto address,
              mail::parse_address(has_domain ? std::string(text)
                                             : fmt::format("{}@{}", text, place.domain)));
    return RuleTarget{RuleTarget::Kind::address, std::move(address), {}, {}};
  }();
  if (!target)
    return wrong(text,
                 fmt::format("is neither a local part nor an address: {}", target.error().what));
  target->handover = std::move(handover);
  return target;
}

}  // namespace

Result<RuleTarget> read_target(std::string_view text, const TargetPlace& place) {
  if (text.empty()) return fail(Code::invalid, "an empty target");
  if (text.starts_with('|')) return read_program(text);
  if (text.starts_with(':')) return read_directive(text);
  return read_address(text, place);
}

Result<mail::Address> fill(const RuleTarget& target,
                           std::string_view local,
                           const std::vector<std::string>& captures) {
  return mail::make_address(filled(target.address.local, local, captures), target.address.domain);
}

std::string text_of(const Handover& handover) {
  switch (handover.kind) {
    case Handover::Kind::usual: return {};
    case Handover::Kind::host: return "via " + handover.target;
    case Handover::Kind::program: return fmt::format("| {}", fmt::join(handover.arguments, " "));
    case Handover::Kind::maildir: return ":maildir: " + handover.target;
    case Handover::Kind::lmtp: return ":lmtp: " + handover.target;
    case Handover::Kind::http: return ":http: " + handover.target;
  }
  return {};
}

}  // namespace tapal::alias
