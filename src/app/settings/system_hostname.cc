#include "app/settings/system_hostname.h"

#include <array>

#include <unistd.h>

#include "values/text/idna.h"

namespace tapal::app {

Result<std::string> system_hostname() {
  std::array<char, 256> buffer{};
  if (gethostname(buffer.data(), buffer.size() - 1) != 0)
    return fail(Code::internal, "the system does not tell its host name");
  return text::domain_to_ascii(buffer.data());
}

}  // namespace tapal::app
