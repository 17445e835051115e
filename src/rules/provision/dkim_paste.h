// What went wrong when a DKIM key was copied into a provider's form.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tapal::provision {

// `published`: the TXT values at the key's name, each with its strings joined. `wanted`: the value
// that belongs there. For people, in a sentence with what to do; empty: it is no copy of `wanted`
// that any known mistake explains.
std::string explain_paste(const std::vector<std::string>& published, std::string_view wanted);

}  // namespace tapal::provision
