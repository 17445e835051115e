#include "protocols/mailauth/header_block.h"

#include <algorithm>

#include "values/text/ascii.h"

namespace tapal::mailauth {
namespace {

RawField field_of(std::string_view raw) {
  const std::size_t colon = raw.find(':');
  if (colon == std::string_view::npos) return {{}, raw};
  std::string_view name = raw.substr(0, colon);
  while (!name.empty() && text::is_blank(name.back())) name.remove_suffix(1);
  const bool good = std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7f; });
  return {good ? name : std::string_view{}, raw};
}

// The end of the field that begins at `begin`: its last CRLF, or the end of the block.
std::size_t field_end(std::string_view block, std::size_t begin) {
  std::size_t end = block.find("\r\n", begin);
  while (end != std::string_view::npos && end + 2 < block.size() &&
         text::is_blank(block[end + 2])) {
    end = block.find("\r\n", end + 2);
  }
  return std::min(end, block.size());
}

}  // namespace

std::vector<RawField> split_header_block(std::string_view header_block) {
  std::vector<RawField> fields;
  for (std::size_t begin = 0; begin < header_block.size();) {
    const std::size_t end = field_end(header_block, begin);
    if (end == begin) break;  // the empty line
    fields.push_back(field_of(header_block.substr(begin, end - begin)));
    begin = end + 2;
  }
  return fields;
}

FieldIndex::FieldIndex(const std::vector<RawField>& fields) {
  for (const RawField& field : fields) {
    if (!field.name.empty()) instances_[text::to_lower(field.name)].push_back(&field);
  }
}

const std::vector<const RawField*>& FieldIndex::instances(std::string_view name) const {
  static const std::vector<const RawField*> none;
  const auto found = instances_.find(text::to_lower(name));
  return found == instances_.end() ? none : found->second;
}

const RawField* FieldPicker::pick(std::string_view name) {
  const auto& instances = index_->instances(name);
  std::size_t& taken = taken_[&instances];
  while (taken < instances.size()) {
    const RawField* field = instances[instances.size() - ++taken];
    if (field != skipped_) return field;
  }
  return nullptr;
}

}  // namespace tapal::mailauth
