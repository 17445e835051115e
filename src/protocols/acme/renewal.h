// When a certificate is to be renewed: as its authority suggests (RFC 9773), else by its lifetime.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "values/crypto/certificate.h"

namespace tapal::acme {

// What an authority calls the certificate (RFC 9773 section 4.1); empty for one without an
// authority key identifier.
std::string certificate_id(const crypto::CertificateFacts& certificate);

struct RenewalWindow {
  WallTime start;
  WallTime end;
  std::string explanation_url;  // why it is so early; usually empty
};
// The body of a renewal information response. Code::invalid: it is none, or it ends before it
// begins.
Result<RenewalWindow> read_renewal_window(std::string_view body);

// A moment of the window, the same for the same certificate, spread evenly over many of them.
WallTime moment_in(const RenewalWindow& window, const crypto::Digest& certificate);

// Without a window: when a third of the lifetime is left, half of one under ten days.
WallTime moment_by_lifetime(const crypto::Validity& validity);

}  // namespace tapal::acme
