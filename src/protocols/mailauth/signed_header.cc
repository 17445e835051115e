#include "protocols/mailauth/signed_header.h"

namespace tapal::mailauth {
namespace {

std::size_t body_begin(const RawField& field) { return field.raw.find(':') + 1; }

}  // namespace

Result<TagList> field_tags(const RawField& field) {
  return TagList::parse(field.raw.substr(body_begin(field)));
}

std::string without_signature(const RawField& field, const Tag& b) {
  std::string emptied(field.raw.substr(0, body_begin(field) + b.begin));
  emptied += field.raw.substr(body_begin(field) + b.end);
  return emptied;
}

crypto::Digest signed_header_digest(const DkimSignature& signature,
                                    const FieldIndex& index,
                                    const RawField& own,
                                    const Tag& b) {
  std::string canonical;
  FieldPicker picker(index, &own);
  for (const std::string& name : signature.signed_fields) {
    if (const RawField* field = picker.pick(name); field != nullptr) {
      append_canonical_field(canonical, field->raw, signature.header_form);
      canonical += "\r\n";
    }
  }
  append_canonical_field(canonical, without_signature(own, b), signature.header_form);
  return crypto::sha256(canonical);
}

}  // namespace tapal::mailauth
