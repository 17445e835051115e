#include "services/api/client_setup.h"

#include <fmt/format.h>

namespace tapal::api {
namespace {

using Protocol = MailServer::Protocol;
using Tls = MailServer::Tls;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&apos;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string autoconfig_server(const MailServer& server) {
  const bool is_imap = server.protocol == Protocol::imap;
  return fmt::format(
      "    <{0} type=\"{1}\">\n"
      "      <hostname>{2}</hostname>\n"
      "      <port>{3}</port>\n"
      "      <socketType>{4}</socketType>\n"
      "      <username>%EMAILADDRESS%</username>\n"
      "      <authentication>password-cleartext</authentication>\n"
      "    </{0}>\n",
      is_imap ? "incomingServer" : "outgoingServer",
      is_imap ? "imap" : "smtp",
      escaped(server.host),
      server.port,
      server.tls == Tls::implicit ? "SSL" : "STARTTLS");
}

std::string autodiscover_server(const MailServer& server) {
  return fmt::format(
      "      <Protocol>\n"
      "        <Type>{}</Type>\n"
      "        <Server>{}</Server>\n"
      "        <Port>{}</Port>\n"
      "        <DomainRequired>off</DomainRequired>\n"
      "        <SPA>off</SPA>\n"
      "        <SSL>on</SSL>\n"
      "        <Encryption>{}</Encryption>\n"
      "        <AuthRequired>on</AuthRequired>\n"
      "      </Protocol>\n",
      server.protocol == Protocol::imap ? "IMAP" : "SMTP",
      escaped(server.host),
      server.port,
      server.tls == Tls::implicit ? "SSL" : "TLS");
}

}  // namespace

std::string autoconfig_xml(std::string_view domain, const std::vector<MailServer>& servers) {
  auto xml = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<clientConfig version=\"1.1\">\n"
      "  <emailProvider id=\"{0}\">\n"
      "    <domain>{0}</domain>\n"
      "    <displayName>{0}</displayName>\n"
      "    <displayShortName>{0}</displayShortName>\n",
      escaped(domain));
  for (const auto& server : servers) xml += autoconfig_server(server);
  return xml + "  </emailProvider>\n</clientConfig>\n";
}

std::string autodiscover_xml(const std::vector<MailServer>& servers) {
  std::string xml =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<Autodiscover "
      "xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\n"
      "  <Response "
      "xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\">\n"
      "    <Account>\n"
      "      <AccountType>email</AccountType>\n"
      "      <Action>settings</Action>\n";
  for (const auto& server : servers) xml += autodiscover_server(server);
  return xml + "    </Account>\n  </Response>\n</Autodiscover>\n";
}

}  // namespace tapal::api
