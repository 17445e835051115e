// Where mail to an address of ours goes in the end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "values/mail/address.h"
#include "values/mail/handover.h"

namespace tapal::alias {

struct Target {
  enum class Kind : std::uint8_t {
    user,    // `address` is one of our users, in the users file's spelling: a mailbox
    remote,  // leaves us by SMTP: by the MX of `address`, or to the host of `handover`
    handed,  // ends here as `handover` says: program, LMTP, Maildir folder, HTTP
  };
  mail::Address address;
  mail::Handover handover;
  Kind kind = Kind::user;
  // Of what is remote: the address of ours whose alias leads out. Nothing where the mail was for
  // `address` to begin with, and is only passed on to the host that has it (backup-mx, "* via").
  std::optional<mail::Address> via_alias = {};

  bool operator==(const Target&) const = default;
};

struct Resolution {
  enum class Status : std::uint8_t {
    found,      // `targets` says where
    unknown,    // our domain, and nobody has this address; `text` names the target that is missing
    not_ours,   // no domain of ours
    rejected,   // an alias says so; `text` is what it says, and may be empty
    elsewhere,  // our domain, whose mail goes to its MX (role "send")
    endless,    // the aliases lead in a circle, too deep or to too many; `text` says which way
  };
  Status status = Status::not_ours;
  std::vector<Target> targets;  // each once; empty unless Status::found
  std::string text = {};
};

}  // namespace tapal::alias
