// SHA-1 (RFC 3174), for interfaces that still ask for it. It is broken where somebody may choose
// what is hashed: never for anything of our own.
#pragma once

#include <string>
#include <string_view>

namespace tapal::crypto {

std::string sha1(std::string_view bytes);  // 20 bytes

}  // namespace tapal::crypto
