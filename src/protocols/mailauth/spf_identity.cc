#include "protocols/mailauth/spf_identity.h"

#include <utility>

#include "protocols/mailauth/spf_macro.h"
#include "values/dns/name.h"
#include "values/text/ascii.h"
#include "values/text/idna.h"

namespace tapal::mailauth {
namespace {

constexpr std::string_view postmaster = "postmaster";

}  // namespace

SpfIdentity SpfIdentity::of_helo(std::string_view helo) {
  return {Kind::helo, std::string(postmaster), std::string(helo)};
}

SpfIdentity SpfIdentity::of_mail_from(std::string_view path, std::string_view helo) {
  if (path.empty()) return of_helo(helo);
  const std::size_t at = path.rfind('@');
  const bool has_local_part = at != std::string_view::npos && at > 0;
  return {Kind::mail_from,
          std::string(has_local_part ? path.substr(0, at) : postmaster),
          std::string(at == std::string_view::npos ? path : path.substr(at + 1))};
}

std::string_view spf_identity_text(SpfIdentity::Kind kind) {
  return kind == SpfIdentity::Kind::helo ? "helo" : "mailfrom";
}

std::optional<std::string> spf_domain(std::string_view text) {
  if (text.starts_with('[')) return {};
  std::string domain(text);
  if (!text::is_ascii(text)) {
    auto ascii = text::domain_to_ascii(text);
    if (!ascii) return {};
    domain = *std::move(ascii);
  }
  if (domain.ends_with('.')) domain.pop_back();
  const auto name = dns_name_of(domain);
  if (!name || dns::labels_of(*name).size() < 2) return {};
  return domain;
}

}  // namespace tapal::mailauth
