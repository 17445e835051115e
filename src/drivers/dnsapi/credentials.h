// Credentials as people keep them: a file of names and values, or the bare token a provider gave.
#pragma once

#include <string_view>

#include "base/result.h"
#include "drivers/dnsapi/providers.h"

namespace tapal::dnsapi {

inline constexpr std::size_t credentials_bytes_max = 64UL * 1024;

// Lines of name = value: TOML, a shell's variables, or an acme.sh account.conf. A name is a field's
// or that of one of its environment variables; others, [sections] and # comments are passed over. A
// file of one word is the only secret that the provider wants. Code::invalid names the line, never
// what stands in it.
Result<Credentials> read_credentials(const Provider& provider, std::string_view text);

}  // namespace tapal::dnsapi
