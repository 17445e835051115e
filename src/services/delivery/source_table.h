// What attempts leave from, as couriers on all loops see it: the sources of the settings, and which
// of their addresses can be used as far as is known. Any thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip_address.h"
#include "base/snapshot.h"
#include "rules/shaping/sources.h"
#include "services/delivery/attempt.h"
#include "services/delivery/options.h"

namespace tapal::delivery {

struct Exit {
  shaping::Source source;
  shaping::Usability usability;

  // Where it can send to. One that can be used nowhere is tried everywhere: who sends from it has
  // nothing better.
  AddressFamily reach() const;
  // Nothing: the system chooses.
  std::optional<IpAddress> address_to(const IpAddress& peer) const {
    return peer.is_v4() ? source.ipv4 : source.ipv6;
  }
};

class SourceTable {
 public:
  explicit SourceTable(const Options& options);

  // As its permit says, else the usual one for its kind of mail.
  Exit exit_of(const Attempt& attempt) const;
  void mark(std::string_view source, shaping::Usability usability);

 private:
  using Exits = std::map<std::string, Exit, std::less<>>;
  static Exits exits_of(const Options& options);

  Snapshot<Exits> exits_;
};

}  // namespace tapal::delivery
