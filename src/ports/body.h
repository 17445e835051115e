// The bytes of a message: small ones in memory, large ones in a file of their own, read in pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal {

// A whole message (header and body, CRLF lines), as it was accepted. Shared because one message is
// on its way to several sites at once; nothing in it changes.
struct Body {
  virtual ~Body() = default;
  virtual std::uint64_t size() const = 0;
  // Fewer bytes than asked for only at the end. A read past the end gives 0.
  virtual Result<std::size_t> read(std::uint64_t offset, std::span<char> into) const = 0;
};
using BodyPtr = std::shared_ptr<const Body>;

// A body being written: kept in memory up to the store's threshold, spilled to an unnamed or
// temporary file past it. Dropping it before commit leaves nothing behind. What was written can be
// read meanwhile, by filters that judge the message before it is kept.
struct BodyWriter : Body {
  virtual Result<void> append(std::string_view bytes) = 0;  // Code::full: no room on the disk
  // Bytes that go in front of everything appended: the header with its trace and signature fields,
  // which are known only at the end. At most once, last; kept in memory, so bound it.
  virtual void set_head(std::string head) = 0;
};

}  // namespace tapal
