// The public suffix list (https://publicsuffix.org): below which names people register domains of
// their own. Kept by libpsl; one is loaded at start and shared, also between threads.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal::dns {

inline constexpr std::size_t public_suffix_list_bytes_max = 4 * 1024 * 1024;  // it has 330 KiB

class PublicSuffixes {
 public:
  // The list's text, as published. Code::invalid: too long, or no rule in it.
  static Result<PublicSuffixes> from_text(std::string_view list);
  // The list that libpsl was built with.
  static PublicSuffixes built_in();

  // Names are A-labels in lower case without a final dot, in and out.

  // The domain that somebody registered: the suffix and one label more. Nothing for a name that is
  // a suffix itself. A top-level domain that the list does not know counts as a suffix.
  std::optional<std::string> registrable(std::string_view name) const;
  // A rule of the list says so; a top-level domain that it does not know is none.
  bool is_listed(std::string_view name) const;

 private:
  class List;  // keeps libpsl out of this header
  explicit PublicSuffixes(std::shared_ptr<const List> list) : list_(std::move(list)) {}

  std::shared_ptr<const List> list_;
};

}  // namespace tapal::dns
