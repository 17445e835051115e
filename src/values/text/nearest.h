// The word that was probably meant, for messages about unknown ones.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace tapal::text {

// How many letters apart two words are (Levenshtein); words over 80 bytes are never near.
std::size_t letters_apart(std::string_view a, std::string_view b);

// Words further apart are no slip of each other: a quarter of the letters, from two to twenty.
constexpr std::size_t slip_letters_max(std::string_view word) {
  return std::clamp<std::size_t>(word.size() / 4, 2, 20);
}

// Empty when none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

// "unknown setting colur; did you mean color?", else the known ones are listed.
std::string unknown_word(std::string_view kind,
                         std::string_view word,
                         std::span<const std::string_view> known);

}  // namespace tapal::text
