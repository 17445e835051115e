#include <cstdint>
#include <cstdlib>

#include "drivers/net/tls_hello.h"

// What is told lies within what came.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::tls;
  // NOLINTNEXTLINE(*-reinterpret-cast): the fuzzer's bytes as text
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const auto told : {only_protocol(bytes), server_name(bytes)})
    if (told && (told->data() < bytes.data() || told->size() + 3 > bytes.size())) std::abort();
  return 0;
}
