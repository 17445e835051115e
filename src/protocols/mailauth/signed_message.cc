#include "protocols/mailauth/signed_message.h"

#include <utility>

#include <fmt/format.h>

namespace tapal::mailauth {
namespace {

std::string why_too_large(std::string_view header_block, const SignedMessageLimits& limits) {
  if (header_block.size() <= limits.header_bytes_max) return {};
  return fmt::format("not checked: the header has more than {} bytes", limits.header_bytes_max);
}

}  // namespace

SignedMessage::SignedMessage(std::string_view header_block, const SignedMessageLimits& limits)
    : why_unchecked_(why_too_large(header_block, limits)),
      header_(why_unchecked_.empty() ? header_block : std::string_view{}),
      list_(split_header_block(header_)),
      index_(list_),
      keys_(limits.key_records_max) {
  if (list_.size() <= limits.header_fields_max) return;
  why_unchecked_ = fmt::format("not checked: more than {} header fields", limits.header_fields_max);
  list_.clear();
  index_ = FieldIndex(list_);
}

}  // namespace tapal::mailauth
