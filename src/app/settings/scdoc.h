// Text for manual pages, in the form of scdoc(5).
#pragma once

#include <string>
#include <string_view>

namespace tapal::app {

// `text` as it stands: nothing in it is taken for markup.
std::string scdoc_text(std::string_view text);

}  // namespace tapal::app
