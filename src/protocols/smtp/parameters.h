// The parameters behind the path of MAIL and RCPT (RFC 5321 section 4.1.1.11), checked and put
// where they belong.
#pragma once

#include <optional>
#include <string_view>

#include "protocols/smtp/command.h"

namespace tapal::smtp {

// Nothing when all is well, otherwise the refusal.
std::optional<Reply> apply_mail_parameters(std::string_view text,
                                           Extensions offered,
                                           MailCommand& into);
std::optional<Reply> apply_rcpt_parameters(std::string_view text,
                                           const RcptContext& context,
                                           mail::Recipient& into);

}  // namespace tapal::smtp
