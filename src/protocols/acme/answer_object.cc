#include "protocols/acme/answer_object.h"

#include "protocols/acme/problem.h"
#include "values/text/json_fields.h"

namespace tapal::acme {

Result<boost::json::object> answer_object(std::string_view body) {
  if (body.size() > response_bytes_max) return fail(Code::invalid, "too long a JSON text");
  return text::parse_object(body);
}

}  // namespace tapal::acme
