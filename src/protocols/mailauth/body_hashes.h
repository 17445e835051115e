// The hashes of a message's body that signatures ask for. However many ask, and for however many
// lengths (l=), each canonical form is made and hashed once.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "protocols/mailauth/canonical.h"
#include "values/crypto/hash.h"

namespace tapal::mailauth {

inline constexpr std::uint64_t whole_body = std::numeric_limits<std::uint64_t>::max();

class BodyHashes {
 public:
  // `length` counts bytes of the canonical body. All wants come before the first update().
  void want(Canonicalization form, std::uint64_t length);
  // The body piece by piece, CRLF line ends. Costs nothing for a form that nobody wants.
  void update(std::string_view chunk);
  void finish();  // the body is over; again does nothing

  // After finish(), of what was wanted. A length beyond the end gives the whole.
  const crypto::Digest& digest(Canonicalization form, std::uint64_t length) const;
  std::uint64_t total(Canonicalization form) const;  // bytes of the canonical body

 private:
  struct Prefix {
    std::uint64_t length = whole_body;
    crypto::Digest digest{};
  };
  class OneForm final : private BodySink {
   public:
    explicit OneForm(Canonicalization form) : canonicalizer_(form) {}
    void want(std::uint64_t length);
    void update(std::string_view chunk);
    void finish();
    const crypto::Digest& digest(std::uint64_t length) const;
    std::uint64_t total() const { return total_; }

   private:
    void write(std::string_view bytes) override;

    BodyCanonicalizer canonicalizer_;
    crypto::Sha256 hash_;
    std::vector<Prefix> prefixes_;  // shortest first
    std::size_t done_ = 0;          // prefixes with a digest
    std::uint64_t total_ = 0;
  };

  const OneForm& of(Canonicalization form) const {
    return forms_.at(form == Canonicalization::simple ? 0 : 1);
  }

  std::array<OneForm, 2> forms_{OneForm(Canonicalization::simple),
                                OneForm(Canonicalization::relaxed)};
  bool finished_ = false;
};

}  // namespace tapal::mailauth
