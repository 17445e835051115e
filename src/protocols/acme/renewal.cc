#include "protocols/acme/renewal.h"

#include "protocols/acme/answer_object.h"
#include "values/http/url.h"
#include "values/text/base64.h"
#include "values/text/date.h"
#include "values/text/json_fields.h"

namespace tapal::acme {

std::string certificate_id(const crypto::CertificateFacts& certificate) {
  if (certificate.authority_key_id.empty() || certificate.serial.empty()) return {};
  return text::to_base64_url(certificate.authority_key_id) + "." +
         text::to_base64_url(certificate.serial);
}

Result<RenewalWindow> read_renewal_window(std::string_view body) {
  TAPAL_TRY(const auto object, answer_object(body));
  const auto* suggested = text::object_at(object, "suggestedWindow");
  if (suggested == nullptr) return fail(Code::invalid, "renewal information without a window");
  RenewalWindow window;
  TAPAL_TRY(window.start, text::parse_rfc3339_date(text::text_at(*suggested, "start")));
  TAPAL_TRY(window.end, text::parse_rfc3339_date(text::text_at(*suggested, "end")));
  if (window.end <= window.start)
    return fail(Code::invalid, "renewal information whose window ends before it begins");
  window.explanation_url = text::text_at(object, "explanationURL");
  if (!http::parse_url(window.explanation_url)) window.explanation_url.clear();
  return window;
}

WallTime moment_in(const RenewalWindow& window, const crypto::Digest& certificate) {
  std::uint32_t share = 0;
  for (std::size_t i = 0; i < sizeof share; ++i) share = share << 8U | certificate[i];
  const auto span = static_cast<double>((window.end - window.start).count());
  const auto offset = span * (static_cast<double>(share) / 4'294'967'296.0);
  return window.start + std::chrono::milliseconds(static_cast<std::int64_t>(offset));
}

WallTime moment_by_lifetime(const crypto::Validity& validity) {
  const auto lifetime = validity.not_after - validity.not_before;
  return validity.not_after - lifetime / (lifetime < std::chrono::days(10) ? 2 : 3);
}

}  // namespace tapal::acme
