#include "rules/provision/pasted_message.h"

#include <algorithm>

#include <fmt/format.h>

#include "protocols/mailauth/domain_name.h"
#include "rules/provision/pasted_header.h"
#include "values/mail/address.h"
#include "values/text/ascii.h"
#include "values/text/date.h"
#include "values/text/duration.h"

namespace tapal::provision {
namespace {

using mailauth::AuthMethod;

constexpr std::chrono::seconds delay_long{60};
constexpr std::chrono::seconds delay_most = std::chrono::days(3660);

std::string domain_of_from(const PastedHeader& header) {
  const auto* from = header.find("from");
  if (from == nullptr) return {};
  const auto list = mail::parse_mailbox_list(*from, 1);
  return list && !list->empty() ? list->front().address.domain : std::string();
}

// "'PASS' with domain 123.com Learn more" to "pass".
std::string first_word(std::string_view row) {
  const auto words = text::words(row);
  std::string word;
  if (!words.empty())
    for (const char c : words.front())
      if (text::is_alpha(c)) word += text::to_lower(c);
  return word;
}

std::string property(const AuthMethod& method, std::string_view name) {
  const auto found = std::ranges::find(method.properties, name, &mailauth::AuthProperty::name);
  return found == method.properties.end() ? std::string() : text::printable(found->value, 253);
}

// d= where it is told, else the domain of i=.
std::string signer(const AuthMethod& method) {
  auto domain = property(method, "d");
  if (!domain.empty()) return domain;
  const auto identity = property(method, "i");
  return identity.substr(identity.find('@') + 1);
}

bool is_aligned(const std::string& domain, const std::string& from) {
  return from.empty() || domain.empty() || mailauth::is_same_or_below(domain, from) ||
         mailauth::is_same_or_below(from, domain);
}

class Grader {
 public:
  explicit Grader(const PastedHeader& header) : header_(header), results_(results_of(header)) {
    graded_.from = domain_of_from(header);
    if (results_) graded_.receiver = text::printable(results_->authserv_id, 100);
  }

  PastedMessage grade() {
    grade_spf();
    grade_dkim();
    grade_dmarc();
    grade_arc();
    grade_hop();
    grade_delay();
    return std::move(graded_);
  }

 private:
  void add(std::string_view what,
           Severity severity,
           const std::string& seen,
           std::string expected = {},
           std::string fix = {}) {
    graded_.findings.push_back({fmt::format("paste.{}", what),
                                graded_.from,
                                severity,
                                text::printable(seen, 300),
                                std::move(expected),
                                std::move(fix)});
  }
  std::vector<const AuthMethod*> of_method(std::string_view name) const {
    std::vector<const AuthMethod*> found;
    if (results_)
      for (const auto& method : results_->methods)
        if (method.method == name) found.push_back(&method);
    return found;
  }
  std::string command(std::string_view family) const {
    return fmt::format("tapal doctor {} --only {}", graded_.from, family);
  }

  // What Authentication-Results says, else a row of Gmail's page, else "".
  std::string result_of(const std::string& method) const {
    const auto found = of_method(method);
    if (!found.empty()) return found.front()->result;
    const auto* row = header_.find(method);
    return row == nullptr ? std::string() : first_word(*row);
  }

  void grade_spf() {
    auto result = result_of("spf");
    if (result.empty())
      if (const auto* received = header_.find("received-spf")) result = first_word(*received);
    const auto methods = of_method("spf");
    const auto domain = methods.empty() ? std::string() : property(*methods.front(), "mailfrom");
    const auto shown = domain.empty() ? result : fmt::format("{} for {}", result, domain);
    if (result.empty())
      return add("spf", Severity::warning, "the receiver tells nothing of SPF", "spf=pass");
    if (result == "pass") return add("spf", Severity::ok, shown);
    add("spf",
        result == "none" || result == "neutral" || result == "softfail" ? Severity::warning
                                                                        : Severity::error,
        shown,
        "pass",
        command("spf"));
  }

  void grade_dkim() {
    std::string failed;
    std::string foreign;
    for (const auto* method : of_method("dkim")) {
      const auto domain = signer(*method);
      if (method->result != "pass")
        failed = fmt::format("{} for {}", method->result, domain.empty() ? "?" : domain);
      else if (is_aligned(domain, graded_.from))
        return add("dkim", Severity::ok, "pass for " + (domain.empty() ? graded_.from : domain));
      else
        foreign = domain;
    }
    if (of_method("dkim").empty()) {
      const auto result = result_of("dkim");
      if (result == "pass") return add("dkim", Severity::ok, "pass");
      failed = result;
    }
    if (!foreign.empty() && failed.empty())
      return add("dkim",
                 Severity::warning,
                 fmt::format("signed by {} alone, not by {}", foreign, graded_.from),
                 "a signature of the author's domain",
                 command("dkim"));
    if (failed.empty() || failed.starts_with("none"))
      return add(
          "dkim", Severity::error, "the message is not signed", "dkim=pass", command("dkim"));
    add("dkim",
        Severity::error,
        failed,
        "pass: the key in DNS is another one, or something changed the message on its way",
        command("dkim"));
  }

