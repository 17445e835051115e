#include "rules/bounce/notice_text.h"

#include <algorithm>
#include <array>

#include "rules/bounce/returned_mail.h"
#include "values/text/ascii.h"

namespace tapal::bounce {
namespace {

constexpr std::size_t lines_max = 2000;
constexpr std::size_t address_bytes_max = 320;

// What begins the returned message.
constexpr std::array<std::string_view, 24> cuts{"received:",
                                                "return-path:",
                                                "message-id:",
                                                "mime-version:",
                                                "------ this is a copy",
                                                "--- below this line",
                                                "--- enclosed",
                                                "--- the header of the original",
                                                "----- original message",
                                                "------- original message",
                                                "-----original message",
                                                "original message follows",
                                                "original message headers",
                                                "original message:",
                                                "message headers follow",
                                                "below is a copy of the original",
                                                "included is a copy of the message",
                                                "----- unsent message",
                                                "------- returned message",
                                                "----- message header follows",
                                                "|------------------------- message text",
                                                "-------original mail info",
                                                "------ original",
                                                "---- original"};
// What an address behind it is not about.
constexpr std::array<std::string_view, 13> other_leads{"from:",
                                                       "to:",
                                                       "cc:",
                                                       "sent:",
                                                       "reply-to:",
                                                       "sender:",
                                                       "original sender:",
                                                       "x-postfix-sender:",
                                                       "subject:",
                                                       ">>> mail from",
                                                       "for further assistance",
                                                       "envelope-to:",
                                                       "rcpt count"};
// What stands right before an address that it is about.
constexpr std::array<std::string_view, 11> leads{"to ",
                                                 "to:",
                                                 "to <",
                                                 "recipient: ",
                                                 "user: ",
                                                 "userid: ",
                                                 "address: ",
                                                 "failed: ",
                                                 "errors: ",
                                                 "affected: ",
                                                 "recipient "};

bool belongs_to_address(char c) {
  return static_cast<unsigned char>(c) > ' ' && !std::string_view("<>()[]:;,\"'|").contains(c);
}

// The address that begins at `at`; empty when there is none.
std::string_view address_from(std::string_view line, std::size_t at) {
  std::size_t end = at;
  while (end < line.size() && belongs_to_address(line[end])) ++end;
  auto address = line.substr(at, end - at);
  while (address.ends_with('.')) address.remove_suffix(1);
  const auto sign = address.find('@');
  if (sign == address.npos || sign == 0 || address.size() > address_bytes_max) return {};
  return address.substr(sign + 1).contains('.') || address.substr(sign + 1) == "localhost"
             ? address
             : std::string_view();
}

// "john doe"@example.com at the start of a line, perhaps within "<".
std::string_view quoted_address(std::string_view line) {
  const auto start = line.find('"');
  const auto at = line.find("\"@");
  if (start > 1 || at == line.npos || at <= start) return {};
  std::size_t end = at + 2;
  while (end < line.size() && belongs_to_address(line[end])) ++end;
  return line.substr(start, std::min(end - start, address_bytes_max));
}

// The address that the line is about: it begins with it, or with a code and it, or says "to" it.
std::string_view address_of(std::string_view line) {
  const auto lower = text::to_lower(line);
  const auto begins = [&lower](std::string_view lead) { return lower.starts_with(lead); };
  if (std::ranges::any_of(other_leads, begins)) return {};
  const auto start = line.find_first_not_of(" \t*<>-\"'[");
  if (start == line.npos) return {};
  if (const auto quoted = quoted_address(line); !quoted.empty()) return quoted;
  if (const auto address = address_from(line, start); !address.empty()) return address;
  // "550 5.1.1 <address>... User unknown", "RCPT TO:<address>".
  const bool is_reply = text::is_digit(line[start]) || lower.contains("rcpt to");
  if (const auto open = line.find('<'); open != line.npos && is_reply)
    return address_from(line, open + 1);
  for (const std::string_view lead : leads) {
    const auto at = lower.find(lead);
    if (at == lower.npos) continue;
    const auto behind = line.find_first_not_of(" \t<", at + lead.size());
    if (behind == line.npos) continue;
    if (const auto address = address_from(line, behind); !address.empty()) return address;
  }
  return {};
}

}  // namespace

std::vector<std::string_view> all_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (const std::string_view line : text::split(text, '\n')) {
    if (lines.size() >= lines_max) break;
    if (const auto trimmed = text::trim(line); !trimmed.empty()) lines.push_back(trimmed);
  }
  return lines;
}

