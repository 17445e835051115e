// What mail clients ask before they set up an account: the servers of its domain, in the forms of
// Thunderbird (autoconfig, draft-ietf-mailmaint-autoconfig) and Outlook (POX autodiscover,
// MS-OXDSCLI).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tapal::api {

struct MailServer {
  enum class Protocol : std::uint8_t { imap, smtp } protocol = Protocol::smtp;
  enum class Tls : std::uint8_t { implicit, starttls } tls = Tls::implicit;
  std::string host;
  std::uint16_t port = 0;
};

// Servers in the order in which clients shall try them.
std::string autoconfig_xml(std::string_view domain, const std::vector<MailServer>& servers);
std::string autodiscover_xml(const std::vector<MailServer>& servers);

}  // namespace tapal::api
