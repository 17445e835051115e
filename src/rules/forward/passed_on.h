// The headers of mail that is passed on to another server. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "values/mail/address.h"

namespace tapal::forward {

struct PassedOn {
  mail::Address alias;                 // of ours, that the mail came to
  std::vector<mail::Address> targets;  // where it goes
  std::string host_name;               // ours
  std::string id;                      // the queue id
  WallTime now{};
};

// Delivered-To, by which loops are found, and X-Forwarded-To and -For, by which large receivers
// know a forwarder. Several targets do not learn of each other.
std::string forward_fields(const PassedOn& passed_on);

// The header with the alias in From, the author's name beside it; the author is in Reply-To, unless
// there is one, and in X-Original-From. Code::invalid: there is no readable From.
Result<std::string> with_alias_as_author(std::string_view header, const PassedOn& passed_on);

// The header of a message from the alias whose body is the original, header and all
// (message/rfc822). Author, date and subject are the original's, as far as they can be read.
std::string wrapping_header(std::string_view header, const PassedOn& passed_on);

}  // namespace tapal::forward
