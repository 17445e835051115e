// The messages of a run: alike but for a stamp, by which the sink knows each one and when it set
// out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace tapal::bench {

struct Stamp {
  std::uint64_t id = 0;
  Instant submitted;  // steady_clock: one clock for all processes of a machine

  bool operator==(const Stamp&) const = default;
};

// The first stamp in a message's header.
std::optional<Stamp> find_stamp(std::string_view header);

// A message as it goes over the wire, with the dot that ends it.
class Message {
 public:
  struct Form {
    // Bytes without the ending line and the fields in front; at least what the header needs.
    std::size_t size = 0;
    std::string from;
    std::string to;
    // Header fields, each with its CRLF: a signature made of the same form without them.
    std::string fields_in_front;
  };
  explicit Message(const Form& form);

  void stamp(const Stamp& stamp);  // overwrites in place
  std::string_view bytes() const { return text_; }
  std::size_t size() const;  // without the ending line

 private:
  std::string text_;
  std::size_t stamp_at_ = 0;
  std::size_t message_id_at_ = 0;
};

// What addresses are made from: %d is the domain's number, %m the message's.
struct AddressPattern {
  std::string text;  // "user@d%d.example"
  std::uint64_t domains = 1;

  std::string address(std::uint64_t message_id) const;  // domain number: id modulo `domains`
};

}  // namespace tapal::bench
