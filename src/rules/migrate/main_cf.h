// Postfix's main.cf: parameters, and what $name in them stands for.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tapal::migrate {

class MainCf {
 public:
  static constexpr std::size_t value_bytes_max = 64 * 1024;  // once expanded
  static constexpr int names_max = 10'000;                   // looked up for one value
  static constexpr int depth_max = 20;                       // of names within names

  // `defaults` are what parameters are without a line of their own, in the same form.
  static MainCf read(std::string_view text, std::string_view defaults);

  bool has(std::string_view name) const;  // a line of its own
  // With $name, ${name}, ${name?text} and ${name:text} expanded; empty when nobody set it, or when
  // it grows past the limits.
  std::string value(std::string_view name) const;
  std::vector<std::string> list(std::string_view name) const;
  std::string place(std::string_view name) const;  // "main.cf:12", or "main.cf" for a default

 private:
  struct Parameter {
    std::string text;
    std::size_t line = 0;  // 0: a default
  };
  struct Expansion {
    std::string text;
    int& names_left;
    int depth = 0;
  };
  bool expand(std::string_view text, Expansion& into) const;
  bool expand_name(std::string_view expression, Expansion& into) const;

  std::map<std::string, Parameter, std::less<>> parameters_;
};

}  // namespace tapal::migrate
