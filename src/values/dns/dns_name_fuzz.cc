#include <cstdlib>

#include "values/dns/name.h"

// What is accepted is canonical and goes round through wire form.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::dns;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t offset = size == 0 ? 0 : data[0];
  for (const auto& name :
       {parse_name(bytes).value_or(""), name_from_wire(bytes, offset).value_or(NameAt{}).name}) {
    if (parse_name(name) != name) std::abort();
    const auto wire = name_to_wire(name);
    if (!wire || wire->size() > name_wire_bytes_max) std::abort();
    const auto back = name_from_wire(*wire, 0);
    if (!back || back->name != name || back->end != wire->size()) std::abort();
    if (!is_subdomain_of(name, parent_of(name)) || labels_of(name).size() > 127) std::abort();
  }
  return 0;
}
