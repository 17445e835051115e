#include "values/mail/handover.h"

#include <string_view>

namespace tapal::mail {
namespace {

// "https://hooks.example:8443", or "http+unix:///run/x.sock" where a socket stands for the host.
std::string server_of(std::string_view url) {
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return {};
  const auto scheme = url.substr(0, scheme_end + 3);
  auto rest = url.substr(scheme.size());
  if (rest.starts_with('/'))
    return std::string(scheme) + std::string(rest.substr(0, rest.find(':')));
  rest = rest.substr(0, rest.find_first_of("/?#"));
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
  return std::string(scheme) + std::string(rest);
}

}  // namespace

std::string place_text(const Handover& handover) {
  using Kind = Handover::Kind;
  switch (handover.kind) {
    case Kind::usual: break;
    case Kind::host: return "host " + handover.target;
    case Kind::lmtp: return "LMTP " + handover.target;
    case Kind::maildir: return "Maildir " + handover.target;
    case Kind::program:
      return "program " + (handover.arguments.empty() ? std::string() : handover.arguments.front());
    case Kind::http: return "HTTP " + server_of(handover.target);
  }
  return {};
}

}  // namespace tapal::mail
