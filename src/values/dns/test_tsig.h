// A server's side of TSIG for tests: answers that are signed, or wrongly so.
#pragma once

#include <cstdint>
#include <string>

#include "values/dns/name.h"
#include "values/dns/tsig.h"
#include "values/dns/wire.h"

namespace tapal::dns {

struct TestTsig {
  std::string key_name = "key.example";
  std::string algorithm = "hmac-sha256";
  std::uint64_t signed_at = 0;  // seconds
  unsigned error = 0;
  std::string other = {};
  bool with_mac = true;
};

// Written down once more and not by tsig.cc, so that a mistake there is seen.
inline std::string signed_answer(std::string message,
                                 const TestTsig& tsig,
                                 const TsigKey& key,
                                 const std::string& request_mac) {
  std::string time;
  append_u16(time, static_cast<unsigned>(tsig.signed_at >> 32));
  append_u32(time, static_cast<std::uint32_t>(tsig.signed_at));
  append_u16(time, 300);
  std::string tail;
  append_u16(tail, tsig.error);
  append_u16(tail, static_cast<unsigned>(tsig.other.size()));
  tail += tsig.other;
  const std::string name = name_to_wire(tsig.key_name).value();
  const std::string algorithm = name_to_wire(tsig.algorithm).value();
  std::string digest;
  append_u16(digest, static_cast<unsigned>(request_mac.size()));
  digest +=
      request_mac + message + name + std::string("\x00\xff\0\0\0\0", 6) + algorithm + time + tail;
  const std::string mac = tsig.with_mac ? key.mac(digest) : "";
  std::string data = algorithm + time;
  append_u16(data, static_cast<unsigned>(mac.size()));
  data += mac + message.substr(0, 2) + tail;
  message[11] = static_cast<char>(message[11] + 1);
  message += name + std::string("\x00\xfa\x00\xff\0\0\0\0", 8);
  append_u16(message, static_cast<unsigned>(data.size()));
  return message + data;
}

}  // namespace tapal::dns
