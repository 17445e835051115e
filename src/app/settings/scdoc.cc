#include "app/settings/scdoc.h"

namespace tapal::app {

std::string scdoc_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '*' || c == '_' || c == '`') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace tapal::app
