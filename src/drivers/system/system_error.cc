#include "drivers/system/system_error.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace tapal {

Error system_error(std::string_view what, int number) {
  const auto code = number == ENOENT || number == ENOTDIR                      ? Code::not_found
                    : number == EACCES || number == EPERM || number == ENOEXEC ? Code::denied
                    : number == EAGAIN || number == EMFILE || number == ENFILE || number == ENOMEM
                        ? Code::full
                        : Code::internal;
  return {code,
          fmt::format("{}: {}", what, std::strerror(number))};  // NOLINT(concurrency-mt-unsafe)
}

}  // namespace tapal
