#include "protocols/mailauth/spf_check.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "protocols/mailauth/reverse_name.h"
#include "protocols/mailauth/spf_explanation.h"
#include "values/dns/name.h"
#include "values/text/ascii.h"
#include "values/text/idna.h"

namespace tapal::mailauth {
namespace {

using Status = dns::LookupReply::Status;

bool is_void(const dns::LookupReply& reply) {
  return reply.status == Status::no_data || reply.status == Status::no_such_name;
}

std::vector<std::string_view> texts_of(const dns::LookupReply& reply) {
  std::vector<std::string_view> texts;
  for (const dns::Record& record : reply.records)
    if (const auto* text = std::get_if<dns::Text>(&record.data)) texts.push_back(text->value);
  return texts;
}

// By preference, so that those beyond the limit are always the same; no null MX (RFC 7505).
std::vector<std::string> exchanges_of(const dns::LookupReply& reply) {
  std::vector<dns::MailExchange> exchanges;
  for (const dns::Record& record : reply.records)
    if (const auto* exchange = std::get_if<dns::MailExchange>(&record.data))
      exchanges.push_back(*exchange);
  std::ranges::sort(exchanges);
  std::vector<std::string> names;
  for (dns::MailExchange& exchange : exchanges)
    if (!exchange.exchange.empty()) names.push_back(std::move(exchange.exchange));
  return names;
}

// A record whose terms are being tried.
struct Frame {
  std::string domain;  // %{d}
  SpfRecord record;
  std::size_t next = 0;     // of its terms; behind them is redirect
  std::size_t counted = 0;  // terms before this one have counted as lookups
};

}  // namespace

// Frames are the records that include each other, outermost first; redirect replaces the last.
struct SpfCheck::State {
  // What is awaited.
  enum class Step : std::uint8_t {
    policy,
    addresses,  // of mechanism a
    exchanges,
    exchange_addresses,
    existence,
    client_names,
    explanation,
    evaluate,  // nothing: the next term's turn has come
    done,
  };

  SpfQuestion question;
  SpfLimits limits;
  SpfResult result;
  Step step = Step::policy;
  dns::Lookup lookup;
  std::vector<Frame> frames;
  bool was_redirected = false;
  std::size_t lookup_terms = 0;
  std::size_t void_lookups = 0;
  std::vector<std::string> exchanges;  // of the mechanism mx
  std::size_t exchange = 0;            // the one being asked for
  ReverseNameCheck client_names;       // answered when a term has wanted them
  std::optional<SpfExplanation> explanation;

  State(SpfQuestion asked, SpfLimits within)
      : question(std::move(asked)), limits(within), client_names(question.ip) {
    start();
  }
  void start();
  std::optional<dns::Lookup> next_lookup() const;
  void on_reply(const dns::LookupReply& reply);

  void open_policy(std::string domain);
  void on_policy(const dns::LookupReply& reply);
  void no_policy(std::string_view domain, std::string_view why);

  void evaluate();
  void end_of_record();
  void begin(const SpfTerm& term);
  void begin_lookup(const SpfTerm& term);
  bool count_lookup();
  bool count_term();
  bool count_void();

  void on_addresses(const dns::LookupReply& reply);
  void on_existence(const dns::LookupReply& reply);
  void on_exchanges(const dns::LookupReply& reply);
  void on_exchange_addresses(const dns::LookupReply& reply);
  void next_exchange();
  bool is_answered(const dns::LookupReply& reply);
  bool is_usable(const dns::LookupReply& reply);
  bool covers_client(const dns::LookupReply& reply) const;

  bool needs_client_names(const std::optional<SpfMacroText>& text) const;
  void wait_for_client_names();
  void ask_for_macro_p();
  void match_client_names(const SpfTerm& term);

  const SpfTerm& term() const { return frames.back().record.terms.at(frames.back().next); }
  void match_if(bool matches);
  void skip_term();
  void conclude(SpfVerdict verdict, std::string reason);
  void settle(SpfVerdict verdict, std::string reason);

  void explain();

