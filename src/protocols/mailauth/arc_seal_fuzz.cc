#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "protocols/mailauth/arc_results.h"
#include "protocols/mailauth/test_arc.h"

// A header that is sealed by its own Authentication-Results: a first set must pass, whatever the
// header and the results are.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::mailauth;
  std::string header(reinterpret_cast<const char*>(data), size);
  header.resize(std::min(header.find("\r\n\r\n"), header.size()));
  if (!header.ends_with("\r\n")) header += "\r\n";
  const auto fields = split_header_block(header);
  const auto own = own_results(fields, "a.example");
  if (!own) return 0;
  const bool fresh = read_arc_chain(FieldIndex(fields)).absent();
  const auto set = arc_seal(test_arc::signer(1),
                            header,
                            test_arc::body_hash(test_arc::body),
                            {.results = own->payload, .signed_fields = {}, .now = test_arc::now});
  if (!set || !fresh) return 0;
  if (test_arc::verify(*set + header).status != ArcStatus::pass) std::abort();
  return 0;
}
