// What a check of the doctor found out, with the way to mend it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tapal::provision {

enum class Severity : std::uint8_t {
  ok,
  info,     // worth knowing
  warning,  // mail arrives, and could do so better or more safely
  error,    // mail is lost, refused, or open to others
};
std::string_view severity_text(Severity severity);  // "warning"

// A change that loses nothing and can be done without asking.
struct Repair {
  enum class Kind : std::uint8_t {
    add_alias,   // `what` becomes an alias for `target`
    owner_only,  // the file `what` gets mode 0600, a folder 0700
  };
  Kind kind = Kind::owner_only;
  std::string what;
  std::string target = {};

  bool operator==(const Repair&) const = default;
};

struct Finding {
  std::string id;       // of the check: "spf.egress"
  std::string subject;  // what was looked at: "192.0.2.1", "example.com"
  Severity severity = Severity::ok;
  std::string seen;
  std::string expected = {};  // this and `fix` are empty where nothing is to be done
  std::string fix = {};       // a command, or the exact text to put somewhere
  std::optional<Repair> repair = {};

  bool operator==(const Finding&) const = default;
};

Severity worst_of(std::span<const Finding> findings);

}  // namespace tapal::provision