  SpfMacroValues macro_values() const;
  std::string target_of(const std::optional<SpfMacroText>& text) const;
  bool ask(std::string_view name, dns::Type type, Step then);
};

void SpfCheck::State::start() {
  const SpfIdentity& identity = question.identity;
  result.identity = identity.kind;
  result.domain = text::printable(identity.domain, text::domain_bytes_max);
  result.verdict = SpfVerdict::temperror;
  result.reason = "not yet checked";
  const auto longest =
      std::max({identity.local_part.size(), identity.domain.size(), question.helo.size()});
  const auto domain =
      longest <= limits.identity_bytes_max ? spf_domain(identity.domain) : std::nullopt;
  if (!domain)
    return settle(SpfVerdict::none,
                  fmt::format("\"{}\" is not a domain that can have a record", result.domain));
  question.identity.domain = *domain;
  result.domain = *domain;
  frames.emplace_back();
  open_policy(*domain);
}

std::optional<dns::Lookup> SpfCheck::State::next_lookup() const {
  switch (step) {
    case Step::done: return {};
    case Step::client_names: return client_names.next_lookup();
    case Step::explanation: return explanation ? explanation->next_lookup() : std::nullopt;
    default: return lookup;
  }
}

void SpfCheck::State::on_reply(const dns::LookupReply& reply) {
  switch (step) {
    case Step::policy: on_policy(reply); break;
    case Step::addresses: on_addresses(reply); break;
    case Step::exchanges: on_exchanges(reply); break;
    case Step::exchange_addresses: on_exchange_addresses(reply); break;
    case Step::existence: on_existence(reply); break;
    case Step::client_names:
      client_names.on_reply(reply);
      if (!client_names.next_lookup()) step = Step::evaluate;
      break;
    case Step::explanation:
      if (explanation) explanation->on_reply(reply);
      explain();
      break;
    case Step::evaluate:
    case Step::done: return;
  }
  while (step == Step::evaluate) evaluate();
}

// False when there can be no such name.
bool SpfCheck::State::ask(std::string_view name, dns::Type type, Step then) {
  auto asked = dns_name_of(name);
  if (!asked) return false;
  lookup = {*std::move(asked), type};
  step = then;
  return true;
}

// check_host() begins for the last frame (RFC 7208 sections 4.3 to 4.5).
void SpfCheck::State::open_policy(std::string domain) {
  Frame fresh;
  fresh.domain = std::move(domain);
  frames.back() = std::move(fresh);
  const std::string& name = frames.back().domain;
  if (!spf_domain(name) || !ask(name, dns::Type::txt, Step::policy))
    no_policy(name, "cannot have a record");
}

// "none" is a permerror where a record says that there is one (RFC 7208 sections 5.2 and 6.1).
void SpfCheck::State::no_policy(std::string_view domain, std::string_view why) {
  const bool is_first = frames.size() == 1 && !was_redirected;
  settle(is_first ? SpfVerdict::none : SpfVerdict::permerror,
         fmt::format("{} {}", text::printable(domain), why));
}

void SpfCheck::State::on_policy(const dns::LookupReply& reply) {
  Frame& frame = frames.back();
  const std::string domain = text::printable(frame.domain);
  if (reply.status == Status::failed)
    return settle(SpfVerdict::temperror, fmt::format("no answer from DNS about TXT {}", domain));
  auto policies = texts_of(reply);
  std::erase_if(policies, [](std::string_view text) { return !SpfRecord::has_version(text); });
  if (policies.empty()) return no_policy(frame.domain, "has no SPF record");
  if (policies.size() > 1)
    return settle(SpfVerdict::permerror, fmt::format("{} has several SPF records", domain));
  const std::string_view text = policies.front();
  if (text.size() > limits.record_bytes_max)
    return settle(
        SpfVerdict::permerror,
        fmt::format("the record of {} has more than {} bytes", domain, limits.record_bytes_max));
  result.records.push_back(fmt::format("{}: {}", domain, text::printable(text, text.size())));
  auto record = SpfRecord::parse(text);
  if (!record)
    return settle(SpfVerdict::permerror,
                  fmt::format("the record of {}: {}", domain, record.error().what));
  frame.record = *std::move(record);
  step = Step::evaluate;
}

void SpfCheck::State::evaluate() {
  const Frame& frame = frames.back();
  if (frame.next == frame.record.terms.size()) return end_of_record();
  begin(frame.record.terms[frame.next]);
}

// RFC 7208 sections 4.7 and 6.1.
void SpfCheck::State::end_of_record() {
  const auto& redirect = frames.back().record.redirect;
  if (!redirect)
    return conclude(SpfVerdict::neutral,
                    fmt::format("nothing in the record of {} matches {}",
                                text::printable(frames.back().domain),
                                question.ip.text()));
  if (!count_term()) return;
  if (needs_client_names(redirect)) return ask_for_macro_p();
  was_redirected = was_redirected || frames.size() == 1;
  open_policy(target_of(redirect));
}

// Counts one more question. False, with the result settled, when that is one too many.
bool SpfCheck::State::count_lookup() {
  if (++lookup_terms <= limits.lookup_terms_max) return true;
  settle(SpfVerdict::permerror,
         fmt::format("more than {} terms that ask DNS, in the record of {}",
                     limits.lookup_terms_max,
                     text::printable(frames.back().domain)));
  return false;
}

// The same for the term at hand: once, however often it is begun.
bool SpfCheck::State::count_term() {
  Frame& frame = frames.back();
  if (frame.counted > frame.next) return true;
  frame.counted = frame.next + 1;
  return count_lookup();
}

bool SpfCheck::State::count_void() {
  if (++void_lookups <= limits.void_lookups_max) return true;
  settle(SpfVerdict::permerror,
         fmt::format("more than {} terms for which DNS has nothing, in the record of {}",
                     limits.void_lookups_max,
                     text::printable(frames.back().domain)));
  return false;
}

void SpfCheck::State::begin(const SpfTerm& term) {
  switch (term.mechanism) {
    case SpfMechanism::all: return match_if(true);
    case SpfMechanism::ip4:
    case SpfMechanism::ip6: return match_if(term.covers(term.address, question.ip));
    default: break;
  }
  if (!count_term()) return;
  if (term.mechanism == SpfMechanism::ptr) {
    if (client_names.next_lookup()) return wait_for_client_names();
    return match_client_names(term);
  }
  if (needs_client_names(term.target)) return ask_for_macro_p();
  begin_lookup(term);
}

void SpfCheck::State::begin_lookup(const SpfTerm& term) {
  const std::string target = target_of(term.target);
  bool asked = true;
  switch (term.mechanism) {
    case SpfMechanism::include: frames.emplace_back(); return open_policy(target);
    case SpfMechanism::a: asked = ask(target, address_type(question.ip), Step::addresses); break;
    case SpfMechanism::mx: asked = ask(target, dns::Type::mx, Step::exchanges); break;
    // Always A, for IPv6 clients too (RFC 7208 section 5.7).
    case SpfMechanism::exists: asked = ask(target, dns::Type::a, Step::existence); break;
    default: break;
  }
  // A name that cannot be matches nothing; RFC 7208 section 4.8 leaves it open.
  if (!asked) match_if(false);
}

bool SpfCheck::State::needs_client_names(const std::optional<SpfMacroText>& text) const {
  return text && text->uses('p') && client_names.next_lookup();
}

void SpfCheck::State::wait_for_client_names() { step = Step::client_names; }

// RFC 7208 section 4.6.4: what %{p} asks counts, too.
void SpfCheck::State::ask_for_macro_p() {
  if (count_lookup()) wait_for_client_names();
}

// RFC 7208 section 5.5. DNS errors make no match here, and no temperror.
void SpfCheck::State::match_client_names(const SpfTerm& term) {
  const IprevResult found = client_names.result();
  if (found.verdict == IprevVerdict::permerror && !count_void()) return;
  const auto target = dns_name_of(target_of(term.target));
  match_if(target && std::ranges::any_of(found.names, [&target](const std::string& name) {
             return dns::is_subdomain_of(name, *target);
           }));
}

// False, with the result settled, when DNS did not answer.
bool SpfCheck::State::is_answered(const dns::LookupReply& reply) {
  if (reply.status != Status::failed) return true;
  settle(SpfVerdict::temperror,
         fmt::format("no answer from DNS about {} {}, for \"{}\" of {}",
                     dns::type_text(lookup.type),
                     lookup.name,
                     term().text,
                     text::printable(frames.back().domain)));
  return false;
}

bool SpfCheck::State::is_usable(const dns::LookupReply& reply) {
  return is_answered(reply) && (!is_void(reply) || count_void());
}

void SpfCheck::State::on_existence(const dns::LookupReply& reply) {
  if (is_usable(reply)) match_if(!reply.records.empty());
}

void SpfCheck::State::on_addresses(const dns::LookupReply& reply) {
  if (is_usable(reply)) match_if(covers_client(reply));
}

void SpfCheck::State::on_exchanges(const dns::LookupReply& reply) {
  if (!is_usable(reply)) return;
  exchanges = exchanges_of(reply);
  exchange = 0;
  next_exchange();
}

// Exchanges without addresses are no void lookups: RFC 7208 section 4.6.4 counts terms.
void SpfCheck::State::on_exchange_addresses(const dns::LookupReply& reply) {
  if (!is_answered(reply)) return;
  if (covers_client(reply)) return match_if(true);
  ++exchange;
  next_exchange();
}

void SpfCheck::State::next_exchange() {
  if (exchange == exchanges.size()) return match_if(false);
  if (exchange == limits.exchanges_max)
    return settle(SpfVerdict::permerror,
                  fmt::format("\"{}\" of {} leads to more than {} names",
                              term().text,
                              text::printable(frames.back().domain),
                              limits.exchanges_max));
  lookup = {exchanges[exchange], address_type(question.ip)};
  step = Step::exchange_addresses;
}

bool SpfCheck::State::covers_client(const dns::LookupReply& reply) const {
  return std::ranges::any_of(reply.records, [this](const dns::Record& record) {
    const auto* address = std::get_if<IpAddress>(&record.data);
    return address != nullptr && term().covers(*address, question.ip);
  });
}

void SpfCheck::State::match_if(bool matches) {
  if (!matches) return skip_term();
  conclude(term().verdict,
           fmt::format("\"{}\" of {} matches {}",
                       term().text,
                       text::printable(frames.back().domain),
                       question.ip.text()));
}

void SpfCheck::State::skip_term() {
  ++frames.back().next;
  step = Step::evaluate;
}

// The last frame has come to a verdict other than an error.
void SpfCheck::State::conclude(SpfVerdict verdict, std::string reason) {
  while (frames.size() > 1) {
    frames.pop_back();
    if (verdict != SpfVerdict::pass) return skip_term();  // RFC 7208 section 5.2
    verdict = term().verdict;
    reason += fmt::format(", included by {}", text::printable(frames.back().domain));
  }
  const Frame& frame = frames.back();
  if (frame.next < frame.record.terms.size()) result.mechanism = term().text;
  settle(verdict, std::move(reason));
  if (verdict != SpfVerdict::fail || !frame.record.explanation) return;
  explanation.emplace(
      *frame.record.explanation, macro_values(), client_names, limits.explanation_bytes_max);
  explain();
}

void SpfCheck::State::explain() {
  if (!explanation) return;
  step = explanation->next_lookup() ? Step::explanation : Step::done;
  result.explanation = explanation->text();
}

void SpfCheck::State::settle(SpfVerdict verdict, std::string reason) {
  result.verdict = verdict;
  result.reason = std::move(reason);
  step = Step::done;
}

SpfMacroValues SpfCheck::State::macro_values() const {
  return {.local_part = question.identity.local_part,
          .sender_domain = question.identity.domain,
          .domain = frames.back().domain,
          .helo = question.helo,
          .host_name = question.host_name,
          .client_name = spf_client_name(client_names.result().names, frames.back().domain),
          .ip = question.ip,
          .now = question.now};
}

std::string SpfCheck::State::target_of(const std::optional<SpfMacroText>& text) const {
  return text ? text->expand_domain(macro_values()) : frames.back().domain;
}

SpfCheck::SpfCheck(SpfQuestion question, SpfLimits limits)
    : state_(std::make_unique<State>(std::move(question), limits)) {}
SpfCheck::SpfCheck(SpfCheck&&) noexcept = default;
SpfCheck& SpfCheck::operator=(SpfCheck&&) noexcept = default;
SpfCheck::~SpfCheck() = default;

std::optional<dns::Lookup> SpfCheck::next_lookup() const { return state_->next_lookup(); }

void SpfCheck::on_reply(const dns::LookupReply& reply) { state_->on_reply(reply); }

void SpfCheck::on_time() {
  if (state_->step == State::Step::done) return;
  if (state_->step == State::Step::explanation)
    state_->step = State::Step::done;
  else
    state_->settle(SpfVerdict::temperror, "DNS took too long to answer all questions");
}

const SpfResult& SpfCheck::result() const { return state_->result; }

}  // namespace tapal::mailauth
