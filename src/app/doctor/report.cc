#include "app/doctor/report.h"

#include <algorithm>
#include <array>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "rules/provision/checks.h"
#include "values/text/ascii.h"

namespace tapal::app {
namespace {

namespace json = boost::json;
using provision::Audience;
using provision::Finding;
using provision::Requirement;
using provision::Severity;

std::size_t count(std::span<const Finding> findings, Severity severity) {
  return static_cast<std::size_t>(std::ranges::count(findings, severity, &Finding::severity));
}

std::string indented(std::string_view lead, std::string_view text) {
  std::string lines;
  for (const auto line : text::split(text, '\n')) {
    lines += fmt::format("      {:<10}{}\n", lead, line);
    lead = "";
  }
  return lines;
}

std::string finding_text(const Finding& finding) {
  const auto subject = finding.subject.empty() ? "" : finding.subject + ": ";
  auto text =
      fmt::format("  {:<8}{:<16}{}{}\n",
                  finding.severity == Severity::error ? "ERROR" : severity_text(finding.severity),
                  finding.id,
                  subject,
                  finding.seen);
  if (finding.severity <= Severity::info) return text;
  text += indented("expected", finding.expected);
  if (!finding.fix.empty()) text += indented("to do", finding.fix);
  return text;
}

std::string counts_text(std::span<const Finding> findings) {
  return fmt::format("{} errors, {} warnings, {} notes, {} ok",
                     count(findings, Severity::error),
                     count(findings, Severity::warning),
                     count(findings, Severity::info),
                     count(findings, Severity::ok));
}

std::string_view state_text(Requirement::State state) {
  switch (state) {
    case Requirement::State::kept: return "kept";
    case Requirement::State::broken: return "BROKEN";
    case Requirement::State::unknown: return "unknown";
    case Requirement::State::yours: return "yours";
  }
  return "unknown";
}

std::string_view audience_text(Audience audience) {
  return audience == Audience::bulk_senders ? "bulk" : "all";
}

std::vector<Requirement> asked_for(std::span<const Finding> findings, ReportStyle style) {
  auto all = provision::requirements(findings);
  if (style.audience == ReportStyle::Audience::everybody)
    std::erase_if(all, [](const auto& one) { return one.audience != Audience::all_senders; });
  return all;
}

// Unless everything is wanted, what is kept is only counted.
std::string requirements_text(std::span<const Finding> findings, ReportStyle style) {
  std::string text = "\nWhat Gmail, Yahoo and Outlook ask for\n";
  const bool shows_all = style.detail == ReportStyle::Detail::everything ||
                         style.audience == ReportStyle::Audience::bulk;
  std::size_t kept = 0;
  for (const auto& one : asked_for(findings, style)) {
    kept += one.state == Requirement::State::kept ? 1U : 0U;
    if (!shows_all && one.state != Requirement::State::broken) continue;
    text += fmt::format("  {:<8}{:<8}{:<5}{}{}\n",
                        state_text(one.state),
                        one.receiver,
                        audience_text(one.audience),
                        one.what,
                        one.why.empty() ? "" : " (" + one.why + ")");
  }
  return text + fmt::format("  {} kept\n", kept);
}

json::object to_json(const Finding& finding) {
  json::object object{{"id", finding.id},
                      {"subject", finding.subject},
                      {"severity", severity_text(finding.severity)},
                      {"seen", finding.seen}};
  if (!finding.expected.empty()) object["expected"] = finding.expected;
  if (!finding.fix.empty()) object["fix"] = finding.fix;
  if (finding.repair) object["repairable"] = true;
  return object;
}

json::array to_json(std::span<const Finding> findings) {
  json::array list;
  for (const auto& finding : findings) list.push_back(to_json(finding));
  return list;
}

}  // namespace

std::string report_text(const std::string& domain,
                        std::span<const Finding> findings,
                        ReportStyle style) {
  std::string text = domain + "\n";
  std::string_view group;
  for (const auto& check : provision::all_checks()) {
    for (const auto& finding : findings) {
      if (finding.id != check.id) continue;
      const bool is_shown =
          finding.severity != Severity::ok || style.detail == ReportStyle::Detail::everything;
      if (!is_shown) continue;
      if (group != check.group) text += fmt::format("\n{}\n", check.group);
      group = check.group;
      text += finding_text(finding);
    }
  }
  return text + requirements_text(findings, style) + "\n" + counts_text(findings) + "\n";
}

json::object report_json(const std::string& domain,
                         std::span<const Finding> findings,
                         ReportStyle style) {
  json::array asked;
  for (const auto& one : asked_for(findings, style))
    asked.push_back(json::object{{"receiver", one.receiver},
                                 {"senders", audience_text(one.audience)},
                                 {"what", one.what},
                                 {"state", text::to_lower(state_text(one.state))},
                                 {"why", one.why}});
  return {{"domain", domain},
          {"worst", severity_text(provision::worst_of(findings))},
          {"findings", to_json(findings)},
          {"requirements", std::move(asked)}};
}

std::string report_text(const provision::PastedMessage& message) {
  std::string text = fmt::format("a message from {}, judged by {}\n\n",
                                 message.from.empty() ? "an unknown domain" : message.from,
                                 message.receiver.empty() ? "its receiver" : message.receiver);
  for (const auto& finding : message.findings) {
    auto shown = finding;
    shown.subject.clear();
    text += finding_text(shown);
  }
  return text + "\n" + counts_text(message.findings) + "\n";
}

json::object report_json(const provision::PastedMessage& message) {
  return {{"from", message.from},
          {"receiver", message.receiver},
          {"worst", severity_text(provision::worst_of(message.findings))},
          {"findings", to_json(message.findings)}};
}

}  // namespace tapal::app
