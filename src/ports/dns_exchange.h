// One DNS message to one server and its answer, over TCP (RFC 7766): to ask an authority itself and
// not what a resolver remembers, and to send updates.
#pragma once

#include <array>
#include <span>
#include <string>

#include "base/ip_address.h"
#include "base/result.h"
#include "base/task.h"
#include "ports/stream.h"

namespace tapal {

inline Task<Result<void>> read_exactly(Stream& stream, std::span<char> into, Instant deadline) {
  while (!into.empty()) {
    auto got = co_await stream.read(into, deadline);
    if (!got) co_return std::unexpected(std::move(got.error()));
    into = into.subspan(*got);
  }
  co_return Result<void>();
}

// `message` and the answer are in wire form, without the length in front. Nothing of the answer is
// checked. Errors: those of connect(), read() and write(); invalid for a message over 65535 bytes.
inline Task<Result<std::string>> dns_exchange(Network& network,
                                              Endpoint server,
                                              std::string message,
                                              Instant deadline) {
  if (message.size() > 0xffff) co_return fail(Code::invalid, "a DNS message over 65535 bytes");
  auto stream = co_await network.connect(server, std::nullopt, deadline);
  if (!stream) co_return std::unexpected(std::move(stream.error()));
  const std::string framed{static_cast<char>(message.size() >> 8),
                           static_cast<char>(message.size() & 0xff)};
  const auto bytes = framed + message;
  if (auto sent = co_await (*stream)->write(bytes, deadline); !sent)
    co_return std::unexpected(std::move(sent.error()));
  std::array<unsigned char, 2> size{};
  const std::span<char> size_bytes(reinterpret_cast<char*>(size.data()), size.size());
  if (auto read = co_await read_exactly(**stream, size_bytes, deadline); !read)
    co_return std::unexpected(std::move(read.error()));
  std::string answer(std::size_t{size[0]} << 8 | size[1], '\0');
  if (auto read = co_await read_exactly(**stream, answer, deadline); !read)
    co_return std::unexpected(std::move(read.error()));
  co_return answer;
}

}  // namespace tapal