  void grade_dmarc() {
    const auto result = result_of("dmarc");
    if (result == "pass") return add("dmarc", Severity::ok, "pass");
    if (result == "bestguesspass")  // Outlook's word: it would pass if there were a record
      return add(
          "dmarc", Severity::warning, "no record (bestguesspass)", "a record", command("dmarc"));
    if (result.empty() || result == "none")
      return add(
          "dmarc", Severity::warning, "the domain has no DMARC record", "pass", command("dmarc"));
    add("dmarc",
        Severity::error,
        result,
        "pass: SPF or DKIM for the domain in From",
        command("dmarc"));
  }

  void grade_arc() {
    const auto result = result_of("arc");
    if (result == "fail")
      return add("arc",
                 Severity::warning,
                 "fail: a forwarder before the last one broke the chain",
                 "pass");
    if (result == "pass") return add("arc", Severity::ok, "pass");
    const bool is_sealed = header_.find("arc-seal") != nullptr;
    add("arc", Severity::ok, is_sealed ? "sealed by the receiver" : "not forwarded");
  }

  void grade_hop() {
    const auto hop = border_hop(header_);
    std::optional<IpAddress> address;
    if (hop) address = hop->address;
    if (const auto* row = header_.find("spf"); row != nullptr && !address)
      address = address_in(*row);
    if (!address) {
      add("ipv6",
          Severity::info,
          "no address of the sending server to be seen",
          "a Received field");
    } else {
      add("ipv6",
          address->is_v4() ? Severity::info : Severity::ok,
          "sent from " + address->text(),
          address->is_v4() ? "an IPv6 address where receivers take it" : "");
    }
    grade_tls(hop);
  }

  void grade_tls(const std::optional<BorderHop>& hop) {
    if (!hop) return add("tls", Severity::info, "no hop to be seen", "a Received field");
    const auto lower = text::to_lower(hop->text);
    const auto at = std::min(lower.find("version=tls"), lower.find("using tls"));
    const bool has_protocol = lower.find(" with esmtps") != lower.npos ||
                              lower.find(" with utf8smtps") != lower.npos || at != lower.npos;
    if (!has_protocol)
      return add("tls",
                 Severity::error,
                 "the message went in clear",
                 "TLS",
                 "set delivery.tls to opportunistic or required");
    auto version = at == lower.npos ? std::string("TLS") : lower.substr(lower.find("tls", at), 7);
    std::erase_if(version, [](char c) { return !text::is_alnum(c) && c != '_' && c != '.'; });
    const bool is_old = version.starts_with("tls1_0") || version.starts_with("tls1_1") ||
                        version.starts_with("tlsv1.0") || version.starts_with("tlsv1.1");
    if (is_old) return add("tls", Severity::warning, text::to_upper(version), "TLS 1.2 or 1.3");
    add("tls", Severity::ok, text::to_upper(version));
  }

  void grade_delay() {
    const auto delay = delay_of();
    if (!delay) return add("delay", Severity::info, "cannot be told", "dates of two hops");
    const auto shown = text::duration_text(std::max(*delay, std::chrono::seconds(0)));
    if (*delay < delay_long) return add("delay", Severity::ok, shown);
    add("delay",
        Severity::warning,
        shown,
        "less than a minute",
        "tapal queue list, and the Received fields from below upwards tell where it waited");
  }

  // "(Delivered after 3 seconds)", else from the author's Date to the topmost hop.
  std::optional<std::chrono::seconds> delay_of() const {
    if (const auto* created = header_.find("created at"))
      if (const auto told = told_delay(*created)) return told;
    const auto hops = header_.all("received");
    const auto* date = header_.find("date");
    if (hops.empty() || date == nullptr) return {};
    const auto sent = text::parse_rfc5322_date(*date);
    const auto semicolon = hops.front().rfind(';');
    if (!sent || semicolon == std::string_view::npos) return {};
    const auto arrived = text::parse_rfc5322_date(hops.front().substr(semicolon + 1));
    if (!arrived) return {};
    return std::chrono::floor<std::chrono::seconds>(*arrived - *sent);
  }

  static std::optional<std::chrono::seconds> told_delay(std::string_view row) {
    constexpr std::string_view lead = "Delivered after ";
    const auto at = row.find(lead);
    if (at == row.npos) return {};
    const auto words = text::words(row.substr(at + lead.size()));
    if (words.size() < 2) return {};
    const auto number = text::to_number<std::int64_t>(words[0]);
    if (!number || *number < 0 || *number > delay_most.count()) return {};
    const auto unit = words[1].starts_with("second")   ? 1
                      : words[1].starts_with("minute") ? 60
                                                       : 3600;
    return std::min(std::chrono::seconds(*number * unit), delay_most);
  }

  const PastedHeader& header_;
  std::optional<mailauth::AuthenticationResults> results_;
  PastedMessage graded_;
};

}  // namespace

Result<PastedMessage> grade_paste(std::string_view text) {
  const PastedHeader header(text.substr(0, pasted_bytes_max));
  const bool has_any = header.find("received") != nullptr || header.find("spf") != nullptr ||
                       header.find("authentication-results") != nullptr;
  if (!has_any)
    return fail(Code::invalid,
                "this is no header of a received message: in Gmail choose \"Show original\", in "
                "Outlook \"View message source\", copy all of it and paste it here");
  return Grader(header).grade();
}

}  // namespace tapal::provision
