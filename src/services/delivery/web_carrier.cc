#include "services/delivery/web_carrier.h"

#include <chrono>
#include <string>
#include <utility>

#include "services/delivery/verdict.h"
#include "values/crypto/hash.h"
#include "values/text/hex.h"

namespace tapal::delivery {
namespace {

constexpr std::size_t body_block_bytes = 64UL * 1024;
constexpr std::size_t response_bytes_max = 64UL * 1024;

// What the receiver can compute again. Others on the loop have their turn between blocks.
Task<Result<std::string>> signature_of(Loop& loop,
                                       std::string_view key,
                                       const HttpRequest& request,
                                       std::string_view timestamp) {
  crypto::HmacSha256 mac(key);
  mac.update(timestamp);
  mac.update(".");
  mac.update(request.body);
  std::string block(body_block_bytes, '\0');
  for (std::uint64_t offset = 0; offset < request.more->size();) {
    TAPAL_CO_TRY(const auto count, request.more->read(offset, block));
    if (count == 0) co_return fail(Code::internal, "the message ends before its length");
    mac.update(std::string_view(block).substr(0, count));
    offset += count;
    co_await switch_to(loop);
  }
  const auto digest = mac.finish();
  co_return text::to_hex(crypto::bytes_of(digest));
}

}  // namespace

Task<AttemptReport> WebCarrier::carry(Attempt attempt) {
  AttemptReport report;
  for (std::size_t i = 0; i < attempt.indexes.size(); ++i) {
    const auto response = co_await post(attempt, attempt.envelope.recipients[i]);
    report.recipients.push_back(attempted(attempt.indexes[i], verdict_of_response(response)));
  }
  co_return report;
}

Task<Result<http::Response>> WebCarrier::post(const Attempt& attempt,
                                              const mail::Recipient& recipient) {
  if (options_.key.empty())
    co_return fail(
        Code::invalid,
        "there is no key to sign with: `tapal init` makes webhook.key, see webhook.key_file");
  const auto now = std::chrono::floor<std::chrono::seconds>(world_.clock.wall_now());
  const auto timestamp = std::to_string(now.time_since_epoch().count());
  HttpRequest request;
  request.method = "POST";
  request.url = recipient.handover.target;
  request.body = fields_on_top(attempt, recipient);
  request.more = attempt.body;
  request.time_max = options_.time_max;
  request.response_bytes_max = response_bytes_max;
  TAPAL_CO_TRY(auto signature,
               co_await signature_of(world_.loop, options_.key, request, timestamp));
  request.headers = {{"Content-Type", "message/rfc822"},
                     {"X-Tapal-Sender", sender_text(attempt)},
                     {"X-Tapal-Recipient", recipient.address.text()},
                     {"X-Tapal-Queue-Id", attempt.id.text()},
                     {"X-Tapal-Timestamp", timestamp},
                     {"X-Tapal-Signature", std::move(signature)}};
  co_return co_await world_.http.send(world_.loop, std::move(request));
}

}  // namespace tapal::delivery
