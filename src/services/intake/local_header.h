// The header of a message that a program of this machine wrote, with what such programs leave out:
// the domain of addresses, and the author. The rest is completed as for any user
// (submission_header.h).
#pragma once

#include <string>
#include <string_view>

#include "values/mail/address.h"

namespace tapal::intake {

// `author` is put in where there is no From field. A header that cannot be read stays as it is.
std::string complete_local_header(std::string_view block,
                                  std::string_view domain,
                                  const mail::Mailbox& author);

}  // namespace tapal::intake
