#include "protocols/mailauth/body_hashes.h"

#include <algorithm>
#include <utility>

namespace tapal::mailauth {

void BodyHashes::want(Canonicalization form, std::uint64_t length) {
  forms_.at(form == Canonicalization::simple ? 0 : 1).want(length);
}

void BodyHashes::update(std::string_view chunk) {
  for (OneForm& form : forms_) form.update(chunk);
}

void BodyHashes::finish() {
  if (std::exchange(finished_, true)) return;
  for (OneForm& form : forms_) form.finish();
}

const crypto::Digest& BodyHashes::digest(Canonicalization form, std::uint64_t length) const {
  return of(form).digest(length);
}

std::uint64_t BodyHashes::total(Canonicalization form) const { return of(form).total(); }

void BodyHashes::OneForm::want(std::uint64_t length) {
  const auto place = std::ranges::lower_bound(prefixes_, length, {}, &Prefix::length);
  if (place == prefixes_.end() || place->length != length) prefixes_.insert(place, {length, {}});
}

void BodyHashes::OneForm::update(std::string_view chunk) {
  if (!prefixes_.empty()) canonicalizer_.update(chunk, *this);
}

void BodyHashes::OneForm::write(std::string_view bytes) {
  total_ += bytes.size();
  while (done_ < prefixes_.size() && prefixes_[done_].length < total_) {
    // What came before these bytes is hashed already; a wanted end lies within them.
    const std::uint64_t left = total_ - prefixes_[done_].length;
    const std::string_view before = bytes.substr(0, bytes.size() - left);
    hash_.update(before);
    bytes.remove_prefix(before.size());
    prefixes_[done_++].digest = crypto::Sha256(hash_).finish();
  }
  if (done_ < prefixes_.size()) hash_.update(bytes);
}

void BodyHashes::OneForm::finish() {
  if (prefixes_.empty()) return;
  canonicalizer_.finish(*this);
  const crypto::Digest whole = hash_.finish();
  for (; done_ < prefixes_.size(); ++done_) prefixes_[done_].digest = whole;
}

const crypto::Digest& BodyHashes::OneForm::digest(std::uint64_t length) const {
  return std::ranges::lower_bound(prefixes_, length, {}, &Prefix::length)->digest;
}

}  // namespace tapal::mailauth
