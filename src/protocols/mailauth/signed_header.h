// What a signature over header fields covers, as the bytes that are hashed.
#pragma once

#include <string>

#include "protocols/mailauth/dkim_signature.h"
#include "protocols/mailauth/header_block.h"
#include "protocols/mailauth/tag_list.h"
#include "values/crypto/hash.h"

namespace tapal::mailauth {

// The tags of a field that is a tag list; they borrow from the field.
Result<TagList> field_tags(const RawField& field);

// The field with its b= emptied, white space around the value included (RFC 6376 section 3.7).
std::string without_signature(const RawField& field, const Tag& b);

// RFC 6376 section 3.7: the fields of h=, then `own` with `b` emptied and without its CRLF.
crypto::Digest signed_header_digest(const DkimSignature& signature,
                                    const FieldIndex& index,
                                    const RawField& own,
                                    const Tag& b);

}  // namespace tapal::mailauth
