// The command lines MAIL and RCPT of a client, with the parameters that the peer offers and the
// message needs. For the client session alone.
#pragma once

#include <string>

#include "protocols/smtp/client_transaction.h"

namespace tapal::smtp::client {

// With CRLF. The addresses must have passed check_message() and check_recipient().
std::string mail_command(const Transaction& transaction, const ExtensionSet& peer);
std::string rcpt_command(const mail::Recipient& recipient, const ExtensionSet& peer);

}  // namespace tapal::smtp::client
