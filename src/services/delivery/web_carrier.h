// Mail POSTed to web servers as message/rfc822, once for each recipient, signed.
#pragma once

#include "ports/clock.h"
#include "ports/http_client.h"
#include "ports/loop.h"
#include "services/delivery/carrier.h"
#include "services/delivery/options.h"

namespace tapal::delivery {

// X-Tapal-Signature is the HMAC-SHA-256, in hexadecimal digits, of X-Tapal-Timestamp (seconds since
// 1970), a dot and the body, under the key.
class WebCarrier final : public Carrier {
 public:
  struct World {
    Loop& loop;
    Clock& clock;
    HttpClient& http;
  };
  WebCarrier(World world, const WebhookOptions& options) : world_(world), options_(options) {}
  Task<AttemptReport> carry(Attempt attempt) override;

 private:
  Task<Result<http::Response>> post(const Attempt& attempt, const mail::Recipient& recipient);

  World world_;
  const WebhookOptions& options_;
};

}  // namespace tapal::delivery
