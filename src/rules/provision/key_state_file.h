// domains/<domain>/dkim/state.toml: what each key of the folder is for, one table a key. Written by
// tapal, to be read by people; without it every key in the folder signs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/provision/key_rotation.h"

namespace tapal::provision {

// The Error is "file:line: what is wrong". Kinds are not in the file: they are as the keys say.
Result<std::vector<RotatingKey>> read_key_states(std::string_view text, std::string_view file_name);
std::string key_states_text(const std::vector<RotatingKey>& keys);

}  // namespace tapal::provision
