// Mailboxes that another server left to an LMTP server: here an alias for each user says so.
#pragma once

#include <string>
#include <string_view>

#include "rules/migrate/inventory.h"

namespace tapal::migrate {

// ":lmtp: unix:/run/dovecot/lmtp" of a socket's path, ":lmtp: host:24" of a host and port.
std::string lmtp_target(std::string_view place);

// Each user of the inventory who has a password gets an alias that leads to its `mailbox_target`;
// an alias that names itself, and means the mailbox, leads there, too. Nothing where there is no
// such target.
void lead_mailboxes(Inventory& inventory);

}  // namespace tapal::migrate
