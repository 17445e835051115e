// The header fields of a message as the bytes that signatures cover.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tapal::mailauth {

// Borrowed from the header block.
struct RawField {
  std::string_view name;  // as written, without white space before the colon; "" if malformed
  std::string_view raw;   // from the name to the last byte before the final CRLF, folding inside
};

// Cuts at every CRLF that no space or tab follows; ends at the empty line or at the end. A bare CR
// or LF is an ordinary byte.
std::vector<RawField> split_header_block(std::string_view header_block);

// Where each field stands, by name.
class FieldIndex {
 public:
  // Borrows `fields`, which must outlive it.
  explicit FieldIndex(const std::vector<RawField>& fields);
  // Top first, in the order of the header; empty when there is none. Names ignore case.
  const std::vector<const RawField*>& instances(std::string_view name) const;

 private:
  std::unordered_map<std::string, std::vector<const RawField*>> instances_;
};

// Hands out the instances of a field from the bottom of the header up, as "h=" lists them
// (RFC 6376 section 5.4.2). One for each signature.
class FieldPicker {
 public:
  // `skipped` is never handed out: a signature does not sign itself.
  explicit FieldPicker(const FieldIndex& index, const RawField* skipped = nullptr)
      : index_(&index), skipped_(skipped) {}
  // The lowest instance not handed out yet, or nullptr.
  const RawField* pick(std::string_view name);

 private:
  const FieldIndex* index_;
  const RawField* skipped_;
  std::unordered_map<const std::vector<const RawField*>*, std::size_t> taken_;
};

}  // namespace tapal::mailauth
