// Signatures of HTTP requests by a secret that both sides have: AWS Signature Version 4, Alibaba
// Cloud's ACS3-HMAC-SHA256 and Tencent Cloud's TC3-HMAC-SHA256. All three sign a hash of one
// canonical form of the request. sign_*() is for whoever sends one; whoever gets one compares
// *_signature() of what came in (constant_time_equal) with the signature it bears.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "values/crypto/hash.h"

namespace tapal::crypto {

using NamedValue = std::pair<std::string, std::string>;  // of a query, or a header field

// Names joined and percent-encoded, in the order the signatures want: also a good query of a URL.
std::string canonical_query(std::vector<NamedValue> parameters);
// The other way round, from the query of any request: "a=1&b" is a: 1, b: (empty).
std::vector<NamedValue> parse_query(std::string_view query);

struct SignableRequest {
  std::string method = "GET";
  std::string path = "/";           // as in the request line, so percent-encoded
  std::vector<NamedValue> query;    // not encoded; the order does not matter
  std::vector<NamedValue> headers;  // exactly those that are signed, "host" among them; any order
  Digest body_digest = sha256("");

  // "content-type;host;x-amz-date"
  std::string signed_headers() const;
  // Method, path, query, headers, their names, and the body's digest, a line each.
  std::string canonical_form() const;
};

struct AccessKey {
  std::string id;
  std::string secret;  // never in a log
};

// AWS Signature Version 4 (not for S3, whose paths are encoded once).
struct AwsScope {
  std::string region;   // "us-east-1"
  std::string service;  // "route53"
};
// The path as it enters the canonical form: without empty and "." segments, each encoded once more.
std::string aws_canonical_path(std::string_view path);
// Hexadecimal. `date_time` is the value of X-Amz-Date, "20261122T000000Z".
std::string aws_signature(SignableRequest request,
                          const AccessKey& key,
                          const AwsScope& scope,
                          std::string_view date_time);
// The fields to add to the request: X-Amz-Date and Authorization.
std::vector<NamedValue> sign_aws(SignableRequest request,
                                 const AccessKey& key,
                                 const AwsScope& scope,
                                 WallTime now);

// Alibaba Cloud, "V3 request structure and signature". Hexadecimal.
std::string alibaba_signature(const SignableRequest& request, const AccessKey& key);
struct AlibabaCall {
  std::string action;   // "DescribeDomains"
  std::string version;  // of the API, "2015-01-09"
  std::string nonce;    // another one each time
};
// The fields to add: x-acs-action, -version, -date, -signature-nonce, -content-sha256 and
// Authorization.
std::vector<NamedValue> sign_alibaba(SignableRequest request,
                                     const AccessKey& key,
                                     const AlibabaCall& call,
                                     WallTime now);

// Tencent Cloud, "Signature v3". Values of headers are signed in lower case. Hexadecimal.
std::string tencent_signature(const SignableRequest& request,
                              const AccessKey& key,
                              std::string_view service,  // "dnspod"
                              WallTime time);
struct TencentCall {
  std::string service;
  std::string action;   // "DescribeRecordList"
  std::string version;  // "2021-03-23"
};
// The fields to add: X-TC-Action, X-TC-Version, X-TC-Timestamp and Authorization.
std::vector<NamedValue> sign_tencent(SignableRequest request,
                                     const AccessKey& key,
                                     const TencentCall& call,
                                     WallTime now);

}  // namespace tapal::crypto
