// The parts of a message that others wrote, read with forgiveness: for looking into notices and
// confirmations, never for passing mail on.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tapal::mail {

inline constexpr std::size_t loose_parts_max = 50;
inline constexpr std::size_t loose_depth_max = 5;

struct LoosePart {
  std::string type;  // lower case; "text/plain" where none is told
  std::string text;  // decoded from base64 and quoted-printable; its character set stays
};

// The parts that are no multipart, in their order. An enclosed message is one part, its text the
// whole of it. Lines end in CRLF.
std::vector<LoosePart> loose_parts(std::string_view message);

// The unfolded body of the first field of that name, whatever stands beside it; or empty. `header`
// may be a whole message: it is read to its first blank line.
std::string loose_field(std::string_view header, std::string_view name);

}  // namespace tapal::mail