std::vector<std::string_view> told_lines(std::string_view text) {
  auto lines = all_lines(text);
  const auto begins_message = [](std::string_view line) {
    return std::ranges::any_of(
        cuts, [line](std::string_view cut) { return text::starts_with_ignoring_case(line, cut); });
  };
  lines.erase(std::ranges::find_if(lines, begins_message), lines.end());
  return lines;
}

std::string joined(std::span<const std::string_view> lines) {
  std::string all;
  for (const std::string_view line : lines) {
    if (all.size() >= said_bytes_max) break;
    if (!all.empty()) all += ' ';
    all += line.substr(0, said_bytes_max - std::min(all.size(), said_bytes_max));
  }
  return all;
}

std::vector<ToldRecipient> told_recipients(std::span<const std::string_view> lines,
                                           std::span<const std::string> not_about) {
  std::vector<ToldRecipient> told;
  ToldRecipient* current = nullptr;
  for (const std::string_view line : lines) {
    const auto address = address_of(line);
    const auto is_it = [address](std::string_view other) {
      return text::equals_ignoring_case(address, other);
    };
    if (!address.empty() && std::ranges::none_of(not_about, is_it)) {
      const auto known = std::ranges::find_if(told, is_it, &ToldRecipient::recipient);
      if (known == told.end() && told.size() >= returned_max) break;
      current = known == told.end() ? &told.emplace_back(std::string(address), "") : &*known;
    }
    if (current == nullptr || current->said.size() >= said_bytes_max) continue;
    if (!current->said.empty()) current->said += ' ';
    current->said += line.substr(0, said_bytes_max);
  }
  return told;
}

std::optional<Phase> phase_told(std::string_view said) {
  struct Words {
    std::string_view words;
    Phase phase;
  };
  constexpr std::array<Words, 19> table{{{"after initial connection", Phase::greeting},
                                         {"initial server greeting", Phase::greeting},
                                         {"the helo handshake", Phase::hello},
                                         {"the ehlo handshake", Phase::hello},
                                         {"helo command", Phase::hello},
                                         {"after mail from", Phase::mail},
                                         {"to mail from", Phase::mail},
                                         {"[mail_from]", Phase::mail},
                                         {"sender was rejected", Phase::mail},
                                         {"after rcpt", Phase::recipient},
                                         {"to rcpt", Phase::recipient},
                                         {"rcpt to", Phase::recipient},
                                         {"[rcpt_to]", Phase::recipient},
                                         {"does not like recipient", Phase::recipient},
                                         {"end of data", Phase::end},
                                         {"after i sent the message", Phase::end},
                                         {"final data", Phase::end},
                                         {"for text command", Phase::end},
                                         {"to data command", Phase::data}}};
  const auto lower = text::to_lower(said.substr(0, said_bytes_max));
  for (const auto& [words, phase] : table) {
    if (lower.contains(words)) return phase;
  }
  return {};
}

int code_told(std::string_view said) {
  for (std::size_t at = 0; at + 3 <= said.size(); ++at) {
    const bool begins = at == 0 || std::string_view(" \t'\":>;").contains(said[at - 1]);
    if (!begins || (said[at] != '4' && said[at] != '5')) continue;
    const char after = at + 3 < said.size() ? said[at + 3] : ' ';
    const auto code = text::to_number<int>(said.substr(at, 3));
    if (code && std::string_view(" -:'\",").contains(after)) return *code;
  }
  return 0;
}

}  // namespace tapal::bounce
