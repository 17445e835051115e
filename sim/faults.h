// Faults planted on purpose, to show that the laws catch them. All are in the made-up world's own
// parts; the product's code is the same with and without.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace tapal::sim {

enum class Fault : std::uint8_t {
  none,
  ack_before_sync,     // the store says "kept" while the bytes are in the disk's cache
  forgetful_recovery,  // the store loses a message when it is opened
  half_recovery,       // the store takes a torn record for a whole one
  lost_delivery,       // a receiver says 250 and throws the message away
  doubled_delivery,    // a receiver files a message twice
  lost_notice,         // a notice to a sender vanishes in the mailbox
  lost_refusal,        // a session does not tell its sender that the first attempt was refused
  garbled_body,        // a byte of a body changes between the disk and the reader
  raised_limits,       // the server is configured above what the laws allow
  body_leak,           // bodies are held for ever
  stopped_clock,       // the server's wall clock stands still
  removal_forgotten,   // the store forgets to remove what is done
  repeated_name,       // the store gives out a message's name twice
};

inline constexpr auto fault_names = std::to_array<std::pair<std::string_view, Fault>>({
    {"ack-before-sync", Fault::ack_before_sync},
    {"forgetful-recovery", Fault::forgetful_recovery},
    {"half-recovery", Fault::half_recovery},
    {"lost-delivery", Fault::lost_delivery},
    {"doubled-delivery", Fault::doubled_delivery},
    {"lost-notice", Fault::lost_notice},
    {"lost-refusal", Fault::lost_refusal},
    {"garbled-body", Fault::garbled_body},
    {"raised-limits", Fault::raised_limits},
    {"body-leak", Fault::body_leak},
    {"stopped-clock", Fault::stopped_clock},
    {"removal-forgotten", Fault::removal_forgotten},
    {"repeated-name", Fault::repeated_name},
});

constexpr std::optional<Fault> fault_named(std::string_view name) {
  for (const auto& [known, fault] : fault_names)
    if (known == name) return fault;
  return {};
}

}  // namespace tapal::sim
