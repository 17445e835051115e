// What the two programs ask of the system about themselves, and how they print what others said.
#pragma once

#include <string>
#include <string_view>

namespace tapal::bench {

double processor_seconds();     // user and system time of this process
void raise_descriptor_limit();  // as high as we may

// For a JSON string: at most 200 bytes, and a space for whatever would need an escape.
std::string printable(std::string_view text);

}  // namespace tapal::bench
