// The fields of a header as people paste it: lines broken by programs, rows of a web page above
// it, text around it. For pasted_message.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "protocols/mailauth/authentication_results.h"

namespace tapal::provision {

class PastedHeader {
 public:
  struct Field {
    std::string name;  // lower case: "received", "created at"
    std::string body;  // on one line
  };
  // Ends at the blank line below the trace fields, or at a limit.
  explicit PastedHeader(std::string_view text);

  const std::vector<Field>& fields() const { return fields_; }
  const std::string* find(std::string_view name) const;  // the first; null: none
  std::vector<std::string_view> all(std::string_view name) const;

 private:
  std::vector<Field> fields_;
};

// Of the receiver: the topmost field. Outlook leaves out who says so.
std::optional<mailauth::AuthenticationResults> results_of(const PastedHeader& header);

// The hop between the sender's server and the receiver's: "from ... by ... with ...".
struct BorderHop {
  std::string_view text;
  IpAddress address;  // of the sender's server
};
std::optional<BorderHop> border_hop(const PastedHeader& header);

// The first address in a text, in brackets, parentheses or bare.
std::optional<IpAddress> address_in(std::string_view text);

}  // namespace tapal::provision
