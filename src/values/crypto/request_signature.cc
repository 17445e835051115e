#include "values/crypto/request_signature.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/text/ascii.h"
#include "values/text/date.h"
#include "values/text/hex.h"
#include "values/text/percent.h"

namespace tapal::crypto {
namespace {

std::string hex(const Digest& digest) { return text::to_hex(bytes_of(digest)); }

// Names in lower case, values without outer spaces and with one space for a run of them; sorted.
std::vector<NamedValue> canonical_headers(std::vector<NamedValue> headers) {
  for (auto& [name, value] : headers) {
    name = text::to_lower(name);
    std::string spaced;
    for (const auto word : text::words(value))
      spaced.append(spaced.empty() ? "" : " ").append(word);
    value = std::move(spaced);
  }
  std::ranges::sort(headers);
  return headers;
}

std::string second_text(WallTime time) {  // 2026-11-22T03:04:05Z
  return text::rfc3339_date(time).substr(0, 19) + "Z";
}

std::string aws_time_text(WallTime time) {  // 20261122T030405Z
  std::string text = second_text(time);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

long long unix_seconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

// A key for one day and service, made from the secret step by step.
Digest derived_key(std::string secret, std::initializer_list<std::string_view> steps) {
  Digest key{};
  std::string_view made_with = secret;
  for (const auto step : steps) {
    key = hmac_sha256(made_with, step);
    made_with = bytes_of(key);
  }
  wipe(secret);
  return key;
}

// X-TC-* values count in lower case, as do those of content-type and host.
SignableRequest lower_case_values(SignableRequest request) {
  for (auto& [name, value] : request.headers) value = text::to_lower(value);
  return request;
}

}  // namespace

std::string canonical_query(std::vector<NamedValue> parameters) {
  for (auto& [name, value] : parameters) {
    name = text::percent_encoded(name);
    value = text::percent_encoded(value);
  }
  std::ranges::sort(parameters);
  std::string query;
  for (const auto& [name, value] : parameters)
    query += fmt::format("{}{}={}", query.empty() ? "" : "&", name, value);
  return query;
}

std::vector<NamedValue> parse_query(std::string_view query) {
  std::vector<NamedValue> parameters;
  for (const auto part : text::split(query, '&')) {
    if (part.empty()) continue;
    const auto name = part.substr(0, part.find('='));
    const auto value = name.size() < part.size() ? part.substr(name.size() + 1) : "";
    parameters.emplace_back(text::percent_decoded(name), text::percent_decoded(value));
  }
  return parameters;
}

std::string SignableRequest::signed_headers() const {
  std::string names;
  for (const auto& [name, value] : canonical_headers(headers))
    names.append(names.empty() ? "" : ";").append(name);
  return names;
}

std::string SignableRequest::canonical_form() const {
  std::string lines;
  for (const auto& [name, value] : canonical_headers(headers))
    lines += fmt::format("{}:{}\n", name, value);
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}",
                     method,
                     path,
                     canonical_query(query),
                     lines,
                     signed_headers(),
                     hex(body_digest));
}

std::string aws_canonical_path(std::string_view path) {
  std::string out;
  for (const auto segment : text::split(path, '/'))
    if (!segment.empty() && segment != ".") out += '/' + text::percent_encoded(segment);
  if (out.empty() || path.ends_with('/')) out += '/';
  return out;
}

std::string aws_signature(SignableRequest request,
                          const AccessKey& key,
                          const AwsScope& scope,
                          std::string_view date_time) {
  request.path = aws_canonical_path(request.path);
  const auto date = date_time.substr(0, 8);
  const auto text = fmt::format("AWS4-HMAC-SHA256\n{}\n{}/{}/{}/aws4_request\n{}",
                                date_time,
                                date,
                                scope.region,
                                scope.service,
                                hex(sha256(request.canonical_form())));
  const auto day_key =
      derived_key("AWS4" + key.secret, {date, scope.region, scope.service, "aws4_request"});
  return hex(hmac_sha256(bytes_of(day_key), text));
}

std::vector<NamedValue> sign_aws(SignableRequest request,
                                 const AccessKey& key,
                                 const AwsScope& scope,
                                 WallTime now) {
  const auto date_time = aws_time_text(now);
  request.headers.emplace_back("X-Amz-Date", date_time);
  const auto signature = aws_signature(request, key, scope, date_time);
  const auto authorization = fmt::format(
      "AWS4-HMAC-SHA256 Credential={}/{}/{}/{}/aws4_request, SignedHeaders={}, Signature={}",
      key.id,
      date_time.substr(0, 8),
      scope.region,
      scope.service,
      request.signed_headers(),
      signature);
  return {{"X-Amz-Date", date_time}, {"Authorization", authorization}};
}

std::string alibaba_signature(const SignableRequest& request, const AccessKey& key) {
  const auto text = "ACS3-HMAC-SHA256\n" + hex(sha256(request.canonical_form()));
  return hex(hmac_sha256(key.secret, text));
}

std::vector<NamedValue> sign_alibaba(SignableRequest request,
                                     const AccessKey& key,
                                     const AlibabaCall& call,
                                     WallTime now) {
  std::vector<NamedValue> added = {{"x-acs-action", call.action},
                                   {"x-acs-version", call.version},
                                   {"x-acs-date", second_text(now)},
                                   {"x-acs-signature-nonce", call.nonce},
                                   {"x-acs-content-sha256", hex(request.body_digest)}};
  request.headers.insert(request.headers.end(), added.begin(), added.end());
  added.emplace_back("Authorization",
                     fmt::format("ACS3-HMAC-SHA256 Credential={},SignedHeaders={},Signature={}",
                                 key.id,
                                 request.signed_headers(),
                                 alibaba_signature(request, key)));
  return added;
}

std::string tencent_signature(const SignableRequest& request,
                              const AccessKey& key,
                              std::string_view service,
                              WallTime time) {
  const auto date = second_text(time).substr(0, 10);
  const auto text = fmt::format("TC3-HMAC-SHA256\n{}\n{}/{}/tc3_request\n{}",
                                unix_seconds(time),
                                date,
                                service,
                                hex(sha256(lower_case_values(request).canonical_form())));
  const auto day_key = derived_key("TC3" + key.secret, {date, service, "tc3_request"});
  return hex(hmac_sha256(bytes_of(day_key), text));
}

std::vector<NamedValue> sign_tencent(SignableRequest request,
                                     const AccessKey& key,
                                     const TencentCall& call,
                                     WallTime now) {
  request.headers.emplace_back("X-TC-Action", call.action);
  const auto authorization =
      fmt::format("TC3-HMAC-SHA256 Credential={}/{}/{}/tc3_request, SignedHeaders={}, Signature={}",
                  key.id,
                  second_text(now).substr(0, 10),
                  call.service,
                  request.signed_headers(),
                  tencent_signature(request, key, call.service, now));
  return {{"X-TC-Action", call.action},
          {"X-TC-Version", call.version},
          {"X-TC-Timestamp", fmt::to_string(unix_seconds(now))},
          {"Authorization", authorization}};
}

}  // namespace tapal::crypto
