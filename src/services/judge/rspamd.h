// rspamd's judgement, asked of its normal worker by HTTP (POST /checkv2).
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "ports/http_client.h"
#include "ports/loop.h"
#include "services/judge/judge.h"

namespace tapal::judge {

struct RspamdOptions {
  std::string url;  // "http://127.0.0.1:11333" or "http+unix:///run/rspamd.sock"
  std::chrono::seconds time_max{30};
  std::string host_name;  // ours, as the message's receiver
};

// The request, with the facts in header fields as rspamd's protocol names them.
HttpRequest rspamd_request(const Mail& mail, const RspamdOptions& options);

// What its answer means:
//   reject            refuse (554), with its own text when it gives one
//   soft reject       defer (451), as its greylisting and rate limits ask
//   add header        keep aside, and X-Spam: Yes
//   rewrite subject   keep aside, with the subject it gives
//   quarantine        keep aside
//   discard           discard
//   greylist          accept: rspamd's own greylisting says "soft reject" when it means it
//   no action         accept
// Fields that it adds or removes ("milter" in its answer) are taken over in every case. Code::
// internal when the answer is not one.
Result<Opinion> rspamd_opinion(const http::Response& response);

class Rspamd final : public Judge {
 public:
  Rspamd(RspamdOptions options, Loop& loop, HttpClient& http)
      : options_(std::move(options)), loop_(loop), http_(http) {}
  std::string_view name() const override { return "rspamd"; }
  Task<Result<Opinion>> look_at(const Mail& mail) override;

 private:
  RspamdOptions options_;
  Loop& loop_;
  HttpClient& http_;
};

}  // namespace tapal::judge
