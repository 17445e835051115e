#include "values/http/message.h"

#include <algorithm>

#include "values/text/ascii.h"

namespace tapal::http {
namespace {

std::string_view find(const std::vector<Header>& headers, std::string_view name) {
  const auto found = std::ranges::find_if(headers, [name](const Header& header) {
    return text::equals_ignoring_case(header.name, name);
  });
  return found == headers.end() ? std::string_view() : std::string_view(found->value);
}

}  // namespace

std::string_view Request::header(std::string_view name) const { return find(headers, name); }
std::string_view Response::header(std::string_view name) const { return find(headers, name); }

}  // namespace tapal::http
