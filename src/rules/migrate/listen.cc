#include "rules/migrate/listen.h"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/ip_address.h"
#include "values/text/ascii.h"
#include "values/text/toml.h"

namespace tapal::migrate {

Result<std::string> listen_value(std::span<const std::string> addresses) {
  std::vector<std::string> places;
  for (const auto& address : addresses) {
    const bool is_everywhere = address.starts_with(':');
    for (const std::string_view host : {"0.0.0.0", "[::]"}) {
      const auto place =
          Endpoint::from_text(is_everywhere ? fmt::format("{}{}", host, address) : address);
      if (!place)
        return fail(Code::invalid,
                    fmt::format("\"{}\" is no address and port", text::printable(address, 80)));
      places.push_back(text::toml_quoted(place->text()));
      if (!is_everywhere) break;
    }
  }
  return fmt::format("[{}]", fmt::join(places, ", "));
}

}  // namespace tapal::migrate
